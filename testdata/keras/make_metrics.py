"""Makes metrics.safetensors: metrics as Keras has them in fit and evaluate, and training with frozen layers.

Run: python make_metrics.py (some seconds; the same bytes on every run on one kind of machine).

"cases" in the metadata is a JSON list of {"name", "values"}: what each metric, by its name, makes of
  NAME/prediction, NAME/target
in batches of "batch" samples, the last of which is smaller.

"runs" is a JSON list of {"name", "units", "activation", "loss", "epochs", "batch", "rate", "frozen", "history",
"evaluate"}: a network (dense 8 tanh, batch normalisation, dense 6 tanh, dense "units" with "activation"), its samples
not shuffled, is trained by SGD and validated on other samples:
  NAME/x, NAME/y, NAME/val_x, NAME/val_y
  NAME/before/K, NAME/after/K   the K-th parameter, in the order of layers
"frozen" lists the layers whose trainable is False.
"""
from common import keras, np, save_tensors

rng = np.random.default_rng(11)
tensors, cases, runs = {}, [], []
BATCH = 7


def record(name, value):
    tensors[name] = np.ascontiguousarray(value, np.float32)


def add(name, metrics, prediction, target):
    prediction, target = np.asarray(prediction, np.float32), np.asarray(target, np.float32)
    # Through a model, since that is what picks the metric that "accuracy" means.
    model = keras.Sequential([keras.Input(prediction.shape[1:]), keras.layers.Activation("linear")])
    model.compile(loss=lambda t, p: 0 * keras.ops.sum(p), metrics=[make() for make in metrics])
    found = model.evaluate(prediction, target, batch_size=BATCH, verbose=0, return_dict=True)
    record(f"{name}/prediction", prediction)
    record(f"{name}/target", target)
    cases.append({"name": name, "values": {k: v for k, v in found.items() if k != "loss"}})


def accuracy():
    return "accuracy"


def top(k, sparse=False):
    kind = keras.metrics.SparseTopKCategoricalAccuracy if sparse else keras.metrics.TopKCategoricalAccuracy
    return lambda: kind(k, name=f"top_{k}_categorical_accuracy")


def mae():
    return keras.metrics.MeanAbsoluteError()


n = 23
classes = rng.integers(0, 6, n)
scores = rng.standard_normal((n, 6)).round(1)  # with ties
scores[3] = 0.25  # all alike
one_hot = np.eye(6)[classes]
add("categorical", [accuracy, top(1), top(2), top(3), top(5), top(6), top(9), mae], scores, one_hot)
add("soft", [accuracy, top(2), mae], scores, rng.uniform(0, 1, (n, 6)))
add("sparse", [accuracy, top(2, True), top(5, True)], scores, classes)
add("sparse_column", [accuracy], scores, classes[:, None])
add("binary", [accuracy, mae], rng.uniform(0, 1, (n, 1)).round(1), rng.integers(0, 2, (n, 1)))
add("binary_flat", [accuracy], rng.uniform(0, 1, (n, 1)).round(1), rng.integers(0, 2, n))
add("binary_many", [accuracy], rng.uniform(0, 1, (n, 3, 1)).round(1), rng.integers(0, 2, (n, 3, 1)))
add("pictures", [accuracy, top(2), mae], rng.standard_normal((n, 2, 3, 4)), np.eye(4)[rng.integers(0, 4, (n, 2, 3))])
add("pictures_sparse", [accuracy], rng.standard_normal((n, 2, 3, 4)), rng.integers(0, 4, (n, 2, 3)))
add("numbers", [mae], rng.standard_normal((n, 5)), rng.standard_normal((n, 5)))


def run(name, units, activation, loss, metrics, target, frozen=(), epochs=4, batch=8, rate=0.2):
    keras.utils.set_random_seed(5)
    layers = [keras.layers.Dense(8, activation="tanh"), keras.layers.BatchNormalization(momentum=0.9),
              keras.layers.Dense(6, activation="tanh"), keras.layers.Dense(units, activation=activation)]
    model = keras.Sequential([keras.Input((4,)), *layers])
    for w in layers[1].weights:  # so that moving averages and moments differ
        w.assign(rng.uniform(0.5, 1.5, w.shape))
    for i in frozen:
        layers[i].trainable = False
    model.compile(optimizer=keras.optimizers.SGD(rate), loss=loss, metrics=[make() for make in metrics])
    x = rng.standard_normal((45, 4)).astype(np.float32)
    y = target(x).astype(np.float32)
    parts = {"x": x[:31], "y": y[:31], "val_x": x[31:], "val_y": y[31:]}
    for key, value in parts.items():
        record(f"{name}/{key}", value)

    def note(when):
        for k, w in enumerate(w for layer in layers for w in layer.weights):
            record(f"{name}/{when}/{k}", w.numpy())

    note("before")
    history = model.fit(parts["x"], parts["y"], batch_size=batch, epochs=epochs, shuffle=False, verbose=0,
                        validation_data=(parts["val_x"], parts["val_y"])).history
    note("after")
    runs.append({"name": name, "units": units, "activation": activation, "loss": loss, "epochs": epochs, "batch": batch,
                 "rate": rate, "frozen": list(frozen), "history": history,
                 "evaluate": model.evaluate(parts["val_x"], parts["val_y"], batch_size=5, verbose=0, return_dict=True)})


def three(x):
    return np.eye(3)[(x[:, :3]).argmax(-1)]


run("classes", 3, "softmax", "categorical_crossentropy", [accuracy, top(2), mae], three)
run("two", 1, "sigmoid", "binary_crossentropy", [accuracy, mae], lambda x: (x[:, :1] * x[:, 1:2] > 0))
run("numbers", 2, "linear", "mean_squared_error", [mae], lambda x: x[:, :2] + x[:, 2:])
run("frozen_front", 3, "softmax", "categorical_crossentropy", [accuracy], three, frozen=[0, 1])
run("frozen_norm", 3, "softmax", "categorical_crossentropy", [accuracy], three, frozen=[1])
run("frozen_middle", 3, "softmax", "categorical_crossentropy", [accuracy], three, frozen=[1, 2])
run("frozen_head", 3, "softmax", "categorical_crossentropy", [accuracy], three, frozen=[3])

save_tensors("metrics.safetensors", tensors, batch=BATCH, cases=cases, runs=runs)
