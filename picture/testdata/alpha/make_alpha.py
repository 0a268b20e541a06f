"""Makes the pictures of TestAlphaAsPillow, and prints the CRC-32 of the alpha that Pillow has of each.
usage: make_alpha.py (Pillow 13, NumPy)"""
import zlib

import numpy as np
from PIL import Image

rng = np.random.default_rng(1)
w, h = 37, 29
rgb = rng.integers(0, 256, (h, w, 3), dtype=np.uint8)
a = rng.integers(0, 256, (h, w), dtype=np.uint8)
a[:5], a[5:9] = 0, 255
rgba = Image.fromarray(np.dstack([rgb, a]), "RGBA")
la = Image.merge("LA", (Image.fromarray(rgb[:, :, 0]), Image.fromarray(a)))
p = Image.fromarray(rng.integers(0, 16, (h, w), dtype=np.uint8), "P")
p.putpalette(list(rng.integers(0, 256, 48)))
gray = Image.fromarray(rng.integers(0, 8, (h, w), dtype=np.uint8))
few = Image.fromarray(rng.integers(0, 2, (h, w, 3), dtype=np.uint8))
one = Image.fromarray((rng.integers(0, 2, (h, w)) * 255).astype(np.uint8)).convert("1")
for name, image, options in [
    ("la.png", la, {}), ("p.png", p, {"transparency": bytes([0, 128, 255, 30])}), ("p1.png", p, {"transparency": 3, "bits": 4}),
    ("l.png", gray, {"transparency": 5}), ("rgb.png", few, {"transparency": (1, 0, 1)}), ("one.png", one, {"transparency": 0}),
    ("lossy.webp", rgba, {"quality": 80}), ("rgba.tiff", rgba, {"compression": "raw"}), ("la.tiff", la, {"compression": "tiff_lzw"}),
    ("p.gif", p, {"transparency": 4}),
]:  # fmt: skip
    image.save(name, **options)
    print(f'"{name}": {zlib.crc32(Image.open(name).convert("RGBA").getchannel("A").tobytes()):#010x},')
