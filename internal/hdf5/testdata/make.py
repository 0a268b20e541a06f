"""Makes the HDF5 files of the reader's tests with h5py, and expected.json: what h5py reads from them.
Run in this folder:  python make.py        (h5py 3.14, HDF5 1.14)

Each file has the oldest layout that the library writes (libver earliest: superblock 0, symbol tables, headers 1) or
the newest (libver latest: superblock 3, headers 2, dense links and attributes, all chunk indexes)."""
import gzip
import json
import os
import zlib

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

expected = {}


def ramp(*shape, dtype="<f4"):
    """Values that every type here holds exactly."""
    n = int(np.prod(shape))
    return (np.arange(n) % 101).astype(dtype).reshape(shape)


def low_level(f, name, data, plist, maxshape=None):
    space = h5s.create_simple(data.shape, maxshape or data.shape)
    d = h5d.create(f.id, name.encode(), h5t.py_create(data.dtype, logical=True), space, plist)
    d.write(h5s.ALL, h5s.ALL, np.ascontiguousarray(data))


def types(f):
    for t in ("<f2", ">f2", "<f4", ">f4", "<f8", ">f8", "|i1", "|u1", "<i2", ">i2", "<u2", "<i4", ">u4", "<i8", ">i8", "<u8", "|b1"):
        f[f"types/{t[1:]}{'be' if t[0] == '>' else ''}"] = ramp(3, 2, dtype=t)
    f["types/special"] = np.array([0, -0.0, np.inf, -np.inf, 1e-45, -1e-40, 3.4e38, 0.1], "<f4")
    f["types/special2"] = np.array([0, -0.0, np.inf, -np.inf, 6e-8, -1e-5, 65504, 0.1], "<f2")
    f["types/negative"] = np.array([-1, -128, 127], "i1")
    f["types/scalar"] = np.float32(2.5)
    f["types/empty"] = np.zeros((0, 4), "<f4")
    f["types/named"] = np.dtype("<f4")
    f.create_dataset("types/of_named", data=ramp(4), dtype=f["types/named"])
    bf16 = h5t.IEEE_F32LE.copy()
    bf16.set_fields(15, 7, 8, 0, 7)
    bf16.set_size(2)
    bf16.set_ebias(127)
    bf16.set_precision(16)
    d = h5d.create(f.id, b"types/bf16", bf16, h5s.create_simple((6,)))
    d.write(h5s.ALL, h5s.ALL, ramp(6), mtype=h5t.IEEE_F32LE)


def latest(f):
    return f.libver[0] != "earliest"


def layouts(f):
    f["contiguous"] = ramp(5, 7)
    compact = h5p.create(h5p.DATASET_CREATE)
    compact.set_layout(h5d.COMPACT)
    low_level(f, "compact", ramp(4, 3), compact)
    for kind, kw in {
        "plain": {},
        "deflate": dict(compression="gzip"),
        "fletcher": dict(fletcher32=True),
        "all": dict(compression="gzip", compression_opts=9, shuffle=True, fletcher32=True),
    }.items():
        if not latest(f) and kind == "fletcher":
            continue  # a B-tree takes 2 KB here
        f.create_dataset(f"chunks/{kind}/fixed", data=ramp(9, 10), chunks=(4, 3), **kw)
        f.create_dataset(f"chunks/{kind}/single", data=ramp(6, 5), chunks=(6, 5), **kw)
        f.create_dataset(f"chunks/{kind}/larger", data=ramp(3, 5), chunks=(4, 8), maxshape=(8, 8), **kw)
        if not latest(f) and kind != "plain":
            continue
        f.create_dataset(f"chunks/{kind}/extensible", data=ramp(13, 9), chunks=(2, 4), maxshape=(None, 9), **kw)
        f.create_dataset(f"chunks/{kind}/second", data=ramp(5, 17), chunks=(3, 2), maxshape=(5, None), **kw)
        f.create_dataset(f"chunks/{kind}/third", data=ramp(3, 4, 7), chunks=(2, 3, 2), maxshape=(6, 5, None), **kw)
        f.create_dataset(f"chunks/{kind}/tree", data=ramp(11, 9), chunks=(3, 4), maxshape=(None, None), **kw)
        f.create_dataset(f"chunks/{kind}/limited", data=ramp(5, 6), chunks=(2, 2), maxshape=(9, 11), **kw)
    f.create_dataset("chunks/odd", data=ramp(7, 3, dtype="|u1"), chunks=(5, 3), fletcher32=True, shuffle=True)
    f.create_dataset("chunks/big_endian", data=ramp(7, 3, dtype=">f8"), chunks=(5, 2), compression="gzip", shuffle=True)
    early = h5p.create(h5p.DATASET_CREATE)
    early.set_chunk((3, 4))
    early.set_alloc_time(h5d.ALLOC_TIME_EARLY)
    low_level(f, "chunks/implicit", ramp(7, 9), early)
    low_level(f, "chunks/implicit_limited", ramp(7, 9), early, (9, 20))
    d = f.create_dataset("chunks/shrunk", data=ramp(12, 9), chunks=(2, 4), maxshape=(None, 9))
    d.resize((5, 9))
    noise = f.create_dataset("chunks/masked", shape=(4, 6), dtype="<f4", chunks=(2, 6), compression="gzip", shuffle=True)
    noise[...] = ramp(4, 6)
    noise.id.write_direct_chunk((2, 0), ramp(4, 6)[2:].tobytes(), filter_mask=3)  # neither filter used


