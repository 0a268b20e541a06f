"""An autoencoder that Keras trained, with what it makes of pictures: trained.weights.h5, trained.npz. usage: make_trained.py"""
import os

os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
import keras
import numpy as np
from keras import Input, Sequential
from keras import layers as L

keras.utils.set_random_seed(1)
elu = dict(padding="same", activation="elu")
keras.layers.Dense(1, name=None), keras.layers.Conv2D(1, 3)  # so that Keras's numbers do not start from zero
encoder = Sequential(
    [Input((16, 16, 3)), L.Conv2D(4, 3, **elu), L.MaxPooling2D(2), L.Conv2D(8, 3, **elu), L.MaxPooling2D(2), L.Flatten(), L.Dense(5)],
    name="encoder",
)
decoder = Sequential(
    [Input((5,)), L.Dense(4 * 4 * 8), L.Reshape((4, 4, 8)), L.Conv2DTranspose(4, 3, strides=2, **elu), L.Conv2DTranspose(3, 3, strides=2, padding="same")],
    name="decoder",
)
pixels = Input((16, 16, 3))
model = keras.Model(pixels, decoder(encoder(pixels)))
model.compile("adamax", "mse")
x = np.random.default_rng(1).random((8, 16, 16, 3), dtype="f4")
model.fit(x, x, epochs=3, verbose=0)
here = os.path.dirname(os.path.abspath(__file__))
model.save_weights(f"{here}/trained.weights.h5")  # with the optimizer's state
np.savez(f"{here}/trained.npz", x=x[:2], codes=encoder.predict(x[:2], verbose=0), images=model.predict(x[:2], verbose=0))
