"""Opens in Keras what `lookalike convert` wrote, as its help says, and compares. The tests of cmd/lookalike run it.

open_converted.py autoencoder MODEL.weights.h5|MODEL.npz EXPECTED.npz
    EXPECTED has pictures "x", and the "codes" and "images" that this project's network makes of them.
open_converted.py vgg CONVERTED.weights.h5|CONVERTED.npz ORIGINAL.h5
    ORIGINAL is a weights file of keras.applications.
Where the file holds float16, ORIGINAL's values are rounded so before they are compared."""
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
from keras import Input, Sequential
from keras import layers as L


def autoencoder(size, code, widths):
    elu = dict(padding="same", activation="elu")
    inner = size >> len(widths)
    encoder = Sequential([Input((size, size, 3))])
    for n in widths:
        encoder.add(L.Conv2D(n, 3, **elu))
        encoder.add(L.MaxPooling2D(2))
    encoder.add(L.Flatten())
    encoder.add(L.Dense(code))
    decoder = Sequential([Input((code,)), L.Dense(inner * inner * widths[-1]), L.Reshape((inner, inner, widths[-1]))])
    for n in widths[-2::-1]:
        decoder.add(L.Conv2DTranspose(n, 3, strides=2, **elu))
    decoder.add(L.Conv2DTranspose(3, 3, strides=2, padding="same"))
    return encoder, decoder, Sequential([encoder, decoder])


def compare(what, got, want):
    assert got.shape == want.shape and np.isfinite(got).all()
    worst = np.abs(got - want).max() / max(1, np.abs(want).max())
    assert worst <= 1e-5, f"{what}: {worst}"
    print(f"{what}: worst difference {worst:.1e}")


kind, converted, other = sys.argv[1:]
if kind == "autoencoder":
    expected = np.load(other)
    encoder, decoder, model = autoencoder(expected["x"].shape[1], expected["codes"].shape[1], [32, 64, 128, 256])
    if converted.endswith(".npz"):
        arrays = np.load(converted)
        for name, net in ("encoder", encoder), ("decoder", decoder):
            counts = {}
            for layer in net.layers:
                if layer.weights:
                    group = keras.src.utils.naming.to_snake_case(type(layer).__name__)
                    n = counts[group] = counts.get(group, -1) + 1
                    path = f"{name}/{group}_{n}" if n else f"{name}/{group}"
                    layer.set_weights([arrays[path + "/kernel"], arrays[path + "/bias"]])
    else:
        model.load_weights(converted)
    compare("codes", encoder.predict(expected["x"], verbose=0), expected["codes"])
    compare("images", model.predict(expected["x"], verbose=0), expected["images"])
else:
    with h5py.File(other) as f:
        deep, top = "block3_conv4" in f, "fc1" in f
    make = keras.applications.VGG19 if deep else keras.applications.VGG16
    want = make(weights=other, include_top=top).get_weights()
    if converted.endswith(".npz"):
        arrays = np.load(converted)
        layers = [l.name for l in make(weights=None, include_top=top).layers if l.weights]
        got = [arrays[f"{l}/{v}"] for l in layers for v in ("kernel", "bias")]
        assert len(arrays.files) == len(got)
        half = got[0].dtype == np.float16
        got = [g.astype("f4") for g in got]
    else:
        model = make(weights=None, include_top=top)
        model.load_weights(converted)
        got = model.get_weights()
        with h5py.File(converted) as f:
            half = f["layers/conv2d/vars/0"].dtype == np.float16
    assert len(got) == len(want)
    for g, w in zip(got, want):
        np.testing.assert_array_equal(g, w.astype("f2").astype("f4") if half else w)
    print(f"{len(got)} arrays are equal" + (" to float16" if half else ""))
