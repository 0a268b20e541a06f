"""Makes layers.safetensors: forward values and gradients of single Keras layers.

Run: python make_layers.py (a few seconds; the same bytes on every run on one kind of machine).

For every case in the metadata's "cases", a JSON list of {"name", "layer", "config", "training"}:
  NAME/x              input
  NAME/<weight>       kernel, bias, gamma, beta, moving_mean, moving_variance: whatever the layer has
  NAME/y              output for x
  NAME/dy             a random gradient with respect to y
  NAME/dx             the gradient with respect to x of sum(y * dy)
  NAME/d_<weight>     the same with respect to each trainable weight
  NAME/after_<weight> moving statistics after this one training step (BatchNormalization in training only)
"config" has Keras's option names; sizes are always lists [rows, columns], and no option is left to a default.
Values are drawn so that the convolutions' outputs have a standard deviation of about 1.
"""
from common import keras, np, save_tensors, tf

rng = np.random.default_rng(3)
tensors, cases = {}, []


def normal(*shape):
    return rng.standard_normal(shape).astype(np.float32)


def draw_weights(layer):
    for w in layer.weights:
        shape = tuple(w.shape)
        if w.name == "kernel":
            fan_in = layer.input_spec.axes[-1] * int(np.prod(shape[:-2])) if len(shape) == 4 else shape[0]
            w.assign(normal(*shape) / np.sqrt(fan_in).astype(np.float32))
        elif w.name in ("gamma", "moving_variance"):
            w.assign(rng.uniform(0.5, 2, shape).astype(np.float32))
        else:
            w.assign(0.5 * normal(*shape))


def add(name, kind, config, x, training=False):
    """Runs keras.layers.<kind>(**config) forward and back on x and records it all."""
    assert name not in {c["name"] for c in cases}, name
    layer = getattr(keras.layers, kind)(**config)
    layer.build(x.shape)
    draw_weights(layer)
    record = {"x": x, **{w.name: w.numpy() for w in layer.weights}}
    x = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = layer(x, training=training)
    dy = normal(*y.shape)
    trainable = layer.trainable_weights
    gradients = tape.gradient(y, [x] + [w.value for w in trainable], output_gradients=tf.constant(dy))
    record |= {"y": y.numpy(), "dy": dy, "dx": gradients[0].numpy()}
    record |= {"d_" + w.name: g.numpy() for w, g in zip(trainable, gradients[1:])}
    if training:
        record |= {"after_" + w.name: w.numpy() for w in layer.non_trainable_weights}
    for key, value in record.items():
        assert np.isfinite(value).all(), (name, key)
        tensors[f"{name}/{key}"] = value
    cases.append({"name": name, "layer": kind, "config": config, "training": training})


def size(pair):
    return f"{pair[0]}x{pair[1]}"


