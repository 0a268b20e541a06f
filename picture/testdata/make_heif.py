"""Makes the files of heif/, and beside each what libheif or libavif makes of it, upright
(NAME.png). Needs Pillow with AVIF, pillow-heif, numpy, Debian's libheif-examples and
libavif-bin, and a photograph:

    python make_heif.py PHOTOGRAPH
"""
import os, struct, subprocess, sys, tempfile

import numpy as np
from PIL import Image, ImageOps
import pillow_heif

pillow_heif.register_heif_opener()
here = os.path.join(os.path.dirname(os.path.abspath(__file__)), "heif")
photo = Image.open(sys.argv[1]).convert("RGB").resize((67, 45), Image.LANCZOS)
folder = tempfile.mkdtemp()
tmp = os.path.join(folder, "photo.png")


def path(name):
    return os.path.join(here, name)


def box(kind, body):
    return struct.pack(">I4s", 8 + len(body), kind) + body


def add_properties(name, out, props):
    """Writes a HEIC or AVIF file of one item anew, with more properties."""
    data = open(path(name), "rb").read()

    def parse(b):
        at, all = 0, []
        while at < len(b):
            n, kind = struct.unpack(">I4s", b[at : at + 8])
            n = n or len(b) - at
            all.append((kind, b[at + 8 : at + n]))
            at += n
        return all

    top = parse(data)
    meta = dict(parse(dict(top)[b"meta"][4:]))
    iprp = parse(meta[b"iprp"])
    ipco, ipma = dict(iprp)[b"ipco"], bytearray(dict(iprp)[b"ipma"])
    n = len(parse(ipco))
    assert ipma[7] == 1 and not ipma[3] & 1, "one item, short numbers"
    for k, (kind, body) in enumerate(props):
        ipco += box(kind, body)
        ipma += bytes([0x80 | n + k + 1])
    ipma[10] += len(props)
    grown = sum(8 + len(body) + 1 for _, body in props)
    old = box(b"iprp", meta[b"iprp"])
    new = box(b"iprp", box(b"ipco", ipco) + box(b"ipma", bytes(ipma)))
    at = data.index(old)
    data = bytearray(data[:at] + new + data[at + len(old) :])
    m = data.index(b"meta")
    struct.pack_into(">I", data, m - 4, struct.unpack_from(">I", data, m - 4)[0] + grown)
    i = data.index(b"iloc")
    sizes = data[i + 8]
    version = data[i + 4]
    assert sizes == 0x44 and version in (0, 1), (sizes, version)
    extent = i + 4 + 4 + 2 + 2 + 2 + (2 if version else 0) + 2 + (data[i + 9] >> 4) + 2
    offset = struct.unpack_from(">I", data, extent)[0]
    struct.pack_into(">I", data, extent, offset + grown)
    open(path(out), "wb").write(data)


def heic(name, image, **options):
    image.save(path(name), quality=options.pop("quality", 50), **options)


heic("420.heic", photo, chroma="420")
heic("422.heic", photo, chroma="422")
heic("444.heic", photo, chroma="444")
heic("gray.heic", photo.convert("L"))
alpha = photo.copy()
alpha.putalpha(photo.convert("L").point(lambda v: max(0, min(255, 2 * v - 100))))
heic("alpha.heic", alpha)
heic("limited.heic", photo, full_range_flag=0)
heic("bt709.heic", photo, matrix_coefficients=1)
deep = (np.asarray(photo).astype(np.uint16) * 257 + np.arange(67, dtype=np.uint16)[None, :, None]) & 0xFFFF
pillow_heif.encode("RGB;16", (67, 45), deep.tobytes(), path("10.heic"), quality=50)
# With odd sides libheif smooths chroma before it turns, and otherwise not.
heic("even.heic", photo.resize((66, 44), Image.LANCZOS), chroma="420")
for angle in (1, 2):
    add_properties("even.heic", f"irot{angle}.heic", [(b"irot", bytes([angle]))])
add_properties("even.heic", "imir1.heic", [(b"imir", b"\x01")])
add_properties("even.heic", "irot-imir.heic", [(b"irot", b"\x01"), (b"imir", b"\x01")])
add_properties("even.heic", "clap.heic", [(b"clap", struct.pack(">8i", 40, 1, 20, 1, 3, 1, -2, 1))])

photo.save(tmp)
for name, options in {"420.avif": ["-y", "420"], "444-10.avif": ["-y", "444", "-d", "10"], "gray.avif": ["-y", "400"],
                      "limited.avif": ["-r", "limited", "-y", "420"]}.items():
    subprocess.run(["avifenc", "-s", "6", *options, tmp, path(name)], check=True, capture_output=True)
alpha.save(tmp)
subprocess.run(["avifenc", "-s", "6", tmp, path("alpha.avif")], check=True, capture_output=True)
parts = []
for k in range(2):
    p = os.path.join(folder, f"{k}.png")
    photo.resize((128, 64)).crop((64 * k, 0, 64 * k + 64, 64)).save(p)
    parts.append(p)
subprocess.run(["avifenc", "-s", "6", "--grid", "2x1", *parts, path("grid.avif")], check=True, capture_output=True)
subprocess.run(["avifenc", "-s", "6", *parts, path("sequence.avif")], check=True, capture_output=True)

for name in sorted(os.listdir(here)):
    if not name.endswith(".png"):
        image = ImageOps.exif_transpose(Image.open(path(name)))
        image.convert("RGBA" if image.mode in ("RGBA", "LA") else "RGB").save(path(name + ".png"))
