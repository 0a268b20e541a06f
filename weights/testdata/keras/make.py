"""Makes files of the same small networks in every format that Keras has written, and expected.json with their arrays under
the names that they have in this project. Run in this folder: python make.py       (Keras 3.15)"""
import json
import os
import shutil
import zipfile
import zlib

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import h5py
import keras
import numpy as np
from keras import layers as L
from keras.src.legacy.saving import legacy_h5_format as legacy

keras.utils.set_random_seed(5)
expected = {}


def describe(arrays):
    return {n: {"shape": list(a.shape), "crc32": zlib.crc32(np.asarray(a, "<f4").tobytes())} for n, a in arrays.items()}


def names(prefix, layer, *kinds):
    """The layer's arrays, in Keras's order, under given names."""
    values = layer.get_weights()
    assert len(values) == len(kinds), (prefix, len(values))
    return {f"{prefix}/{k}": v for k, v in zip(kinds, values)}


def legacy_weights(name, model):
    with h5py.File(name, "w") as f:
        legacy.save_weights_to_hdf5_group(f, model)


def add(model, *files):
    for file in files:
        expected[file] = model


# The counters of the session are not at 0.
L.Dense(1), L.Dense(1), L.Conv2D(1, 1), L.Conv2D(1, 1), L.BatchNormalization(), keras.Sequential(), L.Conv2DTranspose(1, 1)

features, first, second, normal, code = L.Conv2D(4, 3, name="features"), L.Conv2D(5, 3, strides=2), L.Conv2D(2, 1), L.BatchNormalization(), L.Dense(6)
encoder = keras.Sequential([keras.Input((8, 8, 3)), features, normal, first, L.Dropout(0.1), second, L.Flatten(), code], name="encoder")
wide, up, out = L.Dense(16), L.Conv2DTranspose(3, 3, strides=2, padding="same"), L.Conv2DTranspose(3, 2, use_bias=False)
first.trainable = False  # so that legacy files have its weights after the others'
x = y = keras.Input((6,))
for layer in wide, L.Reshape((2, 2, 4)), up, out:
    y = layer(y)
decoder = keras.Model(x, y, name="decoder")
x = keras.Input((8, 8, 3))
auto = keras.Model(x, decoder(encoder(x)), name="auto")
auto.compile("adam", "mse", metrics=["mae"])
pictures = np.random.default_rng(1).random((4, 8, 8, 3), "f4")
auto.fit(pictures, auto.predict(pictures, verbose=0) * 0.5, verbose=0)

auto.save_weights("auto.weights.h5")
auto.save("auto.keras")
auto.save("auto.h5")
legacy_weights("auto_weights.h5", auto)
limit, legacy.HDF5_OBJECT_HEADER_LIMIT = legacy.HDF5_OBJECT_HEADER_LIMIT, 60
legacy_weights("auto_split.h5", auto)  # weight_names0, weight_names1, ...
legacy.HDF5_OBJECT_HEADER_LIMIT = limit
with zipfile.ZipFile("auto.keras") as source, zipfile.ZipFile("auto_deflated.keras", "w", zipfile.ZIP_DEFLATED) as target:
    for name in source.namelist():
        target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), source.read(name), zipfile.ZIP_DEFLATED)


def rewrite(source, target, **create):
    """Copies an HDF5 file, with other settings for the datasets."""
    with h5py.File(source) as f, h5py.File(target, "w", libver="latest") as g:
        def visit(name, o):
            c = g.create_dataset(name, data=o[()], **create if o.ndim else {}) if isinstance(o, h5py.Dataset) else g.require_group(name)
            for k, v in o.attrs.items():
                c.attrs[k] = v
        f.visititems(visit)


rewrite("auto.weights.h5", "auto_latest.weights.h5", compression="gzip", shuffle=True, fletcher32=True)

# The first files of Keras 3 do not have the layers' names; the architecture has.
with zipfile.ZipFile("auto.keras") as source, zipfile.ZipFile("auto_nameless.keras", "w") as target:
    for name in "metadata.json", "config.json":
        target.writestr(zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0)), source.read(name))
    with open("nameless.h5", "wb") as f:
        f.write(source.read("model.weights.h5"))
    with h5py.File("nameless.h5", "a") as f:
        f.visititems(lambda _, o: o.attrs.pop("name", None) and None)
        del f["optimizer"]
    target.write("nameless.h5", "model.weights.h5")
    os.remove("nameless.h5")

