"""Makes mixed.safetensors and mixed.json: the same values, the first written by
the safetensors package, the second as NumPy prints them after conversion to
float32. bfloat16, which NumPy lacks, is cut from float32 here.

    python make_mixed.py        (needs numpy and safetensors)
"""
import json
import pathlib
import struct

import numpy as np
from safetensors.numpy import save

here = pathlib.Path(__file__).parent
rng = np.random.default_rng(3)
special = np.array([0.0, -0.0, 1.0, -2.5, 65504, 6e-8, 6.1e-5, 1 / 3])
arrays = {
    "conv/kernel": rng.normal(size=(3, 3, 2, 4)).astype(np.float32),
    "conv/bias": rng.normal(size=4).astype(np.float32),
    "half": np.concatenate([special, rng.normal(size=8)]).astype(np.float16).reshape(4, 4),
    "double": np.concatenate([special, rng.normal(size=8)]).astype(np.float64).reshape(2, 8),
    "scalar": np.array(42.5, np.float32),
    "empty": np.zeros((0, 5), np.float32),
    "Größe \"quoted\" <&>": np.arange(6, dtype=np.float32).reshape(1, 2, 3),
    "counter": np.array([0, -7, 1 << 24], dtype=np.int64),
    "bfloat": (rng.normal(size=8).astype(np.float32).view(np.uint32) >> 16).astype(np.uint16),
}
file = save(arrays, metadata={"format": "np", "made by": "make_mixed.py"})

# The package takes NumPy types only: relabel the one array that holds bfloat16.
(length,) = struct.unpack("<Q", file[:8])
header = json.loads(file[8 : 8 + length])
header["bfloat"]["dtype"] = "BF16"
text = json.dumps(header, separators=(",", ":"), ensure_ascii=False).encode()
text += b" " * (-len(text) % 8)
(here / "mixed.safetensors").write_bytes(struct.pack("<Q", len(text)) + text + file[8 + length :])

expected = {name: a.astype(np.float32) for name, a in arrays.items() if name != "bfloat"}
expected["bfloat"] = (arrays["bfloat"].astype(np.uint32) << 16).view(np.float32)
lines = [
    json.dumps(name, ensure_ascii=False)
    + ': {"shape": %s, "bits": %s}' % (list(a.shape), a.reshape(-1).view(np.uint32).tolist())
    for name, a in sorted(expected.items())
]
(here / "mixed.json").write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
