"""Trains the article's autoencoder, or a small classifier, with Keras on photographs and writes its loss by epochs.

usage: train_curve.py PHOTOS_DIR N SIZE EPOCHS BATCH OUT.json [INITIAL_WEIGHTS.safetensors]
                      [--list FILE | --classes A,B,…] [--no-shuffle] [--seed S] [--save-weights FILE.safetensors]

Reads N photographs below PHOTOS_DIR: those of --list (relative paths, one a line), or else evenly spaced among all,
sorted by their relative paths. Each is read with OpenCV, turned to RGB, resized to SIZE x SIZE (bilinear, OpenCV's
default) and divided by 255. Encoder 32-64-128-256, code 32, Adamax, mean squared error.
--save-weights writes the weights that training starts from, named as in autoencoder32.safetensors
("encoder/conv2d/kernel", …), so that another engine can start from the same ones.
With --classes the network is a convolutional classifier instead (three times Conv2D and MaxPooling2D, two Dense, softmax),
trained by Adam on the categorical cross-entropy: of the folders of these names below PHOTOS_DIR photographs are taken by
turns. Its weights are named "conv2d/kernel" and so on.
OUT.json: {"loss": of every epoch, the mean over its batches weighted by their sizes (so Keras reports it); "seconds" of
every epoch; the photographs' paths; the classes; the options}.

Not a fixture and not part of any test: it runs for minutes, on all cores, with Keras's own default settings.
"""
import argparse
import json
import os
import time
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import cv2
import keras
import numpy as np
from safetensors.numpy import load_file, save_file

from article import autoencoder, weights



def classifier(size, classes):
    keras.backend.clear_session()
    layers = keras.layers
    stack = [keras.Input((size, size, 3))]
    for filters in (16, 32, 64):
        stack += [layers.Conv2D(filters, 3, padding="same", activation="elu"), layers.MaxPooling2D()]
    return keras.Sequential(stack + [layers.Flatten(), layers.Dense(64, activation="elu"), layers.Dense(classes, activation="softmax")])


parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
parser.add_argument("photos", type=Path)
parser.add_argument("n", type=int)
parser.add_argument("size", type=int)
parser.add_argument("epochs", type=int)
parser.add_argument("batch", type=int)
parser.add_argument("out", type=Path)
parser.add_argument("initial", nargs="?")
parser.add_argument("--list", type=Path)
parser.add_argument("--classes", type=lambda text: text.split(","), default=[])
parser.add_argument("--no-shuffle", action="store_true")
parser.add_argument("--seed", type=int, default=0)
parser.add_argument("--save-weights")
a = parser.parse_args()

if a.list:
    paths = a.list.read_text().splitlines()[:a.n]
elif a.classes:
    folders = [sorted((a.photos / c).glob("*.jpg")) for c in a.classes]
    paths = [folders[i % len(folders)][i // len(folders)].relative_to(a.photos).as_posix() for i in range(a.n)]
else:
    every = sorted(p.relative_to(a.photos).as_posix() for p in a.photos.rglob("*.jpg"))
    paths = [every[i * len(every) // a.n] for i in range(a.n)]
assert len(paths) == a.n, f"{len(paths)} photographs, {a.n} wanted"
images = np.empty((a.n, a.size, a.size, 3), np.float32)
for i, path in enumerate(paths):
    bgr = cv2.imread(str(a.photos / path))
    assert bgr is not None, f"{path} is no picture"
    images[i] = cv2.resize(cv2.cvtColor(bgr, cv2.COLOR_BGR2RGB), (a.size, a.size))
images /= 255

keras.utils.set_random_seed(a.seed)
if a.classes:
    model, targets = classifier(a.size, len(a.classes)), np.eye(len(a.classes), dtype=np.float32)[np.arange(a.n) % len(a.classes)]
    variables = {f"{layer.name}/{w.name}": w for layer in model.layers for w in layer.weights}
    optimizer, loss = keras.optimizers.Adam(), "categorical_crossentropy"
else:
    encoder, decoder, model = autoencoder(a.size)
    variables, targets = weights(encoder, decoder), images
    optimizer, loss = keras.optimizers.Adamax(), "mse"
if a.initial:
    stored = load_file(a.initial)
    assert set(stored) == set(variables), set(stored) ^ set(variables)
    for name, w in variables.items():
        w.assign(stored[name])
if a.save_weights:
    save_file({k: w.numpy() for k, w in variables.items()}, a.save_weights)
keras.utils.set_random_seed(a.seed)  # the shuffle depends on nothing that was drawn before
model.compile(optimizer, loss)
seconds = []
clock = keras.callbacks.LambdaCallback(
    on_epoch_begin=lambda epoch, logs: seconds.append(-time.perf_counter()),
    on_epoch_end=lambda epoch, logs: seconds.append(seconds.pop() + time.perf_counter()))
history = model.fit(images, targets, batch_size=a.batch, epochs=a.epochs, shuffle=not a.no_shuffle, verbose=2,
                    callbacks=[clock])
options = {"n": a.n, "size": a.size, "epochs": a.epochs, "batch": a.batch, "shuffle": not a.no_shuffle, "seed": a.seed, "classes": a.classes}
a.out.write_text(json.dumps({"loss": history.history["loss"], "seconds": [round(s, 2) for s in seconds], **options,
                             "keras": keras.__version__, "photos": paths}, indent=1) + "\n")
