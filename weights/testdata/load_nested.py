"""Loads the file of TestSaveKerasLoadedByKeras into Keras models built in two ways, and the encoder's layers by themselves.
usage: load_nested.py FILE.weights.h5"""
import os
import sys

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import keras
import numpy as np
from keras import layers as L


def networks():
    conv = dict(padding="same", activation="elu")
    encoder = keras.Sequential(
        [keras.Input((8, 8, 3)), L.Conv2D(2, 3, **conv), L.MaxPooling2D(2), L.Conv2D(4, 3, **conv), L.Flatten(), L.Dense(5)]
    )
    decoder = keras.Sequential([keras.Input((5,)), L.Dense(64), L.Reshape((4, 4, 4)), L.Conv2DTranspose(3, 3, 2, padding="same")])
    return encoder, decoder


def sequence(scale, *shape):
    return (np.arange(1, np.prod(shape) + 1) * scale).reshape(shape).astype("f4")


want = [
    sequence(0.25, 3, 3, 3, 2), sequence(1, 2), sequence(-0.25, 3, 3, 2, 4), sequence(2, 4), sequence(1, 64, 5), sequence(3, 5),
    sequence(-1, 5, 64), sequence(4, 64), sequence(0.5, 3, 3, 3, 4), sequence(5, 3),
]  # fmt: skip
encoder, decoder = networks()
sequential = keras.Sequential([encoder, decoder])
sequential.build((None, 8, 8, 3))
pixels = keras.Input((8, 8, 3))
encoder, decoder = networks()
functional = keras.Model(pixels, decoder(encoder(pixels)))
compiled = keras.Sequential(list(networks()))
compiled.build((None, 8, 8, 3))
compiled.compile("adamax", "mse")
for model in sequential, functional, compiled:
    model.load_weights(sys.argv[1])
    got = model.get_weights()
    assert len(got) == len(want)
    for g, w in zip(got, want):
        np.testing.assert_array_equal(g, w)
print("ok")
