"""Makes pictures that are odd but valid, and beside each NAME.want.png, as Pillow has it.

python make_odd.py FOLDER
LOOKALIKE_ODD=FOLDER go test ./picture -run TestCases

Of the programs tiffcp, tiffset, fax2tiff (libtiff), convert (ImageMagick), cwebp, webpmux,
gif2webp, gifsicle and pngcrush those are asked that are there; Python needs Pillow, numpy
and tifffile (with imagecodecs). What Pillow refuses is deleted, and named at the end.
"""
import itertools
import pathlib
import shutil
import struct
import subprocess
import sys
import zlib

import numpy as np
import tifffile
from PIL import Image, ImageCms, ImageOps

out = pathlib.Path(sys.argv[1])
out.mkdir(parents=True, exist_ok=True)
for old in out.iterdir():
    old.unlink()


def scene(w, h, channels=3, seed=7):
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[:h, :w].astype(float)
    m = np.stack([128 + 110 * np.sin(x / 5 + y / 9), 255 * y / max(h - 1, 1),
                  128 + 120 * np.cos(x / 7 - y / 4), 255 * x / max(w - 1, 1)], -1)
    m[h // 4:h // 2, w // 3:2 * w // 3] = [250, 10, 30, 128]
    m[h // 2:3 * h // 4, w // 2:] = [5, 20, 240, 0]
    m += rng.normal(0, 6, m.shape)
    return np.clip(m, 0, 255).astype(np.uint8)[..., :channels].copy()


rgb, rgba = Image.fromarray(scene(77, 51)), Image.fromarray(scene(77, 51, 4))
gray, bits = rgb.convert("L"), rgb.convert("1")
palette = rgb.quantize(40)
page = Image.new("1", (301, 97), 1)
page.paste(rgb.resize((120, 90)).convert("1"), (50, 3))


def run(*args):
    args = [str(a) for a in args]
    if not shutil.which(args[0]):
        return False
    return subprocess.run(args, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


# TIFF by Pillow: every mode in every compression
for m in ["1", "L", "LA", "P", "PA", "I;16", "I", "F", "RGB", "RGBX", "RGBA", "CMYK", "YCbCr", "LAB"]:
    for c in [None, "tiff_lzw", "tiff_adobe_deflate", "tiff_deflate", "packbits", "group3", "group4", "tiff_ccitt", "lzma", "zstd", "webp", "jpeg"]:
        for big in [False, True]:
            if m == "LAB":
                p = ImageCms.createProfile("sRGB"), ImageCms.createProfile("LAB")
                im = ImageCms.profileToProfile(rgb, *p, outputMode="LAB")
            elif m == "I;16":
                im = Image.fromarray((np.array(gray, np.uint16) * 2))
            elif m in ("I", "F"):
                im = Image.fromarray(np.array(gray).astype(np.int32 if m == "I" else np.float32) * 2 - 100)
            elif m == "PA":
                im = palette.convert("PA")
            elif m in ("LA", "RGBA", "RGBX"):
                im = rgba.convert(m) if m != "RGBX" else rgb.convert("RGBX")
            else:
                im = page if m == "1" else palette if m == "P" else rgb.convert(m)
            name = f"pil-{m.replace(';', '')}-{c}{'-big' if big else ''}.tiff"
            try:
                im.save(out / name, compression=c, big_tiff=big)
            except Exception:
                (out / name).unlink(missing_ok=True)

# by tifffile: kinds of numbers, tiles, planes, byte orders, predictors, rows per strip
rng = np.random.default_rng(1)
kinds = {
    "minisblack": [("u1", 1), ("u1", 2), ("u2", 1), ("u2", 2), ("i1", 1), ("i2", 1), ("u4", 1), ("i4", 1), ("f2", 1), ("f4", 1), ("f8", 1), ("b1", 1)],
    "miniswhite": [("u1", 1), ("u2", 1), ("f4", 1), ("b1", 1)],
    "rgb": [("u1", 3), ("u1", 4), ("u1", 5), ("u1", 6), ("u2", 3), ("u2", 4), ("u4", 3), ("f4", 3)],
    "separated": [("u1", 4), ("u1", 5), ("u2", 4)],
    "cielab": [("u1", 3)], "ycbcr": [("u1", 3)],
}
for photo, list_ in kinds.items():
    for dt, n in list_:
        for order, planar, tile, comp, pred, extra in itertools.product("<>", [False, True], [None, (16, 32), (64, 128)], [None, "lzw", "zlib", "zstd", "packbits", "lzma"], [None, 2, 3], [None, 0, 1, 2]):
            base = {"minisblack": 1, "miniswhite": 1, "rgb": 3, "separated": 4, "cielab": 3, "ycbcr": 3}[photo]
            if planar and n == 1 or (n == base) != (extra is None) or pred == 3 and dt[0] != "f" or pred == 2 and dt[0] == "f" or pred and comp in (None, "packbits"):
                continue
            a = scene(77, 51, 4)
            while a.shape[-1] < n:
                a = np.concatenate([a, a[..., ::-1]], -1)
            a = a[..., :n]
            if dt == "b1":
                a = a > 128
            elif dt in ("u2", "u4", "i4", "i2"):
                a = a.astype(dt) * (257 if photo in ("rgb", "separated") else 2) - (100 if dt[0] == "i" else 0)
            elif dt == "i1":
                a = (a // 2).astype(dt)
            else:
                a = a.astype(dt)
            a = a[..., 0] if n == 1 else np.moveaxis(a, -1, 0) if planar else a
            name = f"tf-{photo}-{dt}-{n}-{'le' if order == '<' else 'be'}{'-planar' if planar else ''}{'-tile%d' % tile[0] if tile else ''}-{comp}-p{pred}-x{extra}.tiff"
            kw = {}
            if extra is not None:
                kw["extrasamples"] = [extra] + [0] * (n - base - 1)
            if not tile:
                kw["rowsperstrip"] = 7
            if photo == "ycbcr":
                kw["subsampling"] = (1, 1)
            # What Pillow reads with the bytes of numbers reversed, two for one, or signed.
            if order == ">" and comp and dt in ("i2", "i4", "f4") or planar and not comp and dt == "u2" and base > 1 or planar and photo == "cielab":
                continue
            try:
                tifffile.imwrite(out / name, np.ascontiguousarray(a.astype(a.dtype.newbyteorder(order))), byteorder=order, photometric=photo,
                                 planarconfig=("separate" if planar else "contig") if n > 1 else None, tile=tile, compression=comp, predictor=pred, metadata=None, **kw)
            except Exception as e:
                (out / name).unlink(missing_ok=True)
    print(photo, flush=True)
for photo, n in [("minisblack", 1), ("rgb", 3), ("ycbcr", 3)]:
    for tile in [None, (32, 32)]:
        for sub in [(1, 1), (2, 1), (2, 2)]:
            kw = {"subsampling": sub} if photo == "ycbcr" else {}
            a = scene(77, 51)
            try:
                tifffile.imwrite(out / f"tf-jpeg-{photo}-{sub[0]}{sub[1]}-{tile is not None}.tiff", a[..., 0] if n == 1 else a, photometric=photo, tile=tile, rowsperstrip=None if tile else 16,
                                 compression="jpeg", metadata=None, **kw)
            except Exception as e:
                print("jpeg", photo, e)

# by hand: any tags, any bits
def tiff(name, tags, blocks, order="<", big=False, shuffle=False, counts=True, long=True):
    """tags: {number: (kind, values)}; offsets and counts of blocks are added."""
    size = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 16: 8}
    letter = {1: "B", 2: "B", 3: "H", 4: "I", 16: "Q"}
    head = 16 if big else 8
    data, offsets = b"", []
    for b in blocks:
        offsets.append(head + len(data))
        data += b + b"\0" * (len(b) % 2)
    tags = dict(tags)
    kind = 16 if big else 4 if long else 3
    off, cnt = (324, 325) if 322 in tags else (273, 279)
    tags[off] = (kind, offsets)
    if counts:
        tags[cnt] = (kind, [len(b) for b in blocks])
    items = sorted(tags.items())
    if shuffle:
        items = items[::-1]
    word, wf, hf = (8, "Q", "Q") if big else (4, "I", "H")
    at = head + len(data)
    extra = at + (8 if big else 2) + len(items) * (4 + 2 * word) + word
    body, tail = struct.pack(order + hf, len(items)), b""
    for tag, (k, v) in items:
        if k == 5:
            raw = b"".join(struct.pack(order + "II", *x) for x in v)
        else:
            raw = struct.pack(order + str(len(v)) + letter[k], *v)
        body += struct.pack(order + "HH" + wf, tag, k, len(v))
        if len(raw) <= word:
            body += raw.ljust(word, b"\0")
        else:
            body += struct.pack(order + wf, extra + len(tail))
            tail += raw + b"\0" * (len(raw) % 2)
    body += struct.pack(order + wf, 0)
    magic = {"<": b"II", ">": b"MM"}[order]
    header = magic + (struct.pack(order + "HHHQ", 43, 8, 0, at) if big else struct.pack(order + "HI", 42, at))
    (out / name).write_bytes(header + data + body + tail)


def pack(rows, nbits):
    """rows of samples into bytes, each row beginning with one."""
    b = b""
    for r in rows:
        s = "".join(format(int(v), f"0{nbits}b") for v in r)
        s += "0" * (-len(s) % 8)
        b += int(s, 2).to_bytes(len(s) // 8, "big")
    return b


def reverse(b):
    return bytes(int(format(v, "08b")[::-1], 2) for v in b)


G = np.array(gray)
for n in (1, 2, 4, 8, 12):
    q = (G.astype(int) * ((1 << n) - 1) // 255) if n < 12 else G.astype(int)
    for photo in (0, 1, 3):
        for fill in (1, 2):
            for order in "<>":
                raw = pack(q, n)
                t = {256: (3, [77]), 257: (3, [51]), 258: (3, [n]), 259: (3, [1]), 262: (3, [photo]), 266: (3, [fill]), 277: (3, [1]), 278: (3, [51])}
                if photo == 3:
                    m = np.arange(1 << n)
                    t[320] = (3, list(np.concatenate([m * 257 * 255 // ((1 << n) - 1), 65535 - m * 256, m * 5 * 256 % 65536])))
                try:
                    tiff(f"hand-{n}-{photo}-f{fill}-{'le' if order == '<' else 'be'}.tiff", t, [reverse(raw) if fill == 2 else raw], order)
                    t[259] = (3, [8])
                    z = zlib.compress(raw)
                    tiff(f"hand-z-{n}-{photo}-f{fill}-{'le' if order == '<' else 'be'}.tiff", t, [reverse(z) if fill == 2 else z], order)
                except struct.error:
                    pass
A = np.array(rgb)
base = {256: (3, [77]), 257: (3, [51]), 258: (3, [8, 8, 8]), 259: (3, [1]), 262: (3, [2]), 277: (3, [3]), 278: (3, [10])}
strips = [A[y:y + 10].tobytes() for y in range(0, 51, 10)]
tiff("hand-rgb.tiff", base, strips)
tiff("hand-rgb-short.tiff", base, strips, long=False)
tiff("hand-rgb-shuffled.tiff", base, strips, shuffle=True)
tiff("hand-rgb-big.tiff", base, strips, big=True)
tiff("hand-rgb-big-be.tiff", base, strips, ">", big=True)
tiff("hand-rgb-nocounts.tiff", base, strips, counts=False)
tiff("hand-rgb-fill2.tiff", {**base, 266: (3, [2])}, [reverse(s) for s in strips])
tiff("hand-rgb-one-bps.tiff", {**base, 258: (3, [8])}, strips)
tiff("hand-rgb-4bps.tiff", {**base, 258: (3, [8, 8, 8, 8])}, strips)
tiff("hand-rgb-rps-huge.tiff", {**base, 278: (4, [2**32 - 1])}, [A.tobytes()])
t = dict(base); del t[278]
tiff("hand-rgb-rps-none.tiff", t, [A.tobytes()])
for o in range(1, 9):
    tiff(f"hand-rgb-orient{o}.tiff", {**base, 274: (3, [o])}, strips)
tiff("hand-predictor-unused.tiff", {**base, 317: (3, [2])}, strips)
P = [A[y:y + 10, :, c].tobytes() for c in range(3) for y in range(0, 51, 10)]
tiff("hand-planar.tiff", {**base, 284: (3, [2])}, P)
tiff("hand-planar-big.tiff", {**base, 284: (3, [2])}, P, big=True)
tiff("hand-planar-zip.tiff", {**base, 284: (3, [2]), 259: (3, [8])}, [zlib.compress(p) for p in P])
X = np.array(rgba)
P4 = [X[y:y + 10, :, c].tobytes() for c in range(4) for y in range(0, 51, 10)]
for x in (0, 1, 2, 999):
    tiff(f"hand-planar4-{x}.tiff", {**base, 284: (3, [2]), 258: (3, [8] * 4), 277: (3, [4]), 338: (3, [x])}, P4)
    tiff(f"hand-rgb4-{x}.tiff", {**base, 258: (3, [8] * 4), 277: (3, [4]), 338: (3, [x])}, [X[y:y + 10].tobytes() for y in range(0, 51, 10)])
# YCbCr with samples in common, not JPEG
Y = np.array(rgb.convert("YCbCr")).astype(int)
for hs, vs in [(1, 1), (2, 1), (2, 2), (1, 2), (4, 1), (4, 4), (4, 2), (2, 4)]:
    def units(a):
        h, w = a.shape[:2]
        a = np.pad(a, ((0, -h % vs), (0, -w % hs), (0, 0)), "edge")
        b = b""
        for y in range(0, a.shape[0], vs):
            for x in range(0, a.shape[1], hs):
                u = a[y:y + vs, x:x + hs]
                b += bytes(u[..., 0].ravel().tolist()) + bytes([int(u[..., 1].mean()), int(u[..., 2].mean())])
        return b
    t = {**base, 262: (3, [6]), 278: (3, [16]), 530: (3, [hs, vs])}
    blocks = [units(Y[y:y + 16]) for y in range(0, 51, 16)]
    tiff(f"hand-ycc-{hs}{vs}.tiff", t, blocks)
    tiff(f"hand-ycc-{hs}{vs}-zip.tiff", {**t, 259: (3, [8])}, [zlib.compress(b) for b in blocks])
    tiff(f"hand-ycc-{hs}{vs}-ref.tiff", {**t, 259: (3, [8]), 532: (5, [(16, 1), (235, 1), (128, 1), (240, 1), (128, 1), (240, 1)]), 529: (5, [(2126, 10000), (7152, 10000), (722, 10000)])}, [zlib.compress(b) for b in blocks])
    tw = {k: v for k, v in t.items() if k != 278}
    tiles = [units(np.pad(Y, ((0, 64 - 51), (0, 96 - 77), (0, 0)), "edge")[y:y + 32, x:x + 32]) for y in (0, 32) for x in (0, 32, 64)]
    tiff(f"hand-ycc-{hs}{vs}-tile.tiff", {**tw, 322: (3, [32]), 323: (3, [32]), 259: (3, [8])}, [zlib.compress(b) for b in tiles])

# LZW of old libraries: the lowest bits first, codes that grow one later
def old_lzw(data):
    v = n = 0
    table, width, codes = {bytes([i]): i for i in range(256)}, 9, []
    def put(c):
        nonlocal v, n
        v |= c << n
        n += width
    put(256)
    seen, nxt = b"", 258
    for b in data:
        b = bytes([b])
        if seen + b in table:
            seen += b
            continue
        put(table[seen])
        table[seen + b] = nxt
        nxt += 1
        if nxt > (1 << width):
            width += 1
        if nxt == 4094:
            put(256)
            table, width, nxt = {bytes([i]): i for i in range(256)}, 9, 258
        seen = b
    put(table[seen])
    nxt += 1
    if nxt > (1 << width):
        width += 1
    put(257)
    return v.to_bytes((n + 7) // 8, "little")


for r in (3, 51):
    tiff(f"hand-old-lzw-{r}.tiff", {**base, 259: (3, [5]), 278: (3, [r])}, [old_lzw(A[y:y + r].tobytes()) for y in range(0, 51, r)])

# by libtiff's tools
src = out / "src.tiff"
Image.Image.save(page, src)
for c in ["g3", "g3:1d", "g3:2d", "g3:fill", "g3:2d:fill", "g4", "lzw", "zip", "packbits", "none", "lzma", "zstd"]:
    for f in ["msb2lsb", "lsb2msb"]:
        for r in [[], ["-r", "8"], ["-t", "-w", "64", "-l", "32"]]:
            for e in ["-L", "-B"]:
                run("tiffcp", "-c", c, "-f", f, e, *r, src, out / f"cp-{c.replace(':', '_')}-{f}{e}{''.join(r)}.tiff")
src2 = out / "src2.tiff"
for m, im in [("rgb", rgb), ("gray", gray), ("cmyk", rgb.convert("CMYK")), ("rgba", rgba)]:
    im.save(src2)
    for c in ["lzw:2", "zip:2", "zstd:2", "lzma:2", "jpeg", "jpeg:r", "jpeg:r:50", "none", "packbits", "webp"]:
        for p in ["contig", "separate"]:
            for r in [["-r", "16"], ["-t", "-w", "32", "-l", "16"], ["-8"]]:
                run("tiffcp", "-c", c, "-p", p, *r, src2, out / f"cp-{m}-{c.replace(':', '_')}-{p}{''.join(r)}.tiff")
src.unlink(); src2.unlink()
page.save(out / "tmp.png")
for q in ["rle", "fax", "group4", "jpeg", "lzw", "zip", "webp", "zstd"]:
    run("convert", out / "tmp.png", "-compress", q, out / f"im-bits-{q}.tiff")
rgb.save(out / "tmp.png")
for q, depth, space in itertools.product(["none", "jpeg", "lzw", "zip", "rle"], [1, 2, 4, 8, 12, 16, 32], ["sRGB", "gray", "CMYK", "Lab", "YCbCr"]):
    run("convert", out / "tmp.png", "-colorspace", space, "-depth", depth, "-compress", q, out / f"im-{q}-{depth}-{space}.tiff")
for e in ["msb", "lsb"]:
    run("convert", out / "tmp.png", "-endian", e, "-define", f"tiff:fill-order={e}", "-depth", 8, out / f"im-fill-{e}.tiff")
    run("convert", out / "tmp.png", "-monochrome", "-endian", e, "-define", f"tiff:fill-order={e}", "-compress", "group4", out / f"im-fill-g4-{e}.tiff")
(out / "tmp.png").unlink()

# PNG
for m, im in [("1", bits), ("L", gray), ("LA", rgba.convert("LA")), ("P", palette), ("RGB", rgb), ("RGBA", rgba), ("I16", Image.fromarray(np.array(gray, np.uint16) * 3)), ("P2", rgb.quantize(4)), ("P1", rgb.quantize(2)), ("P4", rgb.quantize(13))]:
    im.save(out / f"pil-{m}.png")
    for depth, il in itertools.product([1, 2, 4, 8, 16], ["none", "PNG"]):
        run("convert", out / f"pil-{m}.png", "-interlace", il, "-depth", depth, out / f"im-{m}-{depth}-{il}.png")
    for w, h in [(1, 1), (2, 3), (3, 2), (5, 9), (7, 1), (1, 7)]:
        s = out / f"small-{m}-{w}x{h}.png"
        im.crop((3, 3, 3 + w, 3 + h)).save(s)
        run("convert", s, "-interlace", "PNG", out / f"small-{m}-{w}x{h}-interlaced.png")


def chunk(n, b, bad=False):
    return struct.pack(">I", len(b)) + n + b + struct.pack(">I", zlib.crc32(n + b) ^ bad)


def png(name, parts):
    (out / name).write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


head = chunk(b"IHDR", struct.pack(">IIBBBBB", 77, 51, 8, 2, 0, 0, 0))
rows = b"".join(b"\0" + r.tobytes() for r in A)
z = zlib.compress(rows)
end = chunk(b"IEND", b"")
dat = chunk(b"IDAT", z)
text = chunk(b"tEXt", b"Comment\0x")
png("p-plain.png", [head, dat, end])
png("p-many.png", [head] + [chunk(b"IDAT", z[i:i + 100]) for i in range(0, len(z), 100)] + [end])
png("p-empty-idats.png", [head, chunk(b"IDAT", b""), chunk(b"IDAT", z[:50]), chunk(b"IDAT", b""), chunk(b"IDAT", z[50:]), chunk(b"IDAT", b""), end])
png("p-text-first.png", [text, head, dat, end])
png("p-long-ihdr.png", [chunk(b"IHDR", struct.pack(">IIBBBBB", 77, 51, 8, 2, 0, 0, 0) + b"xx"), dat, end])
png("p-behind.png", [head, dat, end, b"garbage" * 30])
png("p-no-end.png", [head, dat])
png("p-no-crc.png", [head, dat[:-4]])
png("p-no-adler.png", [head, chunk(b"IDAT", z[:-4]), end])
png("p-half-adler.png", [head, chunk(b"IDAT", z[:-2]), end])
png("p-bad-idat-crc.png", [head, chunk(b"IDAT", z, True), end])
png("p-bad-late-crc.png", [head, dat, chunk(b"tEXt", b"a\0b", True), end])
png("p-extra.png", [head, chunk(b"IDAT", zlib.compress(rows + b"more" * 1000)), end])
png("p-extra-behind.png", [head, chunk(b"IDAT", z + b"more" * 1000), end])
png("p-missing-rows.png", [head, chunk(b"IDAT", zlib.compress(rows[:232 * 40])), end])
png("p-unknown-critical.png", [head, chunk(b"ABCD", b"x"), dat, end])
png("p-trns-rgba.png", [head, chunk(b"tRNS", b"\0" * 40), dat, end])
png("p-plte-rgb.png", [head, chunk(b"PLTE", bytes(12)), dat, chunk(b"PLTE", bytes(12)), end])
png("p-short-window.png", [head, chunk(b"IDAT", b"\x18\x19" + zlib.compress(rows, wbits=15)[2:]), end])
png("p-apng-default.png", [head, chunk(b"acTL", struct.pack(">II", 1, 0)), dat, chunk(b"fcTL", struct.pack(">IIIIIHHBB", 0, 77, 51, 0, 0, 1, 1, 0, 0)), chunk(b"fdAT", struct.pack(">I", 1) + zlib.compress(rows[::-1])), end])
indices = b"".join(b"\0" + r.tobytes() for r in np.array(palette))
phead = chunk(b"IHDR", struct.pack(">IIBBBBB", 77, 51, 8, 3, 0, 0, 0))
png("p-short-plte.png", [phead, chunk(b"PLTE", bytes(range(30))), chunk(b"IDAT", zlib.compress(indices)), end])
png("p-plte-7.png", [phead, chunk(b"PLTE", bytes(range(31))), chunk(b"IDAT", zlib.compress(indices)), end])
png("p-plte-3.png", [phead, chunk(b"PLTE", bytes(range(30))), chunk(b"PLTE", bytes(range(60, 90))), chunk(b"IDAT", zlib.compress(indices)), chunk(b"PLTE", bytes(30)), end])
png("p-plte-long.png", [phead, chunk(b"PLTE", bytes(i % 256 for i in range(900))), chunk(b"IDAT", zlib.compress(indices)), end])
rgb.save(out / "p-apng.png", save_all=True, append_images=[rgb.rotate(90)], duration=50)
rgb.save(out / "p-apng2.png", save_all=True, append_images=[rgb.rotate(90)], duration=50, default_image=True)

# GIF
palette.save(out / "g.gif")
palette.save(out / "g-interlaced.gif", interlace=1)
palette.save(out / "g-key.gif", transparency=3)
palette.save(out / "g-frames.gif", save_all=True, append_images=[rgb.rotate(90).quantize(20)], disposal=2, duration=30)
bits.save(out / "g-bits.gif")
gray.save(out / "g-gray.gif")
for s in ["g", "g-interlaced", "g-key", "g-frames", "g-bits", "g-gray"]:
    for o in [["-O3"], ["--lossy=80"], ["--no-interlace"], ["--interlace"], ["--colors=7"], ["--crop", "3,4-60,40"], ["--logical-screen", "100x90"], ["--comment", "hello"], ["--loopcount"]]:
        run("gifsicle", *o, out / (s + ".gif"), "-o", out / f"{s}-sicle{''.join(o).replace('=', '')}.gif")


def gif(name, screen, frame, flags=0, colours=None, local=None, key=None, before=b"", codes=None, end=b"\0;", size=8, pixels=None):
    b = b"GIF89a" + struct.pack("<HHBBB", *screen, (0x80 | (len(colours) // 3).bit_length() - 2) if colours else 0, 0, 0) + (colours or b"")
    b += before
    if key is not None:
        b += b"!\xf9\x04\x01\0\0" + bytes([key]) + b"\0"
    x, y, w, h = frame
    b += b"," + struct.pack("<HHHHB", x, y, w, h, flags | ((0x80 | (len(local) // 3).bit_length() - 2) if local else 0)) + (local or b"")
    if codes is None:
        # literals only, with a clear before the codes grow
        v, n, bit = 0, 0, size + 1
        px = pixels if pixels is not None else [(i * 7) % min(1 << size, 250) for i in range(w * h)]
        seq = []
        for i, p in enumerate(px):
            if i % max(1, (1 << size) - 2) == 0:
                seq.append(1 << size)
            seq.append(p)
        seq.append((1 << size) + 1)
        for s in seq:
            v |= s << n
            n += bit
        codes = v.to_bytes((n + 7) // 8, "little")
    b += bytes([size]) + b"".join(bytes([len(codes[i:i + 255])]) + codes[i:i + 255] for i in range(0, len(codes), 255)) + end
    (out / name).write_bytes(b)


C = bytes(np.random.default_rng(2).integers(0, 256, 768, dtype=np.uint8))
gif("gh-plain.gif", (20, 10), (0, 0, 20, 10), colours=C)
gif("gh-over.gif", (20, 10), (5, 3, 20, 10), colours=C)
gif("gh-over-key.gif", (20, 10), (5, 3, 20, 10), colours=C, key=9)
gif("gh-part.gif", (30, 20), (5, 3, 20, 10), colours=C)
gif("gh-part-key.gif", (30, 20), (5, 3, 20, 10), colours=C, key=9)
gif("gh-local.gif", (30, 20), (5, 3, 20, 10), colours=C[:24], local=C, key=9)
gif("gh-local-only.gif", (30, 20), (5, 3, 20, 10), local=C)
gif("gh-no-palette.gif", (30, 20), (5, 3, 20, 10))
gif("gh-no-palette-key.gif", (30, 20), (5, 3, 20, 10), key=77)
gif("gh-short-palette.gif", (20, 10), (0, 0, 20, 10), colours=C[:48])
gif("gh-interlaced.gif", (20, 10), (0, 0, 20, 10), flags=0x40, colours=C)
for h in (1, 2, 3, 4, 5, 8, 9):
    gif(f"gh-interlaced-{h}.gif", (20, h), (0, 0, 20, h), flags=0x40, colours=C)
gif("gh-no-end.gif", (20, 10), (0, 0, 20, 10), colours=C, end=b"")
gif("gh-no-trailer.gif", (20, 10), (0, 0, 20, 10), colours=C, end=b"\0")
gif("gh-zeros.gif", (20, 10), (0, 0, 20, 10), colours=C, before=b"\0\0\0")
gif("gh-unknown.gif", (20, 10), (0, 0, 20, 10), colours=C, before=b"!\x77\x03abc\x02de\0")
gif("gh-comment.gif", (20, 10), (0, 0, 20, 10), colours=C, before=b"!\xfe\x03abc\0!\xff\x0bNETSCAPE2.0\x03\x01\0\0\0")
gif("gh-control5.gif", (20, 10), (5, 0, 20, 10), colours=C, before=b"!\xf9\x05\x01\0\0\x09\0\0")
gif("gh-screen0.gif", (0, 0), (0, 0, 20, 10), colours=C)
gif("gh-more.gif", (20, 10), (0, 0, 20, 10), colours=C, pixels=[i % 250 for i in range(300)])
gif("gh-less.gif", (20, 10), (0, 0, 20, 10), colours=C, pixels=[i % 250 for i in range(130)])
gif("gh-2.gif", (20, 10), (0, 0, 20, 10), colours=C[:12], size=2, pixels=[i % 4 for i in range(200)])
gif("gh-2-over.gif", (20, 10), (0, 0, 20, 10), colours=C[:6], size=2, pixels=[i % 4 for i in range(200)])
gif("gh-1.gif", (20, 10), (0, 0, 20, 10), colours=C[:6], size=1, pixels=[i % 2 for i in range(200)])

# WebP
rgb.save(out / "lossy.webp"); rgba.save(out / "lossy-alpha.webp"); rgba.save(out / "w-lossless.webp", lossless=True)
frames = [rgba.rotate(a) for a in (0, 30, 60)]
for l in (True, False):
    frames[0].save(out / f"{'w-anim' if l else 'lossy-anim'}.webp", save_all=True, append_images=frames[1:], lossless=l)
run("gif2webp", out / "g-frames.gif", "-o", out / "w-gif.webp")
run("gif2webp", "-lossy", out / "gh-part-key.gif", "-o", out / "lossy-gif.webp")
run("gif2webp", out / "gh-part-key.gif", "-o", out / "w-gif-part.webp")
run("webpmux", "-frame", out / "w-lossless.webp", "+100+10+6", "-frame", out / "lossy.webp", "+100+20+30", "-bgcolor", "255,255,1,2", "-o", out / "w-mux.webp")
run("webpmux", "-frame", out / "lossy.webp", "+100+10+6", "-frame", out / "w-lossless.webp", "+100+20+30", "-o", out / "lossy-mux.webp")


def riff(name, *chunks):
    b = b"".join(n + struct.pack("<I", len(c)) + c + b"\0" * (len(c) % 2) for n, c in chunks)
    (out / name).write_bytes(b"RIFF" + struct.pack("<I", len(b) + 4) + b"WEBP" + b)


def body(name):
    d = (out / name).read_bytes()
    at = 12
    while at < len(d):
        n, s = d[at:at + 4], struct.unpack("<I", d[at + 4:at + 8])[0]
        yield n, d[at + 8:at + 8 + s]
        at += 8 + s + s % 2


x = lambda flags, w=77, h=51: (b"VP8X", bytes([flags, 0, 0, 0]) + (w - 1).to_bytes(3, "little") + (h - 1).to_bytes(3, "little"))
vp8, vp8l = dict(body("lossy.webp"))[b"VP8 "], dict(body("w-lossless.webp"))[b"VP8L"]
alph = dict(body("lossy-alpha.webp"))
riff("lossy-flag-no-alph.webp", x(0x10), (b"VP8 ", vp8))
riff("lossy-alph-no-flag.webp", x(0), (b"ALPH", alph[b"ALPH"]), (b"VP8 ", alph[b"VP8 "]))
riff("w-noflag.webp", x(0), (b"VP8L", vp8l))
riff("w-flag.webp", x(0x10), (b"VP8L", vp8l))
riff("w-unknown.webp", x(0x10), (b"ABCD", b"odd"), (b"VP8L", vp8l), (b"EFGH", b"x"))
riff("lossy-unknown.webp", x(0), (b"ABCD", b"odd"), (b"VP8 ", vp8))
riff("lossy-icc.webp", x(0x20), (b"ICCP", b"odd"), (b"VP8 ", vp8))
riff("lossy-icc-unflagged.webp", x(0), (b"ICCP", b"odd"), (b"VP8 ", vp8), (b"EXIF", b"xx"), (b"XMP ", b"yy"))
riff("lossy-behind.webp", (b"VP8 ", vp8), (b"ABCD", b"odd"))
riff("lossy-size.webp", x(0, 78, 51), (b"VP8 ", vp8))

# BMP
for m, im in [("1", bits), ("L", gray), ("P", palette), ("RGB", rgb), ("RGBA", rgba)]:
    im.save(out / f"pil-{m}.bmp")
    for kind in ["bmp2", "bmp3", "bmp"]:
        for q in ["none", "rle"]:
            run("convert", out / f"pil-{m}.bmp", "-compress", q, f"{kind}:{out / f'im-{m}-{kind}-{q}.bmp'}")
    for sub in ["RGB565", "ARGB4444", "ARGB1555", "RGB555"]:
        run("convert", out / f"pil-{m}.bmp", "-define", f"bmp:subtype={sub}", out / f"im-{m}-{sub}.bmp")


def bmp(name, w, h, nbits, rows, comp=0, size=40, masks=b"", colours=b"", used=0, gap=0, top=False, planes=1):
    info = struct.pack("<IiiHHIIiiII", size, w, -h if top else h, planes, nbits, comp, len(rows), 2835, 2835, used, 0)
    if size == 12:
        info = struct.pack("<IHHHH", 12, w, h, planes, nbits)
    elif size > 40:
        info = (info + masks).ljust(size, b"\0")
        masks = b""
    else:
        info = info[:size]
    head = info + masks + colours + b"\0" * gap
    (out / name).write_bytes(b"BM" + struct.pack("<IHHI", 14 + len(head) + len(rows), 0, 0, 14 + len(head)) + head + rows)


def lines(a, nbits, top=False):
    b = b""
    for r in (a if top else a[::-1]):
        line = pack([r], nbits) if nbits <= 8 else r.tobytes()
        b += line + b"\0" * (-len(line) % 4)
    return b


I = np.array(palette).astype(int)
table = bytes(v for i in range(256) for v in (i * 5 % 256, 255 - i, i * 3 % 256, 0))
table3 = bytes(v for i in range(256) for v in (i * 5 % 256, 255 - i, i * 3 % 256))
for n in (1, 4, 8):
    q = I % (1 << n)
    for size in (40, 52, 56, 64, 108, 124):
        for top in (False, True):
            bmp(f"b-{n}-{size}-{top}.bmp", 77, 51, n, lines(q, n, top), size=size, colours=table[:4 << n], top=top)
    bmp(f"b-{n}-12.bmp", 77, 51, n, lines(q, n), size=12, colours=table3[:3 << n])
    bmp(f"b-{n}-used.bmp", 77, 51, n, lines(q, n), colours=table[:4 * (1 << n) // 2], used=(1 << n) // 2)
    bmp(f"b-{n}-gap.bmp", 77, 51, n, lines(q, n), colours=table[:4 << n], gap=10)
bmp("b-8-used-more.bmp", 77, 51, 8, lines(I, 8), colours=table + b"\0" * 400, used=356)
B = np.ascontiguousarray(np.array(rgba)[..., [2, 1, 0, 3]])
bmp("b-24.bmp", 77, 51, 24, lines(B[..., :3], 24))
bmp("b-24-12.bmp", 77, 51, 24, lines(B[..., :3], 24), size=12)
bmp("b-24-top.bmp", 77, 51, 24, lines(B[..., :3], 24, True), top=True)
for size in (40, 56, 108, 124):
    bmp(f"b-32-{size}.bmp", 77, 51, 32, lines(B, 32), size=size)
    for mname, mk in {"bgra": (0xff0000, 0xff00, 0xff, 0xff000000), "bgrx": (0xff0000, 0xff00, 0xff, 0), "rgba": (0xff, 0xff00, 0xff0000, 0xff000000), "argb": (0xff00, 0xff0000, 0xff000000, 0xff), "xrgb": (0xff00, 0xff0000, 0xff000000, 0)}.items():
        bmp(f"b-32-{size}-{mname}.bmp", 77, 51, 32, lines(B, 32), comp=3, size=size, masks=struct.pack("<IIII", *mk)[:12 if size == 40 else 16])
S = (np.array(rgb).astype(np.uint16) >> 3)
for mname, v, mk in [("565", S[..., 0] << 11 | (np.array(rgb)[..., 1].astype(np.uint16) >> 2) << 5 | S[..., 2], (0xf800, 0x7e0, 0x1f)), ("555", S[..., 0] << 10 | S[..., 1] << 5 | S[..., 2], (0x7c00, 0x3e0, 0x1f))]:
    for size in (40, 56, 108, 124):
        bmp(f"b-16-{mname}-{size}.bmp", 77, 51, 16, lines(v.astype("<u2"), 16), comp=3, size=size, masks=struct.pack("<IIII", *mk, 0)[:12 if size == 40 else 16])
    bmp(f"b-16-plain-{mname}.bmp", 77, 51, 16, lines(v.astype("<u2"), 16))
bmp("b-rle8.bmp", 10, 4, 8, b"\x05\x01\x05\x02\0\0\0\x05\1\2\3\4\5\0\x05\x09\0\0\0\2\3\1\4\7\0\1", comp=1, colours=table)
bmp("b-rle4.bmp", 10, 4, 4, b"\x05\x12\x05\x23\0\0\0\x05\x12\x34\x50\0\x05\x9a\0\0\0\2\3\1\4\x7c\0\1", comp=2, colours=table[:64])
bmp("b-planes0.bmp", 77, 51, 24, lines(B[..., :3], 24), planes=0)

# what Pillow makes of them
refused = []
for p in sorted(out.iterdir()):
    if p.name.endswith(".want.png"):
        continue
    try:
        im = Image.open(p)
        im = ImageOps.exif_transpose(im).convert("RGB")
        im.save(str(p) + ".want.png")
    except Exception as e:
        refused.append(p.name)
        p.rename(out / (p.name + ".refused"))
print(len(list(out.glob("*.want.png"))), "pictures;", len(refused), "refused by Pillow:")
print("\n".join(refused))
