"""Writes JPEG files of random kinds, most of them damaged, and want.csv: what Pillow makes
of those that it reads.

    python make_random.py SEED COUNT FOLDER
    JPEG_RANDOM=FOLDER go test -run TestAsPillow ./internal/jpeg

Needs Pillow 13 with libjpeg-turbo 3.2, numpy, and cjpeg and jpegtran of libjpeg-turbo 3.
"""
import csv
import io
import pathlib
import random
import subprocess
import sys
import zlib

import numpy
from PIL import Image

seed, count, folder = int(sys.argv[1]), int(sys.argv[2]), pathlib.Path(sys.argv[3])
folder.mkdir(parents=True, exist_ok=True)
random.seed(seed)
noise = numpy.random.default_rng(seed)
sizes = [(1, 1), (2, 3), (7, 9), (16, 16), (17, 33), (45, 37), (64, 8), (100, 75), (3, 64), (130, 90), (33, 47), (257, 123), (400, 300)]
scripts = [
    "0,1,2: 0-0, 0, 1;\n0: 1-5, 0, 2;\n2: 1-63, 0, 1;\n1: 1-63, 0, 1;\n0: 6-63, 0, 2;\n0: 1-63, 2, 1;\n0,1,2: 0-0, 1, 0;\n2: 1-63, 1, 0;\n1: 1-63, 1, 0;\n0: 1-63, 1, 0;\n",
    "0: 0-0, 0, 3;\n1: 0-0, 0, 0;\n2: 0-0, 0, 2;\n0: 1-2, 0, 0;\n0: 3-9, 0, 1;\n1: 1-63, 0, 0;\n2: 1-5, 0, 4;\n",
    "0,1,2: 0-0, 0, 0;\n0: 1-1, 0, 0;\n1: 1-63, 0, 0;\n0: 2-63, 0, 0;\n2: 1-63, 0, 0;\n",
    "0;\n1;\n2;\n",
    "0;\n1 2;\n",
    "1;\n0 2;\n",
]


def picture():
    w, h = random.choice(sizes)
    y, x = numpy.mgrid[0:h, 0:w]
    kind = random.randrange(4)
    if kind == 0:
        a = numpy.stack([x * 5 % 256, y * 7 % 256, (x + y) * 3 % 256, x * y % 256], -1)
    elif kind == 1:
        a = noise.integers(0, 256, (h, w, 4))
    elif kind == 2:
        a = numpy.stack([128 + 100 * numpy.sin(x / 7 + i) + 20 * numpy.cos(y / (5 + i)) for i in range(4)], -1)
    else:
        a = numpy.zeros((h, w, 4))
        for _ in range(6):
            x0, y0 = random.randrange(w), random.randrange(h)
            a[y0 : y0 + random.randrange(1, h + 1), x0 : x0 + random.randrange(1, w + 1)] = noise.integers(0, 256, 4)
    return a.clip(0, 255).astype("uint8")


def sampling():
    while True:
        f = [(random.choice([1, 1, 1, 2, 2, 2, 3, 4]), random.choice([1, 1, 1, 2, 2, 2, 3, 4])) for _ in range(3)]
        across, down = max(a for a, _ in f), max(b for _, b in f)
        fits = all(across % a == 0 and down % b == 0 for a, b in f)
        if sum(a * b for a, b in f) <= 10 and (fits or random.random() < 0.03):
            return ",".join("%dx%d" % ab for ab in f)