def many_chunks(f):
    """Indexes of several levels and pages."""
    f.create_dataset("fixed_pages", data=ramp(1100, dtype="|u1"), chunks=(1,))
    f.create_dataset("extensible_blocks", data=ramp(700, dtype="|u1"), chunks=(1,), maxshape=(None,))
    f.create_dataset("tree_levels", data=ramp(20, 20, dtype="|u1"), chunks=(1, 1), maxshape=(None, None))


def tree_levels(f):
    """What takes the place of many_chunks in old files."""
    f.create_dataset("tree_levels", data=ramp(20, 21, dtype="|u1"), chunks=(1, 2))


def extensible_pages(f):
    f.create_dataset("pages", data=ramp(6000, dtype="|u1"), chunks=(2,), maxshape=(None,))
    f.create_dataset("deflated", data=ramp(400, dtype="|u1"), chunks=(2,), maxshape=(None,), fletcher32=True)


def texts(f):
    f.attrs["one"] = "Ünïcode 日本"
    f.attrs["bytes"] = b"plain"
    f.attrs["fixed"] = np.array([b"a", b"bcd", b""])
    f.attrs["fixed_one"] = np.bytes_("block1_conv1")
    f.attrs["list"] = ["x", "", "a longer text " * 20]
    f.attrs["grid"] = np.array([["a", "b"], ["c", "d"]], dtype=h5py.string_dtype())
    f.attrs["none"] = []
    f.attrs["numbers"] = np.array([1.5, -2, 3], "<f4")
    f.attrs["int"] = 7
    f.attrs["shape"] = (3, 224, 224)
    f.attrs["bool"] = True
    f.attrs["half"] = np.array([[1, 2]], ">f2")
    f.attrs["null"] = h5py.Empty("f4")
    space = h5t.C_S1.copy()
    space.set_size(6)
    space.set_strpad(h5t.STR_SPACEPAD)
    a = h5py.h5a.create(f.id, b"padded", space, h5s.create_simple((2,)))
    a.write(np.array([b"ab    ", b"abcdef"], "S6"), mtype=space)
    f["group"] = ramp(2)
    f["group"].attrs["config"] = json.dumps({"name": "n" * 300})


def many(f):
    """Many links and attributes: several levels of trees and heaps."""
    g = f.create_group("links")
    for i in range(120):
        g[f"member_{i:03}"] = h5py.SoftLink("/value")
    f["value"] = ramp(3)
    f["deep/er/than/that/value"] = h5py.SoftLink("/deep/er/direct")
    f["deep/er/direct"] = ramp(2)
    f["deep/hard"] = f["value"]
    f["deep/here"] = h5py.SoftLink("hard")
    a = f.create_group("attributes")
    for i in range(60):
        a.attrs[f"attribute_{i:03}"] = f"value {i}"
    a.attrs["large"] = np.arange(3000, dtype="<i4")


def dense(f):
    """Link after link in a heap with indirect blocks, and attributes that are too large for its blocks."""
    g = f.create_group("many", track_order=True)
    for i in range(260):
        g[f"a_rather_long_name_for_a_link_{i:04}"] = h5py.SoftLink("/value")
    f["value"] = ramp(3)
    f.attrs["long"] = "y" * 9000
    for i in range(9):
        f.attrs[f"huge_{i}"] = np.full(1200 if i < 3 else 1, i, "<i4")


