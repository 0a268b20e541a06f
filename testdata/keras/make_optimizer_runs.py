"""Makes optimizer_runs.safetensors: parameters along 600 steps of Keras's optimizers.

Run: python make_optimizer_runs.py (half a minute; the same bytes on every run on one kind of machine).

12 steps (make_optimizers.py) show what an optimizer does, but not how it adds up: Keras raises the betas in float32,
whose 0.999 is too large by 1.3e-5 of what 1 - 0.999 is, so that Adam's first steps are shorter by half of that share.

  start [8]           the parameter's values before the first step: some 0, where no digit of a step is lost
  gradient [600, 8]   the gradients of every step: the first two values are always 1 and -1e-3, the others are drawn
  CASE [600/20, 8]    the parameter after every 20th step
The metadata's "optimizers" are as in optimizers.safetensors.
"""
from common import keras, np, save_tensors

STEPS, EVERY = 600, 20
rng = np.random.default_rng(6)
start = np.float32([0, 0, 0, 1, -0.1, 0.01, 3, -20])
gradient = rng.standard_normal((STEPS, start.size)).astype(np.float32)
gradient *= np.float32(10) ** rng.integers(-4, 2, start.size).astype(np.float32)
gradient[:, 0], gradient[:, 1] = 1, -1e-3

ADAMAX = {"learning_rate": 0.001, "beta_1": 0.9, "beta_2": 0.999, "epsilon": 1e-7}
ADAM = {**ADAMAX, "amsgrad": False}
OPTIMIZERS = [
    ("adam", "Adam", ADAM),
    ("adam_other", "Adam", {**ADAM, "learning_rate": 0.01, "beta_1": 0.95, "beta_2": 0.9999}),
    ("adamw", "AdamW", {**ADAM, "weight_decay": 0.004}),
    ("adamax", "Adamax", ADAMAX),
    ("adamax_other", "Adamax", {**ADAMAX, "learning_rate": 0.01, "beta_1": 0.8, "beta_2": 0.99}),
    ("sgd_nesterov", "SGD", {"learning_rate": 0.01, "momentum": 0.9, "nesterov": True}),
]

tensors = {"start": start, "gradient": gradient}
for name, kind, config in OPTIMIZERS:
    optimizer = getattr(keras.optimizers, kind)(**config)
    variable = keras.Variable(start, name="w")
    path = []
    for step in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(gradient[step])], [variable])
        if (step + 1) % EVERY == 0:
            path.append(variable.numpy().copy())
    tensors[name] = np.stack(path)
save_tensors("optimizer_runs.safetensors", tensors, every=EVERY,
             optimizers=[{"name": n, "class": k, "config": c} for n, k, c in OPTIMIZERS])