pair = ("kernel", "bias")
arrays = {
    **names("encoder/features", features, *pair), **names("encoder/batch_normalization", normal, "gamma", "beta", "moving_mean", "moving_variance"),
    **names("encoder/conv2d", first, *pair), **names("encoder/conv2d_1", second, *pair), **names("encoder/dense", code, *pair),
    **names("decoder/dense", wide, *pair), **names("decoder/conv2d_transpose", up, *pair), **names("decoder/conv2d_transpose_1", out, "kernel"),
}  # fmt: skip
add(describe(arrays), "auto.weights.h5", "auto.keras", "auto.h5", "auto_weights.h5", "auto_split.h5", "auto_deflated.keras", "auto_latest.weights.h5", "auto_nameless.keras")

# As Keras 2 named weights: ":0" at the end, and nested networks without their own names. Keras 1 counted from 1.
with h5py.File("auto_keras2.h5", "w") as f:
    f.attrs["layer_names"] = np.array([b"input_1", b"encoder", b"decoder"])
    f.attrs["keras_version"] = b"2.15.0"
    f.create_group("input_1").attrs["weight_names"] = np.zeros(0)
    for network in "encoder", "decoder":
        g = f.create_group(network)
        inside = {n.split("/", 1)[1].replace("conv2d_1/", "conv2d_9/").replace("conv2d/", "conv2d_8/") + ":0": v for n, v in arrays.items() if n.startswith(network)}
        g.attrs["weight_names"] = np.array([n.encode() for n in inside])
        for n, v in inside.items():
            g[n] = v
add(describe(arrays), "auto_keras2.h5")

# The files of keras.applications: names of Keras 1, some with those of another session.
flat = {"block1_conv1/kernel": features.kernel, "block1_conv1/bias": features.bias, "bn/gamma": normal.gamma, "bn/beta": normal.beta,
        "bn/moving_mean": normal.moving_mean, "bn/moving_variance": normal.moving_variance, "fc1/kernel": code.kernel, "fc1/bias": code.bias,
        "predictions/kernel": wide.kernel, "predictions/bias": wide.bias}  # fmt: skip
flat = {k: np.asarray(v) for k, v in flat.items()}
with h5py.File("flat_keras1.h5", "w") as f:
    old = {
        "block1_conv1": ["block1_conv1_W_1:0", "block1_conv1_b_1:0"], "pool": [],
        "bn": ["bn_gamma:0", "bn_beta:0", "bn_running_mean:0", "bn_running_std:0"],
        "fc1": ["fc1_2/kernel:0", "fc1_2/bias:0"], "predictions": ["a_model/predictions/kernel_1:0", "a_model/predictions/bias_1:0"],
    }  # fmt: skip
    f.attrs["layer_names"] = np.array([n.encode() for n in old])
    for layer, weights in old.items():
        g = f.create_group(layer)
        g.attrs["weight_names"] = np.array([w.encode() for w in weights]) if weights else np.zeros(0)
        for w, v in zip(weights, [v for k, v in flat.items() if k.startswith(layer + "/")]):
            g[w] = v
add(describe(flat), "flat_keras1.h5")

# Networks three deep, and layers that say more than their place: half of batch normalization, other element types.
inner_dense, inner_norm, mid_dense = L.Dense(3), L.BatchNormalization(scale=False), L.Dense(4)
inner = keras.Model(x := keras.Input((5,)), inner_norm(inner_dense(x)), name="inner")
mid = keras.Model(x := keras.Input((5,)), mid_dense(inner(x)), name="mid")
deep = keras.Model(x := keras.Input((5,)), mid(x), name="deep")
deep.save("deep.keras")
deep.save("deep.h5")
add(describe({**names("mid/inner/dense", inner_dense, *pair), **names("mid/inner/batch_normalization", inner_norm, "beta", "moving_mean", "moving_variance"),
              **names("mid/dense", mid_dense, *pair)}), "deep.keras", "deep.h5")  # fmt: skip
deep.save_weights("ambiguous.weights.h5")  # is it gamma or beta?

for kind in "float16", "bfloat16", "float64":
    d = L.Dense(3, dtype=kind)
    m = keras.Sequential([keras.Input((5,)), d])
    m.save_weights(f"{kind}.weights.h5")
    add(describe({f"dense/{k}": np.asarray(keras.ops.convert_to_numpy(v), "<f4") for k, v in zip(pair, (d.kernel, d.bias))}), f"{kind}.weights.h5")


class Own(keras.Model):
    """A model that keeps its layers as it likes."""

    def __init__(self):
        super().__init__()
        self.stem, self.blocks = L.Conv2D(2, 3), [L.Dense(3), L.Dense(4)]

    def call(self, x):
        for layer in [self.stem, *self.blocks]:
            x = layer(x)
        return x


own = Own()
own(pictures)
own.save_weights("own.weights.h5")
add(describe({**names("conv2d", own.stem, *pair), **names("dense", own.blocks[0], *pair), **names("dense_1", own.blocks[1], *pair)}), "own.weights.h5")

with open("expected.json", "w") as f:
    json.dump(expected, f, indent=0, sort_keys=True)
    f.write("\n")
