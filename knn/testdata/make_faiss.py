"""Makes faiss.json: exact neighbours by FAISS's flat indexes, in float32.

Euclidean distances are the roots of what IndexFlatL2 gives; cosine is the inner
product of vectors brought to length 1, as FAISS's users compute it.

    python make_faiss.py        (needs numpy and faiss-cpu)
"""
import json
import pathlib

import faiss
import numpy as np

rng = np.random.default_rng(11)
vectors = rng.normal(size=(150, 9)).astype(np.float32)
queries = rng.normal(size=(12, 9)).astype(np.float32)
k = 10


def unit(a):
    a = a.copy()
    faiss.normalize_L2(a)
    return a


def lines(a):
    return "[\n" + ",\n".join(json.dumps([round(float(v), 9) if isinstance(v, float) else v for v in row]) for row in a.tolist()) + "]"


found = {}
for metric, index, x, q in [
    ("euclidean", faiss.IndexFlatL2(9), vectors, queries),
    ("inner-product", faiss.IndexFlatIP(9), vectors, queries),
    ("cosine", faiss.IndexFlatIP(9), unit(vectors), unit(queries)),
]:
    index.add(x)
    d, rows = index.search(q, k)
    d = {"euclidean": np.sqrt, "inner-product": np.negative, "cosine": lambda v: 1 - v}[metric](d)
    found[metric] = '{"rows": %s,\n"distances": %s}' % (lines(rows), lines(d))
pathlib.Path(__file__).with_name("faiss.json").write_text(
    '{"vectors": %s,\n"queries": %s,\n"found": {%s}}\n'
    % (lines(vectors.astype(float)), lines(queries.astype(float)), ",\n".join('"%s": %s' % f for f in found.items()))
)
