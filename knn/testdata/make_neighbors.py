"""Makes neighbors.json: exact Euclidean neighbours by scikit-learn.

Vectors are float32; the search is in float64 by a k-d tree, which computes
distances from the differences (the brute-force method expands the square and
loses digits where vectors nearly coincide). Some vectors nearly coincide, some
are equal. Of equal distances scikit-learn's order is arbitrary: the rows are
sorted by distance, then by row, here.

    python make_neighbors.py        (needs numpy and scikit-learn)
"""
import json
import pathlib

import numpy as np
from sklearn.neighbors import NearestNeighbors

rng = np.random.default_rng(7)
vectors = rng.normal(size=(60, 7)).astype(np.float32)
vectors[20] = vectors[10]
vectors[30:34] = vectors[10] + rng.normal(size=(4, 7)).astype(np.float32) * np.float32(1e-6)
vectors[40] *= np.float32(1e6)
queries = np.concatenate([vectors[[10, 40, 0]], rng.normal(size=(5, 7)).astype(np.float32)])

search = NearestNeighbors(n_neighbors=len(vectors), algorithm="kd_tree").fit(vectors.astype(np.float64))
distances, rows = search.kneighbors(queries.astype(np.float64))
for d, r in zip(distances, rows):
    order = np.lexsort((r, d))
    d[:], r[:] = d[order], r[order]


def lines(a):
    return "[\n" + ",\n".join(json.dumps(row) for row in a.tolist()) + "]"


k = 12
pathlib.Path(__file__).with_name("neighbors.json").write_text(
    '{"vectors": %s,\n"queries": %s,\n"rows": %s,\n"distances": %s}\n'
    % (lines(vectors), lines(queries), lines(rows[:, :k]), lines(distances[:, :k]))
)
