"""Checks the fixtures against definitions written out in numpy, in float64 and without Keras.

Run: python check.py (half a minute; needs numpy and safetensors only). Ends with the greatest error of each kind of
layer, relative to the greatest magnitude of the tensor, and fails if one is more than float32 explains.
"""
import json
from pathlib import Path

import numpy as np
from safetensors import safe_open

HERE = Path(__file__).parent
worst = {}


def load(name):
    with safe_open(HERE / name, "numpy") as f:
        return {k: f.get_tensor(k) for k in f.keys()}, {k: json.loads(v) for k, v in f.metadata().items()}


def compare(kind, name, got, want, tolerance=1e-5, terms=0):
    """terms: the magnitude of what was added up to get there, where it is greater than the result."""
    got, want = np.asarray(got, np.float64), np.asarray(want, np.float64)
    assert got.shape == want.shape, (name, got.shape, want.shape)
    error = np.abs(got - want).max() / max(np.abs(want).max(), terms, 1e-30)
    worst[kind] = max(worst.get(kind, 0), error)
    assert error <= tolerance, (name, error)


# --- definitions -----------------------------------------------------------------------------------------------
def extent(size, kernel, stride, padding):
    """Output size and leading padding of one axis."""
    if padding == "valid":
        return (size - kernel) // stride + 1, 0
    out = -(-size // stride)
    return out, max((out - 1) * stride + kernel - size, 0) // 2


def windows(shape, kernel, strides, padding):
    """Yields every output position with the input positions that it sees: (r, c, [(i, j, y, x), …])."""
    rows, top = extent(shape[1], kernel[0], strides[0], padding)
    columns, left = extent(shape[2], kernel[1], strides[1], padding)
    for r in range(rows):
        for c in range(columns):
            seen = [(i, j, r * strides[0] - top + i, c * strides[1] - left + j)
                    for i in range(kernel[0]) for j in range(kernel[1])]
            yield r, c, [p for p in seen if 0 <= p[2] < shape[1] and 0 <= p[3] < shape[2]]


def out_shape(shape, kernel, strides, padding):
    return [extent(shape[a + 1], kernel[a], strides[a], padding)[0] for a in (0, 1)]


def convolve(x, w, dy, strides, padding):
    """Returns y = conv(x, w) and, for dy, the adjoints (dx, dw). With dy None: y only."""
    kernel = w.shape[:2]
    y = np.zeros((x.shape[0], *out_shape(x.shape, kernel, strides, padding), w.shape[3]))
    dx, dw = np.zeros(x.shape), np.zeros(w.shape)
    for r, c, seen in windows(x.shape, kernel, strides, padding):
        for i, j, v, u in seen:
            y[:, r, c] += x[:, v, u] @ w[i, j]
            if dy is not None:
                dx[:, v, u] += dy[:, r, c] @ w[i, j].T
                dw[i, j] += x[:, v, u].T @ dy[:, r, c]
    return y, dx, dw


def activate(name, z, dy, slope=0.2, alpha=1.0):
    """Returns the activation and the gradient with respect to z."""
    with np.errstate(over="ignore"):
        if name == "linear":
            return z, dy
        if name == "relu":
            return np.maximum(z, 0), dy * (z > 0)
        if name == "leaky_relu":
            return np.where(z > 0, z, slope * z), dy * np.where(z > 0, 1, slope)
        if name == "elu":
            return np.where(z > 0, z, alpha * np.expm1(z)), dy * np.where(z > 0, 1, alpha * np.exp(z))
        if name == "sigmoid":
            y = 1 / (1 + np.exp(-z))
            return y, dy * y * (1 - y)
        if name == "tanh":
            y = np.tanh(z)
            return y, dy * (1 - y * y)
        if name == "softmax":
            e = np.exp(z - z.max(-1, keepdims=True))
            y = e / e.sum(-1, keepdims=True)
            return y, y * (dy - (dy * y).sum(-1, keepdims=True))
    raise ValueError(name)


def layer(kind, config, t):
    """Returns {"y", "dx", "d_kernel", …} from the case's tensors."""
    x, dy = t["x"], t["dy"]
    activation = config.get("activation", "linear")
    if kind == "Conv2D":
        z = convolve(x, t["kernel"], None, config["strides"], config["padding"])[0] + t.get("bias", 0)
        y, dz = activate(activation, z, dy)
        _, dx, dw = convolve(x, t["kernel"], dz, config["strides"], config["padding"])
        return {"y": y, "dx": dx, "d_kernel": dw, "d_bias": dz.sum((0, 1, 2))}
    if kind == "Conv2DTranspose":  # by its definition: the adjoint of the convolution from [out] to [in]
        kernel, strides, padding = t["kernel"].shape[:2], config["strides"], config["padding"]
        side = [x.shape[a + 1] * strides[a] + (max(kernel[a] - strides[a], 0) if padding == "valid" else 0)
                for a in (0, 1)]
        zero = np.zeros((x.shape[0], *side, t["kernel"].shape[2]))
        assert out_shape(zero.shape, kernel, strides, padding) == list(x.shape[1:3])
        z = convolve(zero, t["kernel"], x, strides, padding)[1] + t.get("bias", 0)
        y, dz = activate(activation, z, dy)
        dx, _, dw = convolve(dz, t["kernel"], x, strides, padding)
        return {"y": y, "dx": dx, "d_kernel": dw, "d_bias": dz.sum((0, 1, 2))}
    if kind in ("MaxPooling2D", "AveragePooling2D"):
        pool = config["pool_size"]
        strides = config["strides"] or pool
        y = np.zeros((x.shape[0], *out_shape(x.shape, pool, strides, config["padding"]), x.shape[3]))
        dx = np.zeros(x.shape)
        n, k = np.ogrid[:x.shape[0], :x.shape[3]]
        for r, c, seen in windows(x.shape, pool, strides, config["padding"]):
            v, u = np.array([p[2] for p in seen]), np.array([p[3] for p in seen])
            values = x[:, v, u]
            if kind == "MaxPooling2D":
                first = values.argmax(1)  # of equal values numpy takes the first, in row-major order
                y[:, r, c] = values.max(1)
                np.add.at(dx, (n, v[first], u[first], k), dy[:, r, c])
            else:
                y[:, r, c] = values.mean(1)
                np.add.at(dx, (n[..., None], v, u, k[..., None]), dy[:, r, c][..., None] / len(seen))
        return {"y": y, "dx": dx}
    if kind == "GlobalAveragePooling2D":
        return {"y": x.mean((1, 2)), "dx": np.broadcast_to(dy[:, None, None] / np.prod(x.shape[1:3]), x.shape)}
    if kind == "GlobalMaxPooling2D":
        top = x == x.max((1, 2), keepdims=True)
        return {"y": x.max((1, 2)), "dx": top * (dy / top.sum((1, 2)))[:, None, None]}
    if kind == "Dense":
        y, dz = activate(activation, x @ t["kernel"] + t.get("bias", 0), dy)
        rows = dz.reshape(-1, dz.shape[-1])
        return {"y": y, "dx": dz @ t["kernel"].T, "d_kernel": x.reshape(-1, x.shape[-1]).T @ rows, "d_bias": rows.sum(0)}
    if kind in ("Flatten", "Reshape"):
        return {"y": x.reshape(dy.shape), "dx": dy.reshape(x.shape)}
    if kind == "BatchNormalization":
        axes = tuple(range(x.ndim - 1))
        training = "after_moving_mean" in t
        mean, variance = (x.mean(axes), x.var(axes)) if training else (t["moving_mean"], t["moving_variance"])
        scale = 1 / np.sqrt(variance + config["epsilon"])
        normed = (x - mean) * scale
        dn = dy * t["gamma"]
        dx = (dn - dn.mean(axes) - normed * (dn * normed).mean(axes)) * scale if training else dn * scale
        out = {"y": normed * t["gamma"] + t["beta"], "dx": dx, "d_gamma": (dy * normed).sum(axes), "d_beta": dy.sum(axes)}
        if training:
            m = config["momentum"]
            out["after_moving_mean"] = m * t["moving_mean"] + (1 - m) * mean
            out["after_moving_variance"] = m * t["moving_variance"] + (1 - m) * variance
        return out
    name = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}.get(kind, activation)
    y, dx = activate(name, x, dy, config.get("negative_slope", 0.2), config.get("alpha", 1.0))
    return {"y": y, "dx": dx}


