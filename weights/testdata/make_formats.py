"""Makes the fixtures of formats_test.go and of vgg/torchvision_test.go, with the packages that users' files are made by.

vgg.safetensors is a VGG16 of few channels in Keras's names and layout; every other file
named vgg_*, and each in vgg/testdata, holds the same network in another form. All values are
multiples of 1/64 that float16 and bfloat16 hold exactly. arrays.npz and
tensors.pth have one array for each form of storage, of values 0, 1, 2, …

    python make_formats.py        (needs numpy, safetensors and torch)
"""
import pathlib
import zipfile

import numpy as np
import safetensors.numpy
import safetensors.torch
import torch

here = pathlib.Path(__file__).parent
torches = here.parent.parent / "vgg" / "testdata"
rng = np.random.default_rng(16)
widths, convolutions, dense = [2, 3, 4, 5, 6], [2, 2, 3, 3, 3], [4, 3, 5]


def values(*shape):
    return (rng.integers(-127, 128, size=shape) / 64).astype(np.float32)


keras, torchvision = {}, {}


def add(keras_name, torch_name, kernel, transposed):
    keras[keras_name + "/kernel"], torchvision[torch_name + ".weight"] = kernel, torch.tensor(np.ascontiguousarray(transposed))
    bias = values(kernel.shape[-1])
    keras[keras_name + "/bias"], torchvision[torch_name + ".bias"] = bias, torch.tensor(bias)


channels, step = 3, 0
for block, (width, n) in enumerate(zip(widths, convolutions), 1):
    for i in range(1, n + 1):
        kernel = values(3, 3, channels, width)
        add(f"block{block}_conv{i}", f"features.{step}", kernel, kernel.transpose(3, 2, 0, 1))
        channels, step = width, step + 2
    step += 1
features = dict(torchvision)
inputs = 7 * 7 * channels
for layer, name, outputs in zip(["fc1", "fc2", "predictions"], ["classifier.0", "classifier.3", "classifier.6"], dense):
    kernel = values(inputs, outputs)
    turned = kernel.T
    if layer == "fc1":  # torchvision flattens channels first
        turned = kernel.reshape(7, 7, channels, outputs).transpose(3, 2, 0, 1).reshape(outputs, inputs)
    add(layer, name, kernel, turned)
    inputs = outputs

safetensors.numpy.save_file(keras, here / "vgg.safetensors")
np.savez(here / "vgg_keras.npz", **keras)
forms = [np.float16, np.float64, ">f4", ">f8", ">f2", "<f4"]
np.savez_compressed(here / "vgg_deflated.npz",
                    **{n: np.asfortranarray(a.astype(forms[i % len(forms)])) for i, (n, a) in enumerate(keras.items())})
np.savez(torches / "torchvision.npz", **{n: a.numpy() for n, a in torchvision.items()})
safetensors.torch.save_file({n: a.bfloat16() for n, a in torchvision.items()}, torches / "torchvision.safetensors")

timm = dict(features)
for name, old, shape in [("pre_logits.fc1", "classifier.0", (dense[0], channels, 7, 7)),
                         ("pre_logits.fc2", "classifier.3", (dense[1], dense[0], 1, 1)),
                         ("head.fc", "classifier.6", (dense[2], dense[1]))]:
    timm[name + ".weight"] = torchvision[old + ".weight"].reshape(shape)
    timm[name + ".bias"] = torchvision[old + ".bias"]
safetensors.torch.save_file(timm, torches / "timm.safetensors")


class VGG(torch.nn.Module):
    """torchvision's module, as far as a state_dict shows it."""

    def __init__(self):
        super().__init__()
        steps, channels = [], 3
        for width, n in zip(widths, convolutions):
            for _ in range(n):
                steps += [torch.nn.Conv2d(channels, width, 3, padding=1), torch.nn.ReLU()]
                channels = width
            steps.append(torch.nn.MaxPool2d(2))
        self.features = torch.nn.Sequential(*steps)
        self.classifier = torch.nn.Sequential(
            torch.nn.Linear(49 * channels, dense[0]), torch.nn.ReLU(), torch.nn.Dropout(),
            torch.nn.Linear(dense[0], dense[1]), torch.nn.ReLU(), torch.nn.Dropout(),
            torch.nn.Linear(dense[1], dense[2]))


