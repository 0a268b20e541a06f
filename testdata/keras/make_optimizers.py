"""Makes optimizers.safetensors: parameters along 12 steps of Keras's optimizers, and learning-rate schedules.

Run: python make_optimizers.py (a few seconds; the same bytes on every run on one kind of machine).

  a, b               the parameters' values before the first step, shapes [3, 4] and [5]
  gradient_a [12, 3, 4], gradient_b [12, 5]
                     the gradients of every step: ordinary ones, zeros (steps 0 and 4 partly, step 5 wholly), huge
                     (1e6 at step 7), tiny (1e-12 at step 8)
  CASE/a [12, 3, 4], CASE/b [12, 5]
                     the parameters after every step
  CASE/learning_rate [steps]
                     schedules: the learning rate of step 0, 1, 2, …
The metadata's "optimizers" and "schedules" are JSON lists of {"name", "class", "config"} with Keras's option names.
A case whose config has "schedule" uses the schedule of that name as its learning rate.
"""
from common import keras, np, save_tensors

STEPS = 12
rng = np.random.default_rng(5)
start = {"a": rng.standard_normal((3, 4)).astype(np.float32), "b": rng.standard_normal(5).astype(np.float32)}
gradients = {k: rng.standard_normal((STEPS, *v.shape)).astype(np.float32) for k, v in start.items()}
gradients["a"][0, 0] = 0  # a row without gradient at the very first step: Adamax then divides 0 by epsilon
gradients["b"][4] = 0
for g in gradients.values():
    g[3] *= 0.01
    g[5] = 0
    g[7] *= 1e6
    g[8] *= 1e-12

SCHEDULES = [
    ("constant", None, 0.01),
    ("cosine", "CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 10, "alpha": 0.0}),
    ("cosine_alpha", "CosineDecay", {"initial_learning_rate": 0.1, "decay_steps": 15, "alpha": 0.1}),
    ("cosine_warmup", "CosineDecay", {"initial_learning_rate": 0.0, "decay_steps": 10, "alpha": 0.0,
                                      "warmup_target": 0.1, "warmup_steps": 4}),
    ("cosine_warmup_from", "CosineDecay", {"initial_learning_rate": 0.02, "decay_steps": 8, "alpha": 0.05,
                                           "warmup_target": 0.2, "warmup_steps": 5}),
    ("exponential", "ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5,
                                         "staircase": False}),
    ("exponential_staircase", "ExponentialDecay", {"initial_learning_rate": 0.1, "decay_steps": 4, "decay_rate": 0.5,
                                                   "staircase": True}),
    ("piecewise", "PiecewiseConstantDecay", {"boundaries": [3, 7], "values": [0.1, 0.05, 0.01]}),
]
ADAMAX = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
ADAM = {**ADAMAX, "amsgrad": False}
SGD = {"learning_rate": 0.01, "momentum": 0.0, "nesterov": False}
MOMENTUM, NESTEROV = {**SGD, "momentum": 0.9}, {**SGD, "momentum": 0.9, "nesterov": True}
OPTIMIZERS = [
    ("adamax", "Adamax", ADAMAX),
    ("adamax_other", "Adamax", {**ADAMAX, "learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99}),
    ("adamax_clipnorm", "Adamax", {**ADAMAX, "clipnorm": 1.0}),
    ("adamax_global_clipnorm", "Adamax", {**ADAMAX, "global_clipnorm": 1.0}),
    ("adamax_cosine_warmup", "Adamax", {**ADAMAX, "schedule": "cosine_warmup"}),
    ("sgd", "SGD", SGD),
    ("sgd_momentum", "SGD", MOMENTUM),
    ("sgd_nesterov", "SGD", NESTEROV),
    ("sgd_clipnorm", "SGD", {**SGD, "clipnorm": 0.5}),
    ("sgd_global_clipnorm", "SGD", {**SGD, "global_clipnorm": 0.5}),
    ("sgd_global_clipnorm_loose", "SGD", {**SGD, "global_clipnorm": 100.0}),  # clips step 7 only
    ("sgd_momentum_global_clipnorm", "SGD", {**MOMENTUM, "global_clipnorm": 1.0}),
    ("sgd_nesterov_piecewise", "SGD", {**NESTEROV, "schedule": "piecewise"}),
    ("sgd_exponential_staircase", "SGD", {**SGD, "schedule": "exponential_staircase"}),
    ("adam", "Adam", ADAM),
    ("adam_clipnorm", "Adam", {**ADAM, "clipnorm": 1.0}),
    ("adam_global_clipnorm", "Adam", {**ADAM, "global_clipnorm": 1.0}),
    ("adam_cosine", "Adam", {**ADAM, "schedule": "cosine"}),
    ("adamw", "AdamW", {**ADAM, "weight_decay": 0.004}),
    ("adamw_other", "AdamW", {**ADAM, "learning_rate": 0.1, "weight_decay": 0.1}),
    ("adamw_global_clipnorm", "AdamW", {**ADAM, "weight_decay": 0.004, "global_clipnorm": 1.0}),
]


def schedule(name):
    kind, config = next((k, c) for n, k, c in SCHEDULES if n == name)
    return getattr(keras.optimizers.schedules, kind)(**config) if kind else config


tensors = {**start, **{"gradient_" + k: g for k, g in gradients.items()}}
for name, kind, config in SCHEDULES:
    rate = schedule(name)
    tensors[f"{name}/learning_rate"] = np.float32([rate(step) if kind else rate for step in range(2 * STEPS)])
for name, kind, config in OPTIMIZERS:
    options = dict(config)
    if "schedule" in options:
        options["learning_rate"] = schedule(options.pop("schedule"))
    optimizer = getattr(keras.optimizers, kind)(**options)
    variables = {k: keras.Variable(v, name=k) for k, v in start.items()}
    path = {k: [] for k in start}
    for step in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(gradients[k][step]) for k in start], list(variables.values()))
        for k, v in variables.items():
            path[k].append(v.numpy().copy())
    for k in start:
        tensors[f"{name}/{k}"] = np.stack(path[k])
assert all(np.isfinite(t).all() for t in tensors.values())


def listing(table):
    return [{"name": n, "class": k or "constant", "config": c} for n, k, c in table]


save_tensors("optimizers.safetensors", tensors, optimizers=listing(OPTIMIZERS), schedules=listing(SCHEDULES))
