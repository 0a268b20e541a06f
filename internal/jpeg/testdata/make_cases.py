"""Writes JPEG files of unusual kinds and damaged ones, and want.csv: what Pillow makes of them.

    python make_cases.py

Needs Pillow 13 with libjpeg-turbo 3.2, numpy, and cjpeg and jpegtran of libjpeg-turbo 3.
"""
import csv
import io
import pathlib
import subprocess
import zlib

import numpy
from PIL import Image

here = pathlib.Path(__file__).parent
y, x = numpy.mgrid[0:43, 0:51]
pixels = numpy.stack([128 + 90 * numpy.sin(x / 9 + i) + 30 * numpy.cos(y / (5 + 2 * i)) + 12 * ((x // 4 + y // 6) % 2) for i in range(4)], -1)
pixels = pixels.clip(0, 255).astype("uint8")
ppm = io.BytesIO()
Image.fromarray(pixels[:, :, :3]).save(ppm, "PPM")
cases = {}


def run(program, *options, data=ppm.getvalue(), scans=None):
    if scans:
        (here / "scans").write_text(scans)
        options += "-scans", str(here / "scans")
    out = subprocess.run([program, *options], input=data, capture_output=True, check=True).stdout
    (here / "scans").unlink(missing_ok=True)
    return out


def cjpeg(sample="2x2,1x1,1x1", *options, scans=None):
    return run("cjpeg", "-quality", "60", "-sample", sample, *options, scans=scans)


def find(data, marker, nth=0):
    at = 0
    for _ in range(nth + 1):
        at = data.index(b"\xff" + bytes([marker]), at) + 2
    return at - 2


def scan(data, nth=0):
    """Where the data of the nth scan begins."""
    at = find(data, 0xDA, nth) + 2
    return at + int.from_bytes(data[at : at + 2], "big")


for sample in ["4x1,1x1,1x1", "2x2,1x2,2x1", "1x1,2x2,2x2", "3x1,1x1,1x1", "1x4,1x1,1x1", "1x1,2x1,1x2", "4x2,1x1,1x1"]:
    name = sample.replace(",", "-")
    cases["sampled-" + name] = cjpeg(sample)
    cases["sampled-progressive-" + name] = cjpeg(sample, "-progressive")

cases["arithmetic"] = cjpeg("2x2,1x1,1x1", "-arithmetic")
cases["arithmetic-restart"] = cjpeg("2x1,1x1,1x1", "-arithmetic", "-restart", "3B")
cases["arithmetic-progressive"] = progressive = cjpeg("2x1,1x2,1x1", "-arithmetic", "-progressive")
cases["arithmetic-scans-missing"] = progressive[: find(progressive, 0xDA, 4)] + b"\xff\xd9"
cases["arithmetic-cut"] = cases["arithmetic"][:-90] + b"\xff\xd9"
cases["arithmetic-grey-conditions"] = cjpeg("3x2", "-arithmetic", "-grayscale").replace(b"\xff\xda", b"\xff\xcc\x00\x06\x00\x32\x10\x09\xff\xda", 1)

progressive = cjpeg("2x2,1x1,1x1", "-progressive")
for n in [1, 2, 3, 5, 9]:
    cases["scans-%d" % n] = progressive[: find(progressive, 0xDA, n)] + b"\xff\xd9"
for n in [0, 1, 5, 9]:
    cases["cut-in-scan-%d" % n] = progressive[: scan(progressive, n) + 12] + b"\xff\xd9"
cases["scans-dc-coarse"] = run("cjpeg", scans="0: 0-0, 0, 3;\n1: 0-0, 0, 0;\n2: 0-0, 0, 2;\n0: 1-2, 0, 0;\n0: 3-9, 0, 1;\n2: 1-5, 0, 4;\n")
cases["scans-tall"] = run("cjpeg", "-sample", "1x4,1x1,1x2", scans="0,1,2: 0-0, 0, 0;\n0: 1-1, 0, 2;\n")
cases["scans-grey"] = run("cjpeg", "-grayscale", "-sample", "1x2", scans="0: 0-0, 0, 1;\n")

plain = cases["sequential-scans"] = cjpeg("2x1,1x1,1x2", scans="0;\n1 2;\n")
cases["sequential-scan-missing"] = plain[: find(plain, 0xDA, 1)] + b"\xff\xd9"
coarse = cases["sixteen-bit-factors"] = run("cjpeg", "-quality", "1")

restart = cjpeg("2x2,1x1,1x1", "-restart", "2B")
first = find(restart, 0xD1)
cases["restart-missing"] = restart[:first] + restart[first + 2 :]
cases["restart-doubled"] = restart[:first] + restart[first : first + 2] + restart[first:]
cases["restart-filled"] = restart[:first] + b"\xff\xff" + restart[first:]
for number in [0, 2, 3, 5, 7]:
    cases["restart-%d-for-1" % number] = restart[: first + 1] + bytes([0xD0 + number]) + restart[first + 2 :]
cases["restart-behind-rubbish"] = restart[:first] + b"\x12\x34\xff\x00\x56" + restart[first:]
cases["restart-other-marker"] = restart[: first + 1] + b"\xe5" + restart[first + 2 :]
cases["restart-interval-missing"] = restart.replace(b"\xff\xdd\x00\x04\x00\x02", b"")

plain = cjpeg()
data = scan(plain)
bare = plain
while b"\xff\xc4" in bare:
    at = find(bare, 0xC4)
    bare = bare[:at] + bare[at + 2 + int.from_bytes(bare[at + 2 : at + 4], "big") :]
cases["tables-missing"] = bare  # those of Annex K, which frames of films leave out
cases["rubbish-between"] = plain[: find(plain, 0xC4)] + b"rubbish\xff\x00\xff\xff" + plain[find(plain, 0xC4) :]
cases["cut-and-ended"] = plain[: (data + len(plain)) // 2] + b"\xff\xd9"
cases["zeros-inside"] = plain[: data + 40] + bytes(60) + plain[data + 100 :]
cases["codes-that-there-are-not"] = plain[: data + 50] + b"\xff\x00" * 10 + plain[data + 70 :]
cases["numbers-out-of-range"] = b"".join([plain[: data + 30], bytes(range(1, 250, 5)), plain[data + 80 :]])
cases["numbers-out-of-range-coarse"] = b"".join([coarse[: scan(coarse) + 9], bytes(range(3, 250, 7)), coarse[scan(coarse) + 30 :]])

four = io.BytesIO()
Image.fromarray(pixels, "CMYK").save(four, "JPEG", quality=60)
four = four.getvalue()
cases["cmyk"] = four
cases["ycck"] = four.replace(b"Adobe\x00\x64\x00\x00\x00\x00\x00", b"Adobe\x00\x64\x00\x00\x00\x00\x02")
cases["cmyk-no-marker"] = four[:2] + four[find(four, 0xDB) :]
cases["ycck-arithmetic"] = run("jpegtran", "-arithmetic", data=cases["ycck"])
cases["ycck-progressive"] = run("jpegtran", "-progressive", "-copy", "all", data=cases["ycck"])

for old in here.glob("*.jpg"):
    old.unlink()
with open(here / "want.csv", "w", newline="") as f:
    rows = csv.writer(f, lineterminator="\n")
    rows.writerow(["file", "width", "height", "crc32 of the RGB values"])
    for name, data in sorted(cases.items()):
        (here / (name + ".jpg")).write_bytes(data)
        m = Image.open(io.BytesIO(data)).convert("RGB")
        rows.writerow([name + ".jpg", m.width, m.height, "%08x" % zlib.crc32(m.tobytes())])
