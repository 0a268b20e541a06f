"""What the makers share: a TensorFlow that gives the same bits on every run, and the file format.

Import this module before keras or tensorflow: the settings only work when they come first.
"""
import json
import os
import struct
from pathlib import Path

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
# oneDNN picks its kernels, and so the order of its sums, by what CPU it finds; Eigen does so much less.
os.environ["TF_ENABLE_ONEDNN_OPTS"] = "0"

import numpy as np
import tensorflow as tf

tf.config.threading.set_intra_op_parallelism_threads(1)
tf.config.threading.set_inter_op_parallelism_threads(1)
tf.config.experimental.enable_op_determinism()

import keras

HERE = Path(__file__).parent


def versions():
    return {"keras": keras.__version__, "tensorflow": tf.__version__, "numpy": np.__version__}


def save_tensors(name, tensors, **metadata):
    """Writes float32 tensors as a safetensors file beside this script.

    Metadata values are written as JSON text. (safetensors' own writer puts the metadata in a random order;
    this one sorts it, so that a rerun gives the same bytes.)
    """
    header = {"__metadata__": {k: json.dumps(v) for k, v in sorted({"versions": versions(), **metadata}.items())}}
    blobs, end = [], 0
    for key in sorted(tensors):
        value = np.asarray(tensors[key])
        assert value.dtype == np.float32, f"{key} is {value.dtype}"
        begin, end = end, end + value.nbytes
        header[key] = {"dtype": "F32", "shape": list(value.shape), "data_offsets": [begin, end]}
        blobs.append(value.astype("<f4").tobytes())
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    (HERE / name).write_bytes(struct.pack("<Q", len(text)) + text + b"".join(blobs))
    print(f"{name}: {len(tensors)} tensors, {(HERE / name).stat().st_size:,} bytes")


def save_json(name, value):
    (HERE / name).write_text(json.dumps({"versions": versions(), **value}, indent=1, ensure_ascii=False) + "\n")
    print(f"{name}: {(HERE / name).stat().st_size:,} bytes")