# --- layers ----------------------------------------------------------------------------------------------------
tensors, meta = load("layers.safetensors")
used = set()
for case in meta["cases"]:
    prefix = case["name"] + "/"
    t = {k[len(prefix):]: v.astype(np.float64) for k, v in tensors.items() if k.startswith(prefix)}
    used |= {prefix + k for k in t}
    want = layer(case["layer"], case["config"], t)
    terms = 0
    if case["layer"] == "BatchNormalization":  # Keras computes x * scale + (beta - mean * scale), which may cancel
        variance = t["moving_variance"] if not case["training"] else t["x"].var(tuple(range(t["x"].ndim - 1)))
        terms = np.abs(t["x"]).max() * np.abs(t["dy"]).max() / np.sqrt(variance.min() + case["config"]["epsilon"])
    for key in t:
        if key in want:
            compare(case["layer"], prefix + key, t[key], want[key], terms=terms)
        else:
            assert key in ("x", "dy", "kernel", "bias", "gamma", "beta", "moving_mean", "moving_variance"), prefix + key
assert used == set(tensors)

# --- losses ----------------------------------------------------------------------------------------------------
LOW, HIGH = np.float64(np.float32(1e-7)), np.float64(np.float32(1 - 1e-7))


def loss(kind, t, x, logits):
    """Returns the loss and its gradient with respect to x."""
    count = x.size if kind != "CategoricalCrossentropy" else x.size // x.shape[-1]
    if kind == "MeanSquaredError":
        return ((x - t) ** 2).mean(), 2 * (x - t) / count
    if kind == "MeanAbsoluteError":
        return np.abs(x - t).mean(), np.sign(x - t) / count
    if kind == "BinaryCrossentropy":
        if logits:
            p = activate("sigmoid", x, 0)[0]
            return (np.maximum(x, 0) - x * t + np.log1p(np.exp(-np.abs(x)))).mean(), (p - t) / count
        p = np.clip(x, LOW, HIGH)
        inside = (x >= LOW) & (x <= HIGH)
        return -(t * np.log(p) + (1 - t) * np.log1p(-p)).mean(), inside * ((1 - t) / (1 - p) - t / p) / count
    if logits:
        z = x - x.max(-1, keepdims=True)
        logp = z - np.log(np.exp(z).sum(-1, keepdims=True))
        return -(t * logp).sum() / count, (np.exp(logp) * t.sum(-1, keepdims=True) - t) / count
    total = x.sum(-1, keepdims=True)
    p = np.clip(x / total, LOW, HIGH)
    dp = -t / p * (x / total >= LOW) * (x / total <= HIGH) / count
    return -(t * np.log(p)).sum() / count, (dp - (dp * x / total).sum(-1, keepdims=True)) / total