def refused(f):
    """What is not read; expected.json has no value for these."""
    f["external_link"] = h5py.ExternalLink("other.h5", "/x")
    f["dangling"] = h5py.SoftLink("/nowhere")
    f["circle"] = h5py.SoftLink("/circle")
    f["a"], f["b"] = h5py.SoftLink("/b"), h5py.SoftLink("/a")
    f.create_dataset("external", shape=(4,), dtype="<f4", external=[("other.bin", 0, 16)])
    f.create_dataset("lzf", data=ramp(40), chunks=(40,), compression="lzf")
    f.create_dataset("scaled", data=ramp(40, dtype="<i4"), chunks=(40,), scaleoffset=7)
    f["compound"] = np.zeros(2, [("x", "<f4"), ("y", "<i4")])
    f["text"] = ["some", "text"]
    f["fixed_text"] = np.array([b"ab", b"cd"])
    f.create_dataset("array", shape=(2,), dtype=np.dtype(("<f4", (3,))))
    f.create_dataset("never", shape=(100,), dtype="<f4")
    f.create_dataset("never_chunked", shape=(1 << 40,), dtype="<f4", chunks=(1 << 20,))
    half = f.create_dataset("half_written", shape=(8,), dtype="<f4", chunks=(4,))
    half[:4] = 1
    f["opaque"] = np.array([b"ab", b"cd"], "V2")
    f["complex"] = np.zeros(2, "<c8")


def virtual(f):
    layout = h5py.VirtualLayout(shape=(4,), dtype="<f4")
    layout[:] = h5py.VirtualSource("other.h5", "x", shape=(4,))
    f.create_virtual_dataset("virtual", layout)
    f["value"] = ramp(2)


def plain(x):
    """A value as JSON: strings, or numbers as float32, or the CRC-32 of many of those."""
    if isinstance(x, h5py.Empty):
        return []
    x = np.asarray(x)
    if x.dtype.kind in "OSU":
        return [v.decode() if isinstance(v, bytes) else str(v) for v in x.ravel()]
    with np.errstate(over="ignore"):
        x = x.astype("<f4").ravel()
    return [repr(float(v)) for v in x] if x.size <= 99 else ["crc32", str(zlib.crc32(x.tobytes()))]


def describe(f):
    out = {"datasets": {}, "attributes": {}, "groups": {}}

    def attributes(path, o):
        for k, v in o.attrs.items():
            out["attributes"][f"{path}@{k}"] = {"shape": list(() if isinstance(v, h5py.Empty) else np.shape(v)), "values": plain(v)}

    def walk(path, g):
        out["groups"][path] = sorted(g.keys())
        attributes(path, g)
        for name in g:
            p = path.rstrip("/") + "/" + name
            o = g[name]
            if isinstance(g.get(name, getlink=True), h5py.SoftLink) and len(g) > 50:
                continue
            if isinstance(o, h5py.Group):
                walk(p, o)
            elif isinstance(o, h5py.Dataset):
                attributes(p, o)
                values = o[()] if o.dtype.kind != "V" else None
                out["datasets"][p] = {"shape": list(o.shape), "values": plain(values)}

    walk("/", f)
    return out


for maker in (types, layouts, many_chunks, tree_levels, extensible_pages, texts, many, dense, refused, virtual):
    for libver in ("earliest", "latest"):
        if maker in (extensible_pages, many_chunks) and libver == "earliest" or maker is tree_levels and libver == "latest":
            continue
        name = f"{maker.__name__}_{libver}.h5"
        with h5py.File(name, "w", libver=("v110" if maker is virtual else libver, "latest")) as f:
            maker(f)
        if maker not in (refused, virtual):
            with h5py.File(name) as f:
                expected[name] = describe(f)
for libver in ("earliest", "latest"):
    name = f"userblock_{libver}.h5"
    with h5py.File(name, "w", libver=libver, userblock_size=1024) as f:
        f["value"] = ramp(3, 2)
        f["group/deflated"] = ramp(4)
        f.attrs["text"] = ["in", "a heap"]
    with h5py.File(name) as f:
        expected[name] = describe(f)

# An extensible array whose data blocks have pages has over 131,000 elements: 2.2 MB, nearly all of it alike.
with h5py.File("paged.h5", "w", libver="latest") as f:
    f.create_dataset("pages", data=ramp(272_000, dtype="<i4"), chunks=(2,), maxshape=(None,))
with open("paged.h5", "rb") as f, open("paged.h5.gz.gz", "wb") as out:
    out.write(gzip.compress(gzip.compress(f.read(), 9, mtime=0), 9, mtime=0))
os.remove("paged.h5")

with open("expected.json", "w") as out:
    json.dump(expected, out, separators=(",", ":"), ensure_ascii=False, sort_keys=True)
    out.write("\n")
