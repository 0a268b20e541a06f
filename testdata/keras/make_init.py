"""Makes init.json: what Keras's initialisers draw from, and what it drew.

Run: python make_init.py (a few seconds; the same text on every run).

"cases": for every initialiser and weight shape (as Keras stores the weight: kernels [rows, columns, in, out], those of
Conv2DTranspose [rows, columns, out, in], Dense [in, out]):
  fan_in, fan_out  what Keras computes from the shape alone: for a transposed convolution they are swapped
  limit            uniform: values lie in [-limit, limit]
  stddev, cut      normal: the standard deviation of the normal before it is truncated at +-cut = 2 * stddev
  std              the standard deviation of what is drawn
  drawn            std and greatest magnitude of 200 draws by Keras: a check of the line above
"""
from common import keras, np, save_json
from keras.src.initializers.random_initializers import compute_fans

SHAPES = [
    ("Conv2D", (3, 3, 5, 7)),
    ("Conv2D", (1, 1, 3, 32)),
    ("Conv2D", (5, 2, 16, 8)),
    ("Conv2DTranspose", (3, 3, 7, 5)),
    ("Conv2DTranspose", (3, 3, 5, 7)),
    ("Conv2DTranspose", (3, 3, 3, 32)),
    ("Dense", (20, 30)),
    ("Dense", (1, 1)),
]
cases = []
for layer, shape in SHAPES:
    if layer != "Dense":  # the weight really has this shape in that layer
        filters, channels = (shape[3], shape[2]) if layer == "Conv2D" else (shape[2], shape[3])
        built = getattr(keras.layers, layer)(filters, shape[:2])
        built.build((1, 8, 8, channels))
        assert tuple(built.kernel.shape) == shape
        assert isinstance(built.kernel_initializer, keras.initializers.GlorotUniform)
    for name in ("GlorotUniform", "GlorotNormal", "HeUniform", "HeNormal"):
        fan_in, fan_out = compute_fans(shape)
        initializer = getattr(keras.initializers, name)(seed=1)
        mode = {"fan_avg": (fan_in + fan_out) / 2, "fan_in": fan_in}[initializer.mode]
        variance = initializer.scale / mode
        case = {"layer": layer, "shape": list(shape), "initializer": name, "fan_in": fan_in, "fan_out": fan_out}
        if name.endswith("Uniform"):
            case |= {"limit": float(np.sqrt(3 * variance))}
        else:
            stddev = float(np.sqrt(variance) / 0.87962566103423978)
            case |= {"stddev": stddev, "cut": 2 * stddev}
        case["std"] = float(np.sqrt(variance))
        # one draw of a taller stack would change the fans, so draw with the constructor's parameters many times
        draws = np.stack([getattr(keras.initializers, name)(seed=s)(shape).numpy() for s in range(200)])
        case["drawn"] = {"std": round(float(draws.std()), 6), "max": round(float(np.abs(draws).max()), 6)}
        edge = case.get("limit") or case["cut"]
        assert case["drawn"]["max"] <= edge * (1 + 1e-6), case
        assert abs(case["drawn"]["std"] / case["std"] - 1) < 4 / np.sqrt(draws.size), case
        cases.append(case)
save_json("init.json", {"cases": cases})