def whole():
    a = picture()
    quality = random.choice([5, 30, 75, 90, 100])
    arithmetic = ["-arithmetic"] * (random.random() < 0.3)
    ppm, b = io.BytesIO(), io.BytesIO()
    if random.random() < 0.15:
        Image.fromarray(a, "CMYK").save(b, "JPEG", quality=quality)
        data = b.getvalue().replace(b"Adobe\0\x64\0\0\0\0\0", b"Adobe\0\x64\0\0\0\0" + random.choice([b"\0", b"\2"]))
        options = ["jpegtran", "-copy", "all", *arithmetic, *random.choice([[], ["-progressive"]])]
        return subprocess.run(options, input=data, capture_output=True, check=True).stdout
    options = ["cjpeg", "-quality", str(quality), *arithmetic]
    if random.random() < 0.15:
        options += ["-grayscale", "-sample", "%dx%d" % (random.randint(1, 4), random.randint(1, 2))]
    else:
        options += ["-sample", sampling()] + ["-rgb"] * (random.random() < 0.15)
        if random.random() < 0.2:
            (folder / "scans").write_text(random.choice(scripts))
            options += ["-scans", str(folder / "scans")]
    if "-scans" not in options and random.random() < 0.4:
        options += ["-progressive"]
    if random.random() < 0.4:
        options += ["-restart", random.choice(["1", "2", "1B", "3B", "5B"])]
    Image.fromarray(a[:, :, :3]).save(ppm, "PPM")
    return subprocess.run(options, input=ppm.getvalue(), capture_output=True, check=True).stdout


def scans(data):
    return [i for i in range(len(data) - 4) if data[i : i + 2] == b"\xff\xda"]


def damaged(data):
    """Changes something in one scan, mostly."""
    begins = scans(data)
    if not begins:
        return data
    begin = random.choice(begins)
    n = begin + 2 + int.from_bytes(data[begin + 2 : begin + 4], "big")
    end = min([b for b in begins if b > begin] or [len(data) - 2])
    if n >= end:
        return data
    at = random.randrange(n, end)
    some = bytes(noise.integers(0, 256, random.randint(1, 20)).astype("uint8"))
    restarts = [i for i in range(n, end - 1) if data[i] == 0xFF and 0xD0 <= data[i + 1] <= 0xD7]
    r = random.choice(restarts or [at])
    return random.choice(
        [
            lambda: data[:at] + bytes([data[at] ^ 1 << random.randrange(8)]) + data[at + 1 :],
            lambda: data[:at] + b"\xff\xd9",
            lambda: data[: random.choice(begins[1:] or begins)] + b"\xff\xd9",
            lambda: data[:at] + bytes(len(some)) + data[at + len(some) :],
            lambda: data[:at] + bytes(len(data) - at),
            lambda: data[:at] + data[at + len(some) :],
            lambda: data[:at] + some + data[at:],
            lambda: data[:r] + data[r + 2 :],
            lambda: data[: r + 1] + bytes([0xD0 + random.randrange(8)]) + data[r + 2 :],
            lambda: data[:r] + random.choice([b"\xff", b"\xff\xff\xff", data[r : r + 2], b"\xff\xd5", b"\xff\x01", b"abc", b"\xff\xc4", b"\xff\x30"]) + data[r:],
            lambda: data[:at] + b"\xff" + bytes([random.choice([0xD0, 0xD3, 0xD7, 0xFF, 0x01, 0xC0, 0xE0, 0xFE, 0xDA, 0xDD])]) + data[at:],
            lambda: data.replace(b"\xff\xdd", b"\xff\xfe", 1),
            lambda: data[: data.find(b"\xff\xdd") + 5] + bytes([random.randrange(8)]) + data[data.find(b"\xff\xdd") + 6 :],
            lambda: data[: (i := random.randrange(3, n))] + bytes([random.randrange(256)]) + data[i + 1 :],
        ]
    )()


with open(folder / "want.csv", "w", newline="") as f:
    rows = csv.writer(f, lineterminator="\n")
    rows.writerow(["file", "width", "height", "crc32 of the RGB values"])
    for k in range(count):
        try:
            data = whole()
        except subprocess.CalledProcessError:
            continue  # factors that cjpeg does not write
        for _ in range(random.choice([0, 1, 1, 1, 1, 2, 2])):
            data = damaged(data)
        name = "%05d.jpg" % k
        (folder / name).write_bytes(data)
        try:
            m = Image.open(io.BytesIO(data))
            if m.width * m.height > 1 << 20:
                continue
            m = m.convert("RGB")
        except Exception:
            continue
        rows.writerow([name, m.width, m.height, "%08x" % zlib.crc32(m.tobytes())])
