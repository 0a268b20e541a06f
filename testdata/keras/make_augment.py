"""Makes augment.safetensors: pictures changed by Keras's random layers, with the numbers they drew given to them.

Run: python make_augment.py (a few seconds; the same bytes on every run on one kind of machine).

  images              [4, 20, 20, 3], values from 0 to 1 in steps of 1/255
  flipped             RandomFlip("horizontal")
  cropped/TOP_LEFT    RandomCrop(13, 13) at that place, and Resizing(20, 20), bilinear
  brighter/DELTA      RandomBrightness, whose draw is DELTA
  contrast/FACTOR     RandomContrast, FACTOR
  saturation/FACTOR   RandomSaturation, whose draw makes the saturation FACTOR times what it is
  all                 flip, brightness 0.1, contrast 1.3, saturation 0.7, one after the other

The first two pictures are noise, the third is smooth, the fourth has greys, black, white and pure colours.
"""
from common import keras, np, save_tensors

L = keras.layers
rng = np.random.default_rng(11)
levels = rng.integers(0, 256, (4, 20, 20, 3))
y, x = np.mgrid[0:20, 0:20]
levels[2] = np.stack([12 * x, 6 * (x + y), 255 - 12 * y], -1)
pure = np.array([[0, 0, 0], [255, 255, 255], [128, 128, 128], [255, 0, 0], [0, 255, 0], [0, 0, 255], [255, 255, 0],
                 [1, 0, 0], [254, 255, 255], [200, 100, 100]])
levels[3] = pure[rng.integers(0, len(pure), (20, 20))]
images = (levels.astype(np.float32) / np.float32(255)).astype(np.float32)
range01 = dict(value_range=(0, 1))


def each(value):
    return np.full((4, 1, 1, 1), value, np.float32)


def array(t):
    return np.asarray(t, np.float32)


flip = L.RandomFlip("horizontal")
brightness = L.RandomBrightness(0.5, **range01)
contrast = L.RandomContrast(0.5, **range01)
saturation = L.RandomSaturation(0.5, **range01)


def flipped(v):
    return array(flip.transform_images(v, {"flips": np.full((4, 1, 1, 1), True), "input_shape": v.shape}))


def brighter(v, delta):
    return array(brightness.transform_images(v.copy(), {"rgb_delta": each(delta)}))


def contrasted(v, factor):
    return array(contrast.transform_images(v, {"contrast_factor": each(factor)}))


def saturated(v, factor):
    return array(saturation.transform_images(v, {"factor": np.full((4,), factor, np.float32)}))


tensors = {"images": images, "flipped": flipped(images)}
for top, left in ((0, 0), (7, 7), (3, 5)):
    part = L.RandomCrop(13, 13).transform_images(images, (top, left))
    tensors[f"cropped/{top}_{left}"] = array(L.Resizing(20, 20, interpolation="bilinear")(part))
for delta in (-0.3, 0.15):
    tensors[f"brighter/{delta}"] = brighter(images, delta)
for factor in (0.5, 1.4):
    tensors[f"contrast/{factor}"] = contrasted(images, factor)
for factor in (0.25, 1.75):
    tensors[f"saturation/{factor}"] = saturated(images, factor)
tensors["all"] = saturated(contrasted(brighter(flipped(images), 0.1), 1.3), 0.7)
save_tensors("augment.safetensors", tensors)
