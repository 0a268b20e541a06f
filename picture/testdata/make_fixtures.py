"""Makes the pictures of this folder and what Pillow and OpenCV make of them.

python make_fixtures.py      (Pillow 13.0, OpenCV 5.0, numpy 2.4 made those committed)

decode/*          small pictures in many encodings. "upright-N" has EXIF
                  orientation N; "flat-" is a JPEG of 8x8 blocks of one colour,
                  written here so that any sampling and marker can be had, and
                  decoded without rounding in the cosine transform.
decode.npz        for each of them the RGB that Pillow decodes, oriented
resize.npz        small pictures, and resized copies of them
resize.csv        sizes, and CRC-32 of the resized pixels of a picture that
                  both sides make from a linear congruential generator
photographs.csv   of some photographs of Caltech-101 (folder as argument): sum of
                  values, and every 997th value
"""
import csv
import io
import pathlib
import struct
import sys
import zlib

import cv2
import numpy as np
from PIL import Image, ImageOps

here = pathlib.Path(__file__).parent
out = here / "decode"
out.mkdir(exist_ok=True)
for old in out.iterdir():
    old.unlink()


def scene(w, h, channels=3, seed=7):
    """Smooth colour, hard edges and some noise."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w].astype(float)
    m = np.stack([128 + 110 * np.sin(x / 5 + y / 9), 255 * y / max(h - 1, 1),
                  128 + 120 * np.cos(x / 7 - y / 4), 255 * x / max(w - 1, 1)], -1)
    m[h // 4:h // 2, w // 3:2 * w // 3] = [250, 10, 30, 128]
    m[h // 2:3 * h // 4, w // 2:] = [5, 20, 240, 0]
    m += rng.normal(0, 6, m.shape)
    return np.clip(m, 0, 255).astype(np.uint8)[..., :channels].copy()


rgb = Image.fromarray(scene(45, 37))
rgba = Image.fromarray(scene(45, 37, 4))
gray = rgb.convert("L")

# JPEG
for q, s, name in [(92, 0, "444"), (92, 1, "422"), (92, 2, "420"), (25, 2, "420-coarse")]:
    rgb.save(out / f"{name}.jpg", quality=q, subsampling=s)
rgb.save(out / "progressive.jpg", quality=90, subsampling=2, progressive=True)
rgb.save(out / "restart.jpg", quality=90, subsampling=2, restart_marker_blocks=3)
gray.save(out / "gray.jpg", quality=90)
rgb.save(out / "stored-rgb.jpg", quality=90, keep_rgb=True)
rgb.convert("CMYK").save(out / "cmyk.jpg", quality=90)
for name, factor in [("440", cv2.IMWRITE_JPEG_SAMPLING_FACTOR_440), ("411", cv2.IMWRITE_JPEG_SAMPLING_FACTOR_411)]:
    cv2.imwrite(str(out / f"{name}.jpg"), np.array(rgb)[..., ::-1],
                [cv2.IMWRITE_JPEG_QUALITY, 92, cv2.IMWRITE_JPEG_SAMPLING_FACTOR, factor])
for w, h in [(1, 1), (2, 2), (3, 5), (4, 4), (5, 3), (6, 6), (16, 17), (17, 16), (33, 1), (1, 33)]:
    for s, name in [(1, "422"), (2, "420")]:
        Image.fromarray(scene(w, h)).save(out / f"{name}-{w}x{h}.jpg", quality=92, subsampling=s)

# Orientation, in every format whose EXIF is read; an EXIF block that is damaged
small = Image.fromarray(scene(24, 16))
for n in range(1, 9):
    exif = Image.Exif()
    exif[0x0112] = n
    small.save(out / f"upright-{n}.jpg", quality=92, exif=exif)
exif = Image.Exif()
exif[0x0112] = 6
small.save(out / "upright-6.png", exif=exif)
small.save(out / "upright-6.webp", lossless=True, exif=exif)
small.save(out / "upright-6-lossy.webp", exif=exif)
small.save(out / "upright-6.tiff", tiffinfo={0x0112: 6})
small.save(out / "upright-damaged.jpg", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff\x01\x12\0\x77")

# PNG
rgb.save(out / "rgb.png")
rgba.save(out / "rgba.png")
gray.save(out / "gray.png")
gray.convert("1").save(out / "bilevel.png")
Image.merge("LA", [gray, rgba.getchannel(3)]).save(out / "gray-alpha.png")
palette = rgb.quantize(40)
palette.save(out / "palette.png")
palette.save(out / "palette-alpha.png", transparency=bytes(range(40)))
rgb.quantize(11).save(out / "palette-4bit.png", bits=4)
rgb.save(out / "rgb-key.png", transparency=tuple(int(v) for v in np.array(rgb)[0, 0]))
rng = np.random.default_rng(3)
(out / "rgb-16.png").write_bytes(cv2.imencode(".png", rng.integers(0, 65536, (5, 7, 3), dtype=np.uint16))[1])
(out / "rgba-16.png").write_bytes(cv2.imencode(".png", rng.integers(0, 65536, (5, 7, 4), dtype=np.uint16))[1])

# GIF
palette.save(out / "palette.gif")
palette.save(out / "transparent.gif", transparency=3)
rgb.quantize(200).save(out / "frames.gif", save_all=True, append_images=[rgb.rotate(90).quantize(200)], duration=50)
for name, key in [("part", None), ("part-transparent", 5)]:
    b = io.BytesIO()
    palette.save(b, "GIF", interlace=1, **({} if key is None else {"transparency": key}))
    d = bytearray(b.getvalue())
    d[6:10] = struct.pack("<HH", 50, 41)  # the screen; the frame stays 45x37
    at = d.index(b"\x2c\0\0\0\0" + struct.pack("<HH", 45, 37))
    d[at + 1:at + 5] = struct.pack("<HH", 3, 2)
    (out / f"{name}.gif").write_bytes(d)

# BMP, TIFF, WebP
rgb.save(out / "rgb.bmp")
rgba.save(out / "rgba.bmp")
gray.save(out / "gray.bmp")
gray.convert("1").save(out / "bilevel.bmp")
palette.save(out / "palette.bmp")
for name, compression in [("raw", None), ("lzw", "tiff_lzw"), ("deflate", "tiff_adobe_deflate"), ("packbits", "packbits")]:
    rgb.save(out / f"rgb-{name}.tiff", compression=compression)
rgba.save(out / "rgba.tiff")
gray.save(out / "gray.tiff")
palette.save(out / "palette.tiff")
gray.convert("1").save(out / "fax.tiff", compression="group4", tiffinfo={262: 0})
gray.convert("1").save(out / "fax-black-is-zero.tiff", compression="group4", tiffinfo={262: 1})
gray.convert("1").save(out / "fax3-black-is-zero.tiff", compression="group3", tiffinfo={262: 1})
rgb.save(out / "lossy.webp", quality=85)
rgb.save(out / "coarse.webp", quality=10)
rgb.save(out / "lossless.webp", lossless=True)
rgba.save(out / "rgba.webp", quality=85, exact=True)
rgba.save(out / "rgba-lossless.webp", lossless=True, exact=True)
for w, h in [(1, 1), (2, 3), (3, 2), (16, 16)]:
    Image.fromarray(scene(w, h)).save(out / f"lossy-{w}x{h}.webp", quality=90)


class Bits:
    def __init__(self):
        self.value, self.n = 0, 0

    def put(self, v, n):
        self.value, self.n = self.value << n | v, self.n + n

    def bytes(self):
        pad = -self.n % 8
        data = (self.value << pad | (1 << pad) - 1).to_bytes((self.n + pad) // 8, "big")
        return data.replace(b"\xff", b"\xff\0")


def flat_jpeg(w, h, sampling, names, markers, seed):
    """A baseline JPEG of random constant blocks: each block is one DC difference
    (code: its bit length in 4 bits) and the end-of-block code (0)."""
    rng = np.random.default_rng(seed)
    names = names[:len(sampling)]
    segment = lambda m, body: bytes([0xff, m]) + struct.pack(">H", len(body) + 2) + body
    hmax, vmax = max(s[0] for s in sampling), max(s[1] for s in sampling)
    head = b"\xff\xd8" + markers + segment(0xdb, b"\0" + b"\x08" * 64)
    head += segment(0xc0, struct.pack(">BHHB", 8, h, w, len(sampling)) +
                    b"".join(bytes([n, s[0] << 4 | s[1], 0]) for n, s in zip(names, sampling)))
    head += segment(0xc4, b"\0" + bytes([0, 0, 0, 12] + [0] * 12) + bytes(range(12)))
    head += segment(0xc4, b"\x10" + bytes([1] + [0] * 15) + b"\0")
    head += segment(0xda, bytes([len(sampling)]) + b"".join(bytes([n, 0]) for n in names) + b"\0\x3f\0")
    bits, last = Bits(), [0] * len(sampling)
    for _ in range(-(-w // (8 * hmax)) * -(-h // (8 * vmax))):
        for c, (sh, sv) in enumerate(sampling):
            for _ in range(sh * sv):
                v = int(rng.integers(-128, 128))
                d, last[c] = v - last[c], v
                n = abs(d).bit_length()
                bits.put(n, 4)
                bits.put(d if d >= 0 else d + (1 << n) - 1, n)
                bits.put(0, 1)
    return head + bits.bytes() + b"\xff\xd9"


jfif = b"\xff\xe0\0\x10JFIF\0\1\1\0\0\1\0\1\0\0"
adobe = lambda t: b"\xff\xee\0\x0eAdobe\0\x64\0\0\0\0" + bytes([t])
one = (1, 1)
ids = b"\1\2\3\4"
for i, (name, sampling, names, markers) in enumerate([
    ("444", [one, one, one], ids, jfif),
    ("422", [(2, 1), one, one], ids, jfif),
    ("420", [(2, 2), one, one], ids, jfif),
    ("440", [(1, 2), one, one], ids, jfif),
    ("411", [(4, 1), one, one], ids, jfif),
    ("410", [(4, 2), one, one], ids, jfif),
    ("no-marker", [(2, 2), one, one], ids, b""),
    ("adobe-ycc", [(2, 2), one, one], ids, adobe(1)),
    ("adobe-rgb", [one, one, one], ids, adobe(0)),
    ("adobe-rgb-420", [(2, 2), one, one], ids, adobe(0)),
    ("named-rgb-422", [(2, 1), one, one], b"RGB", b""),
    ("jfif-adobe-rgb", [one, one, one], ids, jfif + adobe(0)),
    ("named-rgb-adobe-ycc", [one, one, one], b"RGB", adobe(1)),
    ("cmyk", [one] * 4, ids, adobe(0)),
    ("cmyk-420", [(2, 2), one, one, (2, 2)], ids, adobe(0)),
    ("ycck", [one] * 4, ids, adobe(2)),
    ("ycck-420", [(2, 2), one, one, (2, 2)], ids, adobe(2)),
    ("cmyk-no-marker", [one] * 4, ids, b""),
    ("gray-22", [(2, 2)], ids, jfif),
]):
    (out / f"flat-{name}.jpg").write_bytes(flat_jpeg(85, 53, sampling, names, markers, i))

expected = {}
for p in sorted(out.iterdir()):
    with Image.open(p) as im:
        expected[p.name] = np.array(ImageOps.exif_transpose(im).convert("RGB"))
np.savez_compressed(here / "decode.npz", **expected)

# Resizing
arrays, sizes = {}, [(w, h) for w in (1, 2, 3, 7, 10, 20, 21) for h in (1, 2, 5, 11, 13)]
for w, h in [(1, 1), (2, 3), (7, 5), (20, 26)]:
    m = np.random.default_rng(w).integers(0, 256, (h, w, 3), dtype=np.uint8)
    arrays[f"{w}x{h}"] = m
    for tw, th in sizes:
        arrays[f"{w}x{h}-bilinear-{tw}x{th}"] = cv2.resize(m, (tw, th))
        arrays[f"{w}x{h}-nearest-{tw}x{th}"] = np.array(Image.fromarray(m).resize((tw, th), Image.NEAREST))
np.savez_compressed(here / "resize.npz", **arrays)


def noise(w, h):
    state, values = np.uint32(w * 65536 + h), np.empty(w * h * 3, np.uint8)
    with np.errstate(over="ignore"):
        for i in range(values.size):
            state = state * np.uint32(1664525) + np.uint32(1013904223)
            values[i] = state >> np.uint32(24)
    return values.reshape(h, w, 3)


rng = np.random.default_rng(11)
cases = [(300, 200, 224, 224), (300, 200, 150, 100), (448, 448, 224, 224), (64, 48, 224, 224), (300, 450, 100, 150), (97, 61, 1, 1)]
cases += [tuple(int(v) for v in np.exp(rng.uniform(0, np.log(180), 4))) for _ in range(150)]
with open(here / "resize.csv", "w", newline="") as f:
    rows = csv.writer(f)
    rows.writerow(["width", "height", "to_width", "to_height", "bilinear", "nearest"])
    for w, h, tw, th in cases:
        m = noise(w, h)
        rows.writerow([w, h, tw, th, zlib.crc32(cv2.resize(m, (tw, th)).tobytes()),
                       zlib.crc32(Image.fromarray(m).resize((tw, th), Image.NEAREST).tobytes())])

# Photographs
if len(sys.argv) > 1:
    photos = pathlib.Path(sys.argv[1])
    names = sorted(p.relative_to(photos).as_posix() for p in photos.rglob("*.jpg"))
    grays = [n for n in names if Image.open(photos / n).mode == "L"]
    with open(here / "photographs.csv", "w", newline="") as f:
        rows = csv.writer(f)
        rows.writerow(["path", "width", "height", "sum", "every 997th value"])
        for n in names[100::600] + grays[:1]:
            m = np.array(Image.open(photos / n).convert("RGB"))
            rows.writerow([n, m.shape[1], m.shape[0], int(m.sum()), m.tobytes()[::997].hex()])