tensors, meta = load("losses.safetensors")
for case in meta["cases"]:
    x, target, value, dx = (tensors[f"{case['name']}/{k}"].astype(np.float64) for k in ("x", "target", "loss", "dx"))
    logits = case["config"].get("from_logits") or case["through"] != "linear"
    want, gradient = loss(case["loss"], target, x, logits)
    compare(case["loss"], case["name"], value, want)
    compare(case["loss"] + " gradient", case["name"], dx, gradient)

# --- optimizers ------------------------------------------------------------------------------------------------
tensors, meta = load("optimizers.safetensors")


def rate(kind, c, step):
    if kind == "CosineDecay":
        top, warm = c.get("warmup_target"), c.get("warmup_steps", 0)
        if top is not None and step < warm:
            return c["initial_learning_rate"] + (top - c["initial_learning_rate"]) * step / warm
        top = c["initial_learning_rate"] if top is None else top
        done = min(step - warm, c["decay_steps"]) / c["decay_steps"]
        return top * ((1 - c["alpha"]) * 0.5 * (1 + np.cos(np.pi * done)) + c["alpha"])
    if kind == "ExponentialDecay":
        turns = step / c["decay_steps"]
        return c["initial_learning_rate"] * c["decay_rate"] ** (np.floor(turns) if c["staircase"] else turns)
    if kind == "PiecewiseConstantDecay":
        return c["values"][sum(step > b for b in c["boundaries"])]  # a boundary itself still has the value before it
    return c


schedules = {s["name"]: (s["class"], s["config"]) for s in meta["schedules"]}
for name, (kind, config) in schedules.items():
    path = tensors[name + "/learning_rate"]
    compare("schedules", name, path, [rate(kind, config, step) for step in range(len(path))], 2e-6)
for case in meta["optimizers"]:
    name, kind, c = case["name"], case["class"], case["config"]
    p = {k: tensors[k].astype(np.float64) for k in ("a", "b")}
    m, v = ({k: np.zeros_like(w) for k, w in p.items()} for _ in range(2))
    for step in range(12):
        g = {k: tensors["gradient_" + k][step].astype(np.float64) for k in p}
        norms = {k: np.sqrt((w ** 2).sum()) for k, w in g.items()}
        if "clipnorm" in c:
            g = {k: w * c["clipnorm"] / max(norms[k], c["clipnorm"]) for k, w in g.items()}
        if "global_clipnorm" in c:
            both = np.sqrt(sum(n * n for n in norms.values()))
            g = {k: w * c["global_clipnorm"] / max(both, c["global_clipnorm"]) for k, w in g.items()}
        lr = rate(*schedules[c["schedule"]], step) if "schedule" in c else c["learning_rate"]
        for k in p:
            if kind == "SGD":
                m[k] = c["momentum"] * m[k] - lr * g[k]
                p[k] += c["momentum"] * m[k] - lr * g[k] if c["nesterov"] else m[k]
                continue
            p[k] -= lr * c.get("weight_decay", 0) * p[k]
            m[k] += (1 - c["beta_1"]) * (g[k] - m[k])
            if kind == "Adamax":
                v[k] = np.maximum(c["beta_2"] * v[k], np.abs(g[k]))
                p[k] -= lr * m[k] / ((1 - c["beta_1"] ** (step + 1)) * (v[k] + c["epsilon"]))
            else:
                v[k] += (1 - c["beta_2"]) * (g[k] ** 2 - v[k])
                alpha = lr * np.sqrt(1 - c["beta_2"] ** (step + 1)) / (1 - c["beta_1"] ** (step + 1))
                p[k] -= alpha * m[k] / (np.sqrt(v[k]) + c["epsilon"])
        for k in p:
            compare(kind, f"{name}/{k} step {step}", tensors[f"{name}/{k}"][step], p[k], 2e-5)