# --- Conv2D and Conv2DTranspose --------------------------------------------------------------------------------
# (kernel, strides, padding, input [n, rows, columns, channels], filters, activation, use_bias)
CONV2D = [
    ((1, 1), (1, 1), "same", (2, 5, 6, 3), 5, "linear", True),
    ((1, 1), (1, 1), "valid", (1, 4, 4, 33), 16, "linear", True),
    ((1, 1), (2, 2), "same", (2, 7, 9, 3), 2, "linear", True),
    ((1, 1), (3, 3), "valid", (1, 7, 9, 2), 3, "linear", True),
    ((2, 2), (1, 1), "same", (2, 5, 6, 2), 3, "linear", True),  # even kernel: the odd column of padding is on the right
    ((2, 2), (1, 1), "valid", (1, 7, 9, 3), 5, "linear", True),
    ((2, 2), (2, 2), "same", (2, 7, 9, 3), 5, "linear", True),
    ((2, 2), (2, 2), "valid", (1, 7, 9, 3), 5, "linear", True),
    ((2, 2), (3, 3), "same", (1, 8, 8, 3), 2, "linear", True),  # kernel smaller than stride
    ((3, 3), (1, 1), "same", (2, 7, 9, 3), 5, "linear", True),
    ((3, 3), (1, 1), "same", (1, 8, 8, 1), 1, "linear", True),
    ((3, 3), (1, 1), "same", (1, 8, 8, 16), 33, "elu", True),
    ((3, 3), (1, 1), "same", (1, 5, 6, 33), 16, "relu", True),
    ((3, 3), (1, 1), "valid", (2, 7, 9, 3), 5, "linear", True),
    ((3, 3), (1, 1), "valid", (1, 3, 3, 2), 5, "linear", True),  # one output position
    ((3, 3), (2, 2), "same", (2, 7, 9, 3), 5, "linear", True),
    ((3, 3), (2, 2), "same", (1, 8, 8, 3), 5, "linear", True),  # even size: padding only below and on the right
    ((3, 3), (2, 2), "same", (1, 5, 6, 16), 16, "elu", False),
    ((3, 3), (2, 2), "valid", (1, 8, 8, 3), 5, "linear", True),  # the last row and column are not read
    ((3, 3), (3, 3), "same", (1, 7, 9, 2), 3, "linear", True),
    ((3, 3), (3, 3), "valid", (1, 8, 8, 2), 3, "linear", True),
    ((3, 3), (2, 1), "same", (2, 7, 9, 3), 2, "linear", True),
    ((3, 3), (2, 1), "valid", (1, 8, 8, 2), 3, "linear", False),
    ((3, 3), (1, 2), "same", (1, 5, 6, 3), 2, "linear", True),
    ((5, 5), (1, 1), "same", (2, 7, 9, 2), 3, "linear", True),
    ((5, 5), (1, 1), "valid", (1, 8, 8, 3), 5, "linear", True),
    ((5, 5), (2, 2), "same", (1, 8, 8, 3), 2, "linear", True),
    ((5, 5), (2, 2), "valid", (1, 7, 9, 1), 3, "linear", True),
    ((5, 5), (3, 3), "same", (1, 7, 9, 3), 2, "linear", True),
    ((5, 5), (1, 1), "same", (2, 2, 3, 3), 2, "linear", True),  # input smaller than kernel
    ((5, 5), (2, 2), "same", (1, 3, 2, 3), 5, "linear", True),
    ((5, 5), (1, 1), "same", (1, 1, 1, 2), 3, "linear", True),
    ((3, 5), (1, 1), "same", (2, 7, 9, 3), 2, "linear", True),
    ((3, 5), (1, 1), "valid", (1, 7, 9, 2), 3, "linear", True),
    ((3, 5), (2, 1), "same", (1, 5, 6, 3), 2, "linear", True),
    ((3, 5), (2, 2), "valid", (1, 8, 8, 2), 3, "linear", True),
    ((3, 5), (1, 1), "same", (1, 2, 3, 2), 3, "linear", False),
] + [((3, 3), (1, 1), "same", (2, 5, 6, 3), 4, a, b)
     for a in ("elu", "relu", "leaky_relu", "sigmoid", "tanh", "softmax", "linear") for b in (True, False)]

