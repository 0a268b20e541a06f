"""Makes the small files of this folder, and beside each NAME.want.png, as Pillow has it.

python make.py      (Pillow 13.0, tifffile 2026.3 with imagecodecs, libtiff 4.5's tiffcp)

picture/testdata/make_odd.py makes thousands more, to be thrown away.
"""
import pathlib
import subprocess
import tempfile

import numpy as np
import tifffile
from PIL import Image, ImageCms, ImageOps

here = pathlib.Path(__file__).parent
for old in here.glob("*.tiff*"):
    old.unlink()

bits_file, rgb_file = (pathlib.Path(tempfile.mkdtemp()) / n for n in ("bits.tiff", "rgb.tiff"))
w, h = 21, 14
y, x = np.mgrid[:h, :w]
m = np.stack([x * 12, y * 18, 255 - x * 6 - y * 9, 255 - x * 3], -1).astype(np.uint8)
m[3:7, 5:12] = [250, 10, 30, 255]
rgb, gray = Image.fromarray(m[..., :3]), Image.fromarray(m[..., 0])
bits = Image.new("1", (61, 19), 1)
bits.paste(rgb.resize((40, 15)).convert("1"), (9, 2))
bits.save(bits_file)
for c in ["g3:1d", "g3:2d", "g3:2d:fill", "g4", "packbits"]:
    for f in ["msb2lsb", "lsb2msb"]:
        subprocess.run(["tiffcp", "-c", c, "-f", f, "-r", "8", bits_file, here / f"{c.replace(':', '-')}-{f}.tiff"], check=True)
bits.save(here / "runs.tiff", compression="tiff_ccitt")
rgb.save(rgb_file)
for p, t in [("contig", []), ("separate", ["-t", "-w", "16", "-l", "16"])]:
    subprocess.run(["tiffcp", "-8", "-c", "lzw:2", "-p", p, *t, rgb_file, here / f"big-lzw-{p}.tiff"], check=True)
rgb.save(here / "lzma.tiff", compression="lzma")
rgb.save(here / "zstd.tiff", compression="zstd")
rgb.convert("CMYK").save(here / "cmyk.tiff", compression="packbits")
lab = ImageCms.profileToProfile(rgb, ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB"), outputMode="LAB")
lab.save(here / "lab.tiff", compression="tiff_adobe_deflate")
rgb.quantize(5).save(here / "palette.tiff")
g = m[..., 0]
save = lambda name, a, **k: tifffile.imwrite(here / name, a, metadata=None, software=False, **k)
save("gray16-be.tiff", (g.astype(">u2") * 3), byteorder=">", photometric="minisblack", compression="zlib", predictor=2)
save("float.tiff", g.astype("f4") * 2 - 90, photometric="minisblack", compression="zlib", predictor=3)
save("half.tiff", g.astype("f2"), photometric="minisblack")
save("signed.tiff", g.astype("i2") - 90, photometric="minisblack", compression="lzw", predictor=2)
save("rgb16.tiff", m[..., :3].astype(">u2") * 257, byteorder=">", photometric="rgb", planarconfig="contig", compression="zlib", predictor=2)
save("premultiplied.tiff", np.minimum(m, m[..., 3:]), photometric="rgb", extrasamples=[1], tile=(16, 16))
save("ycbcr.tiff", np.array(rgb.convert("YCbCr")), photometric="ycbcr", subsampling=(1, 1))

for p in sorted(here.glob("*.tiff")):
    want = gray if p.name == "half.tiff" else ImageOps.exif_transpose(Image.open(p))  # Pillow does not read it
    want.convert("RGB").save(str(p) + ".want.png", optimize=True)