net = VGG()
net.load_state_dict(torchvision)
torch.save(net.state_dict(), torches / "torchvision.pth")
torch.save(net.half().to(memory_format=torch.channels_last).state_dict(), torches / "half.pth")
torch.save({n: torch.nn.Parameter(a.double()) for n, a in features.items()}, torches / "notop.pth")

count = np.arange(24, dtype=np.float32).reshape(2, 3, 4)
arrays = {code.replace("<", "little ").replace(">", "big "): count.astype(code)
          for code in "<f2 >f2 <f4 >f4 <f8 >f8 i1 u1 <i2 >i2 <u2 >u2 <i4 >i4 <u4 >u4 <i8 >i8 <u8 >u8".split()}
arrays["fortran"] = np.asfortranarray(count)
arrays["fortran big"] = np.asfortranarray(count.astype(">f8"))
arrays["fortran line"] = np.asfortranarray(count[0, 0])
arrays["scalar"] = np.float32(7)
arrays["empty"] = np.zeros((0, 5), np.float32)
arrays["negative"] = np.array([-1, -128, 127], np.int8)
arrays["texts"] = np.array(["a.jpg", "", "日本", "🦊"])
arrays["texts big"] = arrays["texts"].astype(">U7")
for name, save in [("arrays.npz", np.savez), ("arrays_deflated.npz", np.savez_compressed)]:
    save(here / name, **arrays)
for version in (1, 2, 3):
    with zipfile.ZipFile(here / "arrays.npz", "a") as z, z.open(f"version {version}.npy", "w") as f:
        np.lib.format.write_array(f, count, version=(version, 0))
np.save(here / "fortran.npy", np.asfortranarray(count))

t = torch.arange(24, dtype=torch.float32)
flat = torch.arange(48, dtype=torch.float32)
tensors = {str(d).removeprefix("torch."): t.to(d).reshape(2, 3, 4) for d in
           (torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int8, torch.uint8, torch.int16, torch.int32, torch.int64)}
tensors["parameter"] = torch.nn.Parameter(t.reshape(2, 3, 4))
tensors["strided"] = torch.arange(24, dtype=torch.float64).reshape(2, 3, 4).permute(2, 0, 1).contiguous().permute(1, 2, 0)
tensors["every second"] = (flat / 2).reshape(2, 3, 8)[:, :, ::2]
tensors["middle"] = (flat - 12)[12:36].reshape(2, 3, 4)
tensors["shared"] = tensors["float32"]
tensors["scalar"] = torch.tensor(7.0)
tensors["empty"] = torch.zeros(0, 5)
torch.save({"nested": tensors, "epoch": 3, "lr": 0.5, "names": ["a"], "big": 1 << 40, "none": None}, here / "tensors.pth")
torch.save({"a": torch.ones(1).expand(1000, 1000)}, here / "expanded.pth")
torch.manual_seed(0)
torch.save(torch.nn.Linear(1, 1), here / "module.pth")
torch.save({"a": torch.ones(1)}, here / "old.pth", _use_new_zipfile_serialization=False)

# Small enough to try damage at every byte.
small = {"a": count, "b": np.asfortranarray(count.astype(">f8")), "half": count.astype(np.float16), "texts": arrays["texts"][:2]}
np.savez(here / "small.npz", **small)
np.savez_compressed(here / "small_deflated.npz", **small)
torch.save({"a": torch.nn.Parameter(tensors["float32"]), "b": tensors["strided"], "half": tensors["float16"]}, here / "small.pth")
