"""Makes autoencoder32.safetensors: the article's autoencoder at 32x32, trained by Keras from fixed weights.

Run: python make_autoencoder32.py (about 10 seconds; the same bytes on every run on one kind of machine).

Encoder: Conv2D 3x3 'same' ELU with 8, 16, 32, 64 filters, each with MaxPooling2D 2x2; Flatten; Dense 16.
Decoder: Dense 2*2*64; Reshape; Conv2DTranspose 3x3 stride 2 'same' ELU with 32, 16, 8 filters; the same with 3, linear.
Trained for 3 epochs on 40 pictures in batches of 8, in order, with Keras's Adamax and mean squared error.

  images [40, 32, 32, 3]     in [0, 1]: smooth colour, a disc or a bar, a little noise
  initial/<weight>           e.g. initial/encoder/conv2d/kernel: Glorot uniform, and biases that are not all zero
  gradient/<weight>          of the first batch's loss at the initial weights
  final/<weight>             after the 15 steps
  losses [15]                every batch's own mean squared error before its step (not Keras's running mean)
  codes_before, codes_after  [40, 16]
  reconstructions_after      [40, 32, 32, 3]
The metadata's "weights" lists the names in Keras's order, "config" the sizes.
"""
from common import keras, np, save_tensors, tf
from article import autoencoder, weights

CONFIG = {"size": 32, "code": 16, "widths": [8, 16, 32, 64]}
EPOCHS, BATCH, COUNT = 3, 8, 40
rng = np.random.default_rng(11)


def picture(size):
    """Draws a smooth gradient between random corner colours, a shape in it, and noise."""
    v, u = np.mgrid[0:size, 0:size] / (size - 1)
    corner = rng.uniform(0, 1, (2, 2, 3))
    u, v = u[..., None], v[..., None]
    image = (1 - v) * ((1 - u) * corner[0, 0] + u * corner[0, 1]) + v * ((1 - u) * corner[1, 0] + u * corner[1, 1])
    cx, cy, angle = rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8), rng.uniform(0, np.pi)
    if rng.random() < 0.5:
        distance = np.hypot(u - cx, v - cy) - rng.uniform(0.1, 0.3)
    else:
        distance = np.abs((u - cx) * np.sin(angle) + (v - cy) * np.cos(angle)) - rng.uniform(0.04, 0.12)
    inside = 1 / (1 + np.exp(distance * size * 1.5))  # a soft edge
    image = (1 - inside) * image + inside * rng.uniform(0, 1, 3)
    return np.clip(image + 0.02 * rng.standard_normal(image.shape), 0, 1)


images = np.float32([picture(CONFIG["size"]) for _ in range(COUNT)])
encoder, decoder, model = autoencoder(**CONFIG)
variables = weights(encoder, decoder)
for name, w in variables.items():
    shape = tuple(w.shape)
    if len(shape) == 1:
        w.assign(0.02 * rng.standard_normal(shape))
    else:
        w.assign(rng.uniform(-1, 1, shape) * np.sqrt(6 / (np.prod(shape[:-2]) * (shape[-2] + shape[-1]))))
assert [w.path for w in model.trainable_variables] == [w.path for w in variables.values()]
tensors = {"images": images}
tensors |= {"initial/" + k: w.numpy().copy() for k, w in variables.items()}
tensors["codes_before"] = encoder.predict(images, verbose=0)

first = tf.constant(images[:BATCH])
with tf.GradientTape() as tape:
    loss = keras.losses.MeanSquaredError()(first, model(first, training=True))
gradients = tape.gradient(loss, [w.value for w in variables.values()])
tensors |= {"gradient/" + k: g.numpy() for k, g in zip(variables, gradients)}

# train_on_batch returns the running mean since the metrics were last reset: reset before every batch.
model.compile(keras.optimizers.Adamax(), "mse")
losses = []
for epoch in range(EPOCHS):
    for i in range(0, COUNT, BATCH):
        model.reset_metrics()
        losses.append(model.train_on_batch(images[i:i + BATCH], images[i:i + BATCH]))
assert abs(losses[0] - float(loss)) < 1e-6 * losses[0], (losses[0], float(loss))
tensors["losses"] = np.float32(losses)
tensors |= {"final/" + k: w.numpy().copy() for k, w in variables.items()}
tensors["codes_after"] = encoder.predict(images, verbose=0)
tensors["reconstructions_after"] = model.predict(images, verbose=0)

# Keras's own fit goes the same way: its epoch losses are the means of ours, its weights end as ours.
for k, w in variables.items():
    w.assign(tensors["initial/" + k])
model.compile(keras.optimizers.Adamax(), "mse")
history = model.fit(images, images, batch_size=BATCH, epochs=EPOCHS, shuffle=False, verbose=0).history["loss"]
means = np.reshape(losses, (EPOCHS, -1)).mean(1)
assert np.allclose(history, means, rtol=1e-5), (history, means)
for k, w in variables.items():
    assert np.abs(w.numpy() - tensors["final/" + k]).max() < 1e-4, k
print("losses", np.round(losses, 6), "epochs", history)
save_tensors("autoencoder32.safetensors", tensors, config={**CONFIG, "batch": BATCH, "epochs": EPOCHS},
             weights=list(variables))
