"""Makes losses.safetensors: values and gradients of Keras's losses.

Run: python make_losses.py (a few seconds; the same bytes on every run on one kind of machine).

For every case in the metadata's "cases", a JSON list of {"name", "loss", "config", "through"}:
  NAME/target   what should come out
  NAME/x        the prediction (or, if "through" is not "linear", what goes into that activation, whose output is
                the prediction)
  NAME/loss     the value, shape []
  NAME/dx       its gradient with respect to x
"config" has Keras's option names. All with Keras's default reduction: the mean over everything (categorical
cross-entropy: the sum over the last axis, the mean over the others).
"""
from common import keras, np, save_tensors, tf

rng = np.random.default_rng(7)
tensors, cases = {}, []


def add(name, loss, target, x, through="linear", **config):
    x, target = np.asarray(x, np.float32), np.asarray(target, np.float32)
    variable = tf.constant(x)
    with tf.GradientTape() as tape:
        tape.watch(variable)
        value = getattr(keras.losses, loss)(**config)(target, keras.activations.get(through)(variable))
    gradient = tape.gradient(value, variable)
    record = {"target": target, "x": x, "loss": value.numpy(), "dx": gradient.numpy()}
    for key, tensor in record.items():
        assert np.isfinite(tensor).all(), (name, key)
        tensors[f"{name}/{key}"] = tensor
    cases.append({"name": name, "loss": loss, "config": config, "through": through})


def normal(shape):
    return rng.standard_normal(shape)


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return e / e.sum(-1, keepdims=True)


def one_hot(shape):
    return np.eye(shape[-1])[rng.integers(0, shape[-1], shape[:-1])]


for shape in ((4, 7), (2, 3, 5, 4), (1, 1)):
    label = "x".join(map(str, shape))
    for loss in ("MeanSquaredError", "MeanAbsoluteError"):
        target = normal(shape)
        x = normal(shape)
        x.flat[0] = target.flat[0] = 0.25  # no difference: a gradient of 0
        add(f"{loss}_{label}", loss, target, x)
    for hard in (True, False):
        kind = "hard" if hard else "soft"
        target = rng.integers(0, 2, shape) if hard else rng.uniform(0, 1, shape)
        add(f"BinaryCrossentropy_{label}_{kind}", "BinaryCrossentropy", target, rng.uniform(0.02, 0.98, shape),
            from_logits=False)
        add(f"BinaryCrossentropy_{label}_{kind}_logits", "BinaryCrossentropy", target, 3 * normal(shape),
            from_logits=True)
        add(f"BinaryCrossentropy_{label}_{kind}_sigmoid", "BinaryCrossentropy", target, 3 * normal(shape), "sigmoid",
            from_logits=False)
        if shape[-1] == 1:
            continue
        target = one_hot(shape) if hard else softmax(normal(shape))
        add(f"CategoricalCrossentropy_{label}_{kind}", "CategoricalCrossentropy", target, softmax(2 * normal(shape)),
            from_logits=False)
        add(f"CategoricalCrossentropy_{label}_{kind}_unnormalised", "CategoricalCrossentropy", target,
            rng.uniform(0.1, 2, shape), from_logits=False)  # Keras divides by the sum first
        add(f"CategoricalCrossentropy_{label}_{kind}_logits", "CategoricalCrossentropy", target, 3 * normal(shape),
            from_logits=True)
        add(f"CategoricalCrossentropy_{label}_{kind}_softmax", "CategoricalCrossentropy", target, 3 * normal(shape),
            "softmax", from_logits=False)

# Predictions of exactly 0 and 1, on the clip's edges and beyond them, against every kind of target.
edge = [0, 1, 1e-8, 1 - 6e-8, 1e-7, 1 - 1e-7, 2e-7, 1e-3, 0.5, -0.1, 1.1]
targets = [0, 1, 0.25]
add("BinaryCrossentropy_edge", "BinaryCrossentropy", np.repeat(targets, len(edge)).reshape(3, -1),
    np.tile(edge, (3, 1)), from_logits=False)
logits = [0, 1e-6, -1e-6, 20, -20, 88, -88, 200, -200]
for name, through in (("logits", "linear"), ("sigmoid", "sigmoid")):
    add(f"BinaryCrossentropy_edge_{name}", "BinaryCrossentropy", np.repeat(targets, len(logits)).reshape(3, -1),
        np.tile(logits, (3, 1)), through, from_logits=through == "linear")
rows = [[1, 0, 0], [0, 1, 0], [0, 0, 1], [0.5, 0.5, 0], [1e-8, 1, 0], [1e-3, 0.499, 0.5], [0.2, 0.3, 0.5]]
for name, target in (("first", [1, 0, 0]), ("second", [0, 1, 0]), ("soft", [0.5, 0.25, 0.25])):
    add(f"CategoricalCrossentropy_edge_{name}", "CategoricalCrossentropy", np.tile(target, (len(rows), 1)), rows,
        from_logits=False)
rows = [[0, 0, 0], [88, 0, -88], [-88, 0, 88], [200, 200, 0], [-200, -200, -200], [1e-6, 0, -1e-6]]
for name, through in (("logits", "linear"), ("softmax", "softmax")):
    add(f"CategoricalCrossentropy_edge_{name}", "CategoricalCrossentropy", np.tile([1, 0, 0], (len(rows), 1)), rows,
        through, from_logits=through == "linear")

notes = {
    "clip": "probabilities are clipped to [1e-7, 1 - 1e-7] in float32 (the upper bound is 0.99999988); the gradient is 0 "
            "outside of these bounds and passes on them.",
    "CategoricalCrossentropy": "probabilities are divided by their sum before they are clipped.",
    "through": "Keras takes the logits where a prediction comes straight out of sigmoid or softmax, in training as well: "
               "such cases are not clipped.",
}
save_tensors("losses.safetensors", tensors, cases=cases, notes=notes)