# --- autoencoder32: all of its training ------------------------------------------------------------------------
tensors, meta = load("autoencoder32.safetensors")
images = tensors["images"].astype(np.float64)
w = {k.removeprefix("initial/"): v.astype(np.float64) for k, v in tensors.items() if k.startswith("initial/")}
assert list(w) == sorted(meta["weights"])
CONV = {"strides": [1, 1], "padding": "same", "activation": "elu"}
TRANSPOSE = {"strides": [2, 2], "padding": "same", "activation": "elu"}
POOL = {"pool_size": [2, 2], "strides": None, "padding": "valid"}
side, width = meta["config"]["size"] // 16, meta["config"]["widths"][-1]
encoder = []
for i in ("", "_1", "_2", "_3"):
    encoder += [("Conv2D", CONV, "encoder/conv2d" + i), ("MaxPooling2D", POOL, None)]
encoder += [("Flatten", {}, None), ("Dense", {}, "encoder/dense")]
decoder = [("Dense", {}, "decoder/dense"), ("Reshape", {}, None)]
decoder += [("Conv2DTranspose", TRANSPOSE, "decoder/conv2d_transpose" + i) for i in ("", "_1", "_2")]
decoder += [("Conv2DTranspose", {**TRANSPOSE, "activation": "linear"}, "decoder/conv2d_transpose_3")]


def shape_after(kind, x, t):
    return {"Conv2D": lambda: (*x.shape[:3], t["kernel"].shape[3]),
            "MaxPooling2D": lambda: (len(x), x.shape[1] // 2, x.shape[2] // 2, x.shape[3]),
            "Conv2DTranspose": lambda: (len(x), 2 * x.shape[1], 2 * x.shape[2], t["kernel"].shape[2]),
            "Dense": lambda: (len(x), t["kernel"].shape[1]),
            "Flatten": lambda: (len(x), x[0].size),
            "Reshape": lambda: (len(x), side, side, width)}[kind]()


def weights(name):
    return {key: w[f"{name}/{key}"] for key in ("kernel", "bias")} if name else {}


def forward(chain, x):
    """Returns the output and every layer's input."""
    inputs = []
    for kind, config, name in chain:
        inputs.append(x)
        t = weights(name)
        x = layer(kind, config, {**t, "x": x, "dy": np.zeros(shape_after(kind, x, t))})["y"]
    return x, inputs


def gradients(batch):
    """Returns the batch's loss and its gradient with respect to each weight."""
    y, inputs = forward(encoder + decoder, batch)
    value, dy = loss("MeanSquaredError", batch, y, False)
    found = {}
    for (kind, config, name), x in zip(reversed(encoder + decoder), reversed(inputs)):
        back = layer(kind, config, {**weights(name), "x": x, "dy": dy})
        dy = back["dx"]
        if name:
            found |= {f"{name}/{key}": back["d_" + key] for key in ("kernel", "bias")}
    return value, found


compare("autoencoder32 codes before", "codes_before", tensors["codes_before"], forward(encoder, images)[0])
m, u = ({k: np.zeros_like(v) for k, v in w.items()} for _ in range(2))
size, step = meta["config"]["batch"], 0
for epoch in range(meta["config"]["epochs"]):
    for i in range(0, len(images), size):
        value, g = gradients(images[i:i + size])
        compare("autoencoder32 losses", f"loss {step}", tensors["losses"][step], value)
        step += 1
        for k in w:
            if step == 1:
                compare("autoencoder32 gradients", k, tensors["gradient/" + k], g[k])
            m[k] += 0.1 * (g[k] - m[k])
            u[k] = np.maximum(0.999 * u[k], np.abs(g[k]))
            w[k] -= 0.001 * m[k] / ((1 - 0.9 ** step) * (u[k] + 1e-7))
for k in w:
    compare("autoencoder32 final weights", k, tensors["final/" + k], w[k], 1e-3)
codes = forward(encoder, images)[0]
compare("autoencoder32 codes after", "codes_after", tensors["codes_after"], codes, 1e-4)
compare("autoencoder32 reconstructions", "after", tensors["reconstructions_after"], forward(decoder, codes)[0], 1e-4)

for kind, error in worst.items():
    print(f"{kind:32} {error:.1e}")
