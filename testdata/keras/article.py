"""The article's convolutional autoencoder in Keras, at any size, and its weights by name.

Import common, where it is wanted, before this module: what it sets must come before keras.
"""
import keras

layers = keras.layers


def autoencoder(size=224, code=32, widths=(32, 64, 128, 256)):
    """Returns the encoder, the decoder and the two as one model that is trained: all Sequential."""
    keras.backend.clear_session()  # layer names count from conv2d, without a number, again
    encoder = [keras.Input((size, size, 3))]
    for width in widths:
        encoder += [layers.Conv2D(width, 3, padding="same", activation="elu"), layers.MaxPooling2D()]
    encoder = keras.Sequential(encoder + [layers.Flatten(), layers.Dense(code)], name="encoder")
    side = size // 2 ** len(widths)
    decoder = [keras.Input((code,)), layers.Dense(side * side * widths[-1], name="dense"), layers.Reshape((side, side, widths[-1]))]
    for width in reversed(widths[:-1]):
        decoder.append(layers.Conv2DTranspose(width, 3, strides=2, padding="same", activation="elu"))
    decoder.append(layers.Conv2DTranspose(3, 3, strides=2, padding="same"))
    decoder = keras.Sequential(decoder, name="decoder")
    both = keras.Sequential([keras.Input((size, size, 3)), encoder, decoder], name="autoencoder")
    return encoder, decoder, both


def weights(encoder, decoder):
    """Returns {"encoder/conv2d/kernel": variable, …}."""
    return {f"{model.name}/{layer.name}/{w.name}": w
            for model in (encoder, decoder) for layer in model.layers for w in layer.weights}