CONV2D_TRANSPOSE = [
    ((1, 1), (1, 1), "same", (2, 5, 6, 3), 5, "linear", True),
    ((1, 1), (2, 2), "same", (2, 4, 5, 3), 2, "linear", True),  # kernel < stride: positions that see only the bias
    ((1, 1), (2, 2), "valid", (1, 4, 5, 3), 2, "linear", True),
    ((1, 1), (3, 3), "same", (1, 3, 4, 2), 3, "linear", True),
    ((2, 2), (1, 1), "same", (2, 5, 6, 3), 2, "linear", True),
    ((2, 2), (1, 1), "valid", (1, 5, 6, 3), 2, "linear", True),
    ((2, 2), (2, 2), "same", (2, 4, 5, 3), 5, "linear", True),
    ((2, 2), (2, 2), "valid", (1, 4, 5, 3), 5, "linear", True),
    ((2, 2), (3, 3), "same", (1, 3, 4, 3), 2, "linear", True),
    ((2, 2), (3, 3), "valid", (2, 3, 4, 3), 2, "linear", True),
    ((3, 3), (1, 1), "same", (2, 7, 9, 3), 5, "linear", True),
    ((3, 3), (1, 1), "valid", (1, 5, 6, 3), 5, "linear", True),
    ((3, 3), (2, 2), "same", (2, 4, 4, 3), 5, "linear", True),
    ((3, 3), (2, 2), "same", (1, 5, 3, 1), 2, "linear", True),
    ((3, 3), (2, 2), "same", (1, 4, 4, 33), 16, "elu", True),
    ((3, 3), (2, 2), "same", (1, 4, 4, 16), 33, "elu", False),
    ((3, 3), (2, 2), "same", (1, 1, 1, 2), 3, "linear", True),
    ((3, 3), (2, 2), "valid", (2, 4, 5, 3), 5, "linear", True),
    ((3, 3), (3, 3), "same", (1, 3, 4, 3), 2, "linear", True),
    ((3, 3), (3, 3), "valid", (1, 3, 4, 3), 2, "linear", True),
    ((3, 3), (2, 1), "same", (2, 4, 5, 3), 2, "linear", True),
    ((3, 3), (2, 1), "valid", (1, 4, 5, 2), 3, "linear", True),
    ((4, 4), (1, 1), "same", (1, 5, 6, 2), 3, "linear", True),
    ((4, 4), (1, 1), "valid", (1, 4, 5, 2), 3, "linear", True),
    ((4, 4), (2, 2), "same", (2, 4, 5, 3), 2, "linear", True),
    ((4, 4), (2, 2), "valid", (1, 4, 5, 3), 2, "linear", True),
    ((4, 4), (3, 3), "same", (1, 3, 4, 2), 3, "linear", False),
    ((4, 4), (3, 3), "valid", (1, 3, 4, 2), 3, "linear", True),
    ((5, 5), (1, 1), "same", (1, 5, 6, 3), 2, "linear", True),
    ((5, 5), (1, 1), "same", (1, 2, 3, 3), 2, "linear", True),  # input smaller than kernel
    ((5, 5), (2, 2), "same", (2, 4, 5, 3), 2, "linear", True),
    ((5, 5), (2, 2), "valid", (1, 4, 5, 3), 2, "linear", True),
    ((5, 5), (3, 3), "same", (1, 3, 4, 1), 3, "linear", True),
    ((3, 5), (2, 1), "same", (1, 4, 5, 3), 2, "linear", True),
    ((3, 5), (2, 2), "valid", (1, 4, 5, 3), 2, "linear", False),
] + [((3, 3), (2, 2), "same", (2, 3, 4, 3), 4, a, True)
     for a in ("elu", "relu", "leaky_relu", "sigmoid", "tanh", "softmax")]

for kind, table in (("Conv2D", CONV2D), ("Conv2DTranspose", CONV2D_TRANSPOSE)):
    for kernel, strides, padding, shape, filters, activation, bias in table:
        name = "_".join([kind, "k" + size(kernel), "s" + size(strides), padding, "x".join(map(str, shape)),
                         f"f{filters}", activation] + ([] if bias else ["nobias"]))
        add(name, kind, {"filters": filters, "kernel_size": list(kernel), "strides": list(strides), "padding": padding,
                         "activation": activation, "use_bias": bias}, normal(*shape))

