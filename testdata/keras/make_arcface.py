"""Makes arcface.safetensors: ArcFace's loss and gradients, straight from the paper's formulas, in float64.

Run: python make_arcface.py (a few seconds; the same bytes on every run on one kind of machine).

The embeddings are brought to length 1 by Keras's UnitNormalization, the angles are really computed (arccos), widened
and their cosines taken again, and Keras's CategoricalCrossentropy and TensorFlow's tape do the rest. For every case in
the metadata's "cases", a JSON list of {"name", "margin", "scale", "easy"}:
  NAME/x        [batch, n], not yet of length 1
  NAME/kernel   [n, classes], not yet of length 1
  NAME/target   one-hot
  NAME/cosines  [batch, classes]
  NAME/loss     shape []
  NAME/dx, NAME/dkernel   the gradients with respect to both, through the normalisation
Where an angle is beyond pi - margin the target's logit is scale * (cos - margin * sin(margin)); with "easy" the margin
acts on angles below pi/2 only. (As in InsightFace's code, github.com/deepinsight/insightface.)
"""
from common import keras, np, save_tensors, tf

rng = np.random.default_rng(5)
tensors, cases = {}, []
normalise = keras.layers.UnitNormalization(axis=-1, dtype="float64")


def add(name, x, kernel, labels, margin=0.5, scale=64.0, easy=False):
    target = np.eye(kernel.shape[1])[labels]
    # The numbers that go in are float32, what is computed of them is not.
    xv, kv = (tf.constant(np.float32(v).astype(np.float64)) for v in (x, kernel))
    with tf.GradientTape() as tape:
        tape.watch([xv, kv])
        cos = tf.matmul(normalise(xv), tf.transpose(normalise(tf.transpose(kv))))
        theta = tf.acos(cos)
        if easy:
            widened = tf.where(theta < np.pi / 2, tf.cos(theta + margin), cos)
        else:
            widened = tf.where(theta < np.pi - margin, tf.cos(theta + margin), cos - margin * np.sin(margin))
        logits = scale * tf.where(target > 0, widened, cos)
        loss = keras.losses.CategoricalCrossentropy(from_logits=True, dtype="float64")(target, logits)
    dx, dk = tape.gradient(loss, [xv, kv])
    for key, value in {"x": x, "kernel": kernel, "target": target, "cosines": cos, "loss": loss, "dx": dx, "dkernel": dk}.items():
        value = np.asarray(value, np.float32)
        assert np.isfinite(value).all(), (name, key)
        tensors[f"{name}/{key}"] = value
    cases.append({"name": name, "margin": margin, "scale": scale, "easy": easy})
    angles = np.asarray(theta)[np.arange(len(labels)), labels]
    print(f"{name}: loss {float(loss):.4f}, angles to the target {angles.min():.3f} to {angles.max():.3f}")


for name, shape, classes, options in (
    ("paper", (9, 16), 7, {}),
    ("many", (33, 64), 67, {}),
    ("margin0.3", (9, 5), 4, dict(margin=0.3, scale=16.0)),
    ("easy", (16, 5), 4, dict(easy=True, scale=10.0)),
    ("two", (4, 3), 2, dict(scale=4.0)),
):
    add(name, rng.standard_normal(shape), rng.standard_normal((shape[1], classes)), rng.integers(0, classes, shape[0]), **options)
# Near the class, far from it, and beyond pi - m: the target's weights themselves, turned by an angle.
kernel = rng.standard_normal((6, 5))
labels = rng.integers(0, 5, 12)
axis = kernel[:, labels].T / np.linalg.norm(kernel[:, labels].T, axis=1, keepdims=True)
side = rng.standard_normal((12, 6))
side -= (side * axis).sum(1, keepdims=True) * axis
side /= np.linalg.norm(side, axis=1, keepdims=True)
angle = np.array([0.02, 0.1, 0.5, 1, 1.5, 1.6, 2, 2.5, 2.6, 2.7, 3, 3.1])[:, None]
x = 3 * (np.cos(angle) * axis + np.sin(angle) * side)
add("angles", x, kernel, labels, scale=8.0)
add("angles_easy", x, kernel, labels, scale=8.0, easy=True)
save_tensors("arcface.safetensors", tensors, cases=cases)
