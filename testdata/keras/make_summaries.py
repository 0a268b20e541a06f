"""Makes summaries.json: the text that Keras's model.summary() prints, without colours.

Run: python make_summaries.py (a few seconds; VGG16 without weights, 0.6 GB of memory; the same text on every run).

"models": for every model {"text", "text_80", "total", "trainable", "non_trainable", "layers"}.
  text     as in a terminal of 92 columns or more: the table is 88 wide
  text_80  as in a terminal of 80 columns, or where there is none: the table is 76 wide
  layers   [name, class, output shape, parameters] of each line
A cell that is too narrow for "name (Class)" gets two lines; a name that is too long for one ends in "…".
What is printed ends with a newline, and so do these texts, which show no optimizer: once a model has been trained,
Keras adds a line "Optimizer params" and counts them in the total.
"""
import os

os.environ["COLUMNS"] = "200"
from common import keras, save_json
from article import autoencoder

layers = keras.layers
models = {}


def printed(model, columns):
    os.environ["COLUMNS"] = str(columns)
    text = []
    model.summary(print_fn=lambda s, line_break=True: text.append(s))
    return "".join(text)


def add(name, model):
    trainable = sum(int(w.numpy().size) for w in model.trainable_weights)
    models[name] = {
        "text": printed(model, 200), "text_80": printed(model, 80),
        "total": model.count_params(), "trainable": trainable, "non_trainable": model.count_params() - trainable,
        "layers": [[l.name, type(l).__name__, list(l.output.shape), l.count_params()] for l in model.layers],
    }


encoder, decoder, both = autoencoder()
add("article encoder", encoder)
add("article decoder", decoder)
add("article autoencoder", both)

keras.backend.clear_session()  # nothing named: sequential, sequential_1, sequential_2
encoder = keras.Sequential([keras.Input((224, 224, 3))])
for width in (32, 64, 128, 256):
    encoder.add(layers.Conv2D(width, 3, padding="same", activation="elu"))
    encoder.add(layers.MaxPooling2D())
encoder.add(layers.Flatten())
encoder.add(layers.Dense(32))
decoder = keras.Sequential([keras.Input((32,)), layers.Dense(14 * 14 * 256), layers.Reshape((14, 14, 256))])
for width in (128, 64, 32):
    decoder.add(layers.Conv2DTranspose(width, 3, strides=2, padding="same", activation="elu"))
decoder.add(layers.Conv2DTranspose(3, 3, strides=2, padding="same"))
add("default names encoder", encoder)
add("default names decoder", decoder)  # its Dense is dense_1
add("default names autoencoder", keras.Sequential([keras.Input((224, 224, 3)), encoder, decoder]))

keras.backend.clear_session()
add("small", keras.Sequential([
    keras.Input((31, 29, 3)),
    layers.Conv2D(8, 3, use_bias=False),
    layers.BatchNormalization(),
    layers.LeakyReLU(),
    layers.AveragePooling2D(2),
    layers.Conv2D(16, (3, 5), strides=2, padding="same"),
    layers.BatchNormalization(),
    layers.ReLU(),
    layers.Dropout(0.5),
    layers.GlobalAveragePooling2D(),
    layers.Dense(10),
    layers.ELU(),
    layers.Activation("tanh"),
    layers.Dense(4),
    layers.Softmax(),
], name="small"))

keras.backend.clear_session()
frozen = layers.Dense(20, name="frozen")
frozen.trainable = False
add("long names", keras.Sequential([
    keras.Input((64, 64, 3)),
    layers.Conv2D(8, 3, padding="same", name="a_convolution_with_a_name_that_is_longer_than_its_column"),
    layers.MaxPooling2D(name="max_pooling_of_the_first_block_of_all"),
    layers.Conv2DTranspose(4, 3, name="one_over_the_column"),
    layers.Flatten(name="x" * 60),
    frozen,
    layers.Dense(1, name="d"),
], name="a_model_with_a_long_name"))

keras.backend.clear_session()
add("no parameters", keras.Sequential([keras.Input((4, 4, 1)), layers.Flatten()], name="no_parameters"))
keras.backend.clear_session()
add("dense", keras.Sequential([keras.Input((7,)), layers.Dense(5), layers.Dense(5), layers.Dense(1)]))

keras.backend.clear_session()
vgg16 = keras.applications.VGG16(weights=None)
assert vgg16.count_params() == 138_357_544
add("VGG16", vgg16)
keras.backend.clear_session()
add("VGG16 without top", keras.applications.VGG16(weights=None, include_top=False, input_shape=(224, 224, 3)))
save_json("summaries.json", {"models": models})