# --- pooling ---------------------------------------------------------------------------------------------------
# "ties": integers of -2..2, so that most windows hold their maximum more than once.
# "negative": every value below -0.5, so that padding counted as zero would show.
INPUTS = {
    "normal": normal,
    "ties": lambda *shape: rng.integers(-2, 3, shape).astype(np.float32),
    "negative": lambda *shape: -0.5 - np.abs(normal(*shape)),
}
POOLING = [  # pool, strides (None: Keras's default, the pool size), padding, input
    ((2, 2), None, "valid", (2, 8, 8, 3)),
    ((2, 2), None, "valid", (2, 7, 9, 3)),  # last row and column dropped
    ((2, 2), None, "same", (2, 7, 9, 3)),
    ((2, 2), (1, 1), "valid", (1, 5, 6, 2)),
    ((2, 2), (1, 1), "same", (1, 5, 6, 2)),
    ((2, 2), (3, 3), "valid", (1, 8, 8, 2)),  # gaps between windows
    ((2, 2), (3, 3), "same", (1, 7, 9, 2)),
    ((3, 3), None, "valid", (1, 7, 9, 5)),
    ((3, 3), None, "same", (1, 7, 8, 5)),
    ((3, 3), (1, 1), "same", (2, 5, 6, 3)),
    ((3, 3), (2, 2), "valid", (2, 7, 9, 3)),
    ((3, 3), (2, 2), "same", (2, 8, 8, 3)),  # padding only below and on the right
    ((3, 3), (2, 2), "same", (1, 2, 1, 2)),  # input smaller than pool
    ((2, 3), None, "valid", (1, 7, 9, 2)),
    ((2, 3), None, "same", (1, 7, 8, 2)),
    ((2, 3), (1, 2), "same", (1, 5, 6, 33)),
    ((2, 3), (2, 1), "valid", (1, 5, 6, 16)),
]
for kind in ("MaxPooling2D", "AveragePooling2D"):
    for pool, strides, padding, shape in POOLING:
        for values, draw in INPUTS.items():
            if kind == "AveragePooling2D" and values == "ties" or values == "negative" and padding == "valid":
                continue
            name = "_".join([kind, "p" + size(pool), "s" + (size(strides) if strides else "default"), padding,
                             "x".join(map(str, shape)), values])
            config = {"pool_size": list(pool), "strides": strides and list(strides), "padding": padding}
            add(name, kind, config, draw(*shape))
for shape in ((2, 5, 6, 3), (3, 1, 1, 5), (1, 7, 9, 33)):
    add("GlobalAveragePooling2D_" + "x".join(map(str, shape)), "GlobalAveragePooling2D", {}, normal(*shape))

# --- Dense, Flatten, Reshape -----------------------------------------------------------------------------------
for activation in ("linear", "elu", "relu", "leaky_relu", "sigmoid", "tanh", "softmax"):
    add(f"Dense_4x7_u5_{activation}", "Dense", {"units": 5, "activation": activation, "use_bias": True}, normal(4, 7))
add("Dense_4x7_u5_linear_nobias", "Dense", {"units": 5, "activation": "linear", "use_bias": False}, normal(4, 7))
add("Dense_1x1_u1_linear", "Dense", {"units": 1, "activation": "linear", "use_bias": True}, normal(1, 1))
add("Dense_3x65_u33_elu", "Dense", {"units": 33, "activation": "elu", "use_bias": True}, normal(3, 65))
add("Dense_2x3x7_u5_linear", "Dense", {"units": 5, "activation": "linear", "use_bias": True}, normal(2, 3, 7))
add("Dense_2x3x7_u5_softmax", "Dense", {"units": 5, "activation": "softmax", "use_bias": True}, normal(2, 3, 7))
add("Dense_2x3x4x7_u5_elu", "Dense", {"units": 5, "activation": "elu", "use_bias": True}, normal(2, 3, 4, 7))
add("Flatten_2x3x4x5", "Flatten", {}, normal(2, 3, 4, 5))
add("Flatten_3x4", "Flatten", {}, normal(3, 4))
add("Reshape_2x24", "Reshape", {"target_shape": [2, 3, 4]}, normal(2, 24))
add("Reshape_2x3x4x2", "Reshape", {"target_shape": [6, -1]}, normal(2, 3, 4, 2))

# --- BatchNormalization ----------------------------------------------------------------------------------------
NORM = {"momentum": 0.99, "epsilon": 1e-3, "center": True, "scale": True}
for mode, training in (("training", True), ("inference", False)):
    for shape in ((8, 5), (2, 3, 4, 5), (3, 5, 5, 1)):
        x = 3 * normal(*shape) + np.linspace(-4, 4, shape[-1], dtype=np.float32)
        add(f"BatchNormalization_{mode}_" + "x".join(map(str, shape)), "BatchNormalization", NORM, x, training)
    other = {"momentum": 0.9, "epsilon": 1e-5, "center": True, "scale": True}
    add(f"BatchNormalization_{mode}_2x3x4x5_m0.9_e1e-5", "BatchNormalization", other, normal(2, 3, 4, 5), training)
    x = np.zeros((4, 3), np.float32) + np.float32([-1, 0, 2])
    add(f"BatchNormalization_{mode}_constant", "BatchNormalization", NORM, x, training)  # variance 0
