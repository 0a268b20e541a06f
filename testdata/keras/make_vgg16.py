"""Makes what VGG16 is compared with: Keras's network with the published weights, on pictures made by a formula and on
photographs.

Run: python make_vgg16.py SHARED           (a minute; the same bytes on every run on one kind of machine)
     python make_vgg16.py SHARED OUT_FILE  (three minutes) for the long tests, which find OUT_FILE by LOOKALIKE_KERAS_VGG16

SHARED has weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5 and caltech101, a folder for each class.

../../cmd/lookalike/internal/certificate/vgg16_keras.safetensors: what the script that `lookalike verify --print-script` prints gives, NAME for each layer
  without the top: mean, norm and 64 values of its output.
vgg16.safetensors, of 24 photographs (named in the metadata's "photographs"):
  average   block5_pool averaged over its pixels, [24, 512]
and of preprocess_input, in the mode of that name, for the levels 0 to 255 in all channels:
  caffe, torch   [256, 3]
OUT_FILE, not committed:
  pool      block5_pool of every ninth photograph, [341, 7, 7, 512]; "photographs" names them
  input     two of them, preprocessed, [2, 224, 224, 3]
  NAME      what the layer makes of input
"""
import subprocess
import sys
from pathlib import Path

from common import HERE, keras, np, save_tensors

shared = Path(sys.argv[1])
weights = shared / "weights/vgg16_weights_tf_dim_ordering_tf_kernels_notop.h5"
photographs = sorted(p.relative_to(shared / "caltech101").as_posix() for p in shared.glob("caltech101/*/*.jpg"))
net = keras.applications.VGG16(weights=weights, include_top=False, input_shape=(224, 224, 3))
layers = keras.Model(net.input, [l.output for l in net.layers[1:]])


def load(names):
    pictures = [keras.utils.img_to_array(keras.utils.load_img(shared / "caltech101" / n, target_size=(224, 224))) for n in names]
    return keras.applications.vgg16.preprocess_input(np.stack(pictures))


if len(sys.argv) > 2:
    chosen = photographs[::9]
    x = load(chosen[:341:170][:2])
    outputs = {l.name: np.array(y) for l, y in zip(net.layers[1:], layers(x))}
    pool = np.concatenate([np.array(net(load(chosen[i:i + 16]))) for i in range(0, len(chosen), 16)])
    save_tensors(Path(sys.argv[2]).resolve(), {"pool": pool, "input": x, **outputs}, photographs=chosen)
    sys.exit()

chosen = photographs[::len(photographs) // 24][:24]
levels = np.repeat(np.arange(256, dtype=np.float32)[:, None], 3, axis=1)
modes = {m: keras.applications.imagenet_utils.preprocess_input(levels.copy(), mode=m) for m in ("caffe", "torch")}
save_tensors("vgg16.safetensors", {"average": np.array(net(load(chosen))).mean((1, 2)), **modes}, photographs=chosen)

script = subprocess.run(["go", "run", "./cmd/lookalike", "verify", "--print-script", weights], cwd=HERE / "../..",
                        check=True, capture_output=True, text=True).stdout
exec(script, {})
save_tensors("../../cmd/lookalike/internal/certificate/vgg16_keras.safetensors", dict(np.load("reference.npz")))
Path("reference.npz").unlink()