add("BatchNormalization_training_1x5", "BatchNormalization", NORM, normal(1, 5), True)  # a batch of one

# --- activations where they are delicate -----------------------------------------------------------------------
edge = [0, 1e-6, -1e-6, 1e-3, -1e-3, 0.5, -0.5, 1, -1, 5, -5, 17, -17, 20, -20, 88, -88, 89, -89, 104, -104, 1e4, -1e4,
        1e-30, -1e-30, 3, -3, 9, -9, 10]
edge = np.float32(edge).reshape(5, 6)
for activation in ("linear", "elu", "relu", "leaky_relu", "sigmoid", "tanh"):
    add(f"Activation_{activation}_edge", "Activation", {"activation": activation}, edge)
    add(f"Activation_{activation}_normal", "Activation", {"activation": activation}, 2 * normal(3, 50))
add("ReLU_edge", "ReLU", {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}, edge)
add("LeakyReLU_0.3_edge", "LeakyReLU", {"negative_slope": 0.3}, edge)  # the layer's default; the activation's is 0.2
add("LeakyReLU_0.1_normal", "LeakyReLU", {"negative_slope": 0.1}, normal(2, 3, 4, 5))
add("ELU_1_edge", "ELU", {"alpha": 1.0}, edge)
add("ELU_0.5_edge", "ELU", {"alpha": 0.5}, edge)
rows = [[0, 0, 0, 0], [1e-6, -1e-6, 0, 1], [88, -88, 0, 1e-6], [88, 88, 88, 88], [-88, -88, -88, -89],
        [1e4, -1e4, 0, 1e4], [100, 99, 98, -100], [1, 2, 3, 4]]
for kind, config in (("Softmax", {"axis": -1}), ("Activation", {"activation": "softmax"})):
    add(f"{kind}_softmax_edge", kind, config, np.float32(rows))
    add(f"{kind}_softmax_2x3x4x5", kind, config, 3 * normal(2, 3, 4, 5))
add("Softmax_softmax_1000", "Softmax", {"axis": -1}, 3 * normal(2, 1000))

# --- GlobalMaxPooling2D: drawn last, so that what is above keeps its values ------------------------------------
for shape in ((2, 5, 6, 3), (3, 1, 1, 5), (1, 17, 19, 33)):
    add("GlobalMaxPooling2D_" + "x".join(map(str, shape)), "GlobalMaxPooling2D", {}, normal(*shape))
add("GlobalMaxPooling2D_ties", "GlobalMaxPooling2D", {}, np.maximum(np.round(normal(2, 4, 5, 7)), 0))

notes = {
    "GlobalMaxPooling2D": "equal values share the gradient, unlike in MaxPooling2D.",
    "MaxPooling2D": "of equal values in a window, the first one in row-major order gets the whole gradient; padding "
                    "never wins. dx sums over overlapping windows.",
    "AveragePooling2D": "'same' divides by the number of values that lie inside the input, not by the pool's size.",
    "padding": "'same': out = ceil(in / stride), total = max((out - 1) * stride + kernel - in, 0), "
               "total // 2 of it before, the rest after.",
    "Conv2DTranspose": "kernel is [rows, columns, filters, channels]. 'same': out = in * stride. "
                       "'valid': out = in * stride + max(kernel - stride, 0). It is the adjoint of the Conv2D with the "
                       "same kernel, strides and padding from [out] to [in].",
    "leaky_relu": "negative slope: 0.2 as an activation, 0.3 as the default of layer LeakyReLU.",
    "BatchNormalization": "biased variance, both for normalising and in the moving average.",
}
save_tensors("layers.safetensors", tensors, cases=cases, notes=notes)
