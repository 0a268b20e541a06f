"""Makes quality.json: the quality of a retrieval by NumPy, by the definition in
the package's documentation, for small sets of vectors in classes of unequal
sizes, some vectors alike.

    python make_quality.py        (needs numpy)
"""
import json
import pathlib

import numpy as np

rng = np.random.default_rng(5)


def quality(F, label, metric):
    if metric == "cosine":
        F = F / np.linalg.norm(F, axis=1, keepdims=True)
    F = F.astype("f8")
    rows = []
    for i in range(len(F)):
        d = -(F @ F[i]) if metric == "inner-product" else ((F - F[i]) ** 2).sum(1)
        d[i] = np.inf
        hit = (label[np.argsort(d, kind="stable")[:-1]] == label[i]).astype("f8")
        relevant = max(hit.sum(), 1)
        rows.append([hit[:k].mean() for k in (1, 5, 10)] + [hit[:k].sum() / relevant for k in (1, 5, 10)]
                    + [(np.cumsum(hit) / np.arange(1, len(hit) + 1) * hit).sum() / relevant])
    rows = np.array(rows)
    return {"all": rows.mean(0).tolist(), "classes": [rows[label == c].mean(0).tolist() for c in np.unique(label)]}


cases = []
for n, d, classes in ((40, 6, 4), (9, 3, 2), (25, 150, 5)):
    label = np.sort(rng.integers(0, classes, n))
    label[-1] = classes  # alone in its class
    F = (rng.normal(size=(classes + 1, d))[label] + 1.2 * rng.normal(size=(n, d))).astype("f4")
    F[5] = F[2]
    cases.append({"vectors": [[float(str(v)) for v in row] for row in F], "labels": [f"class {c}" for c in label],
                  "quality": {m: quality(F, label, m) for m in ("euclidean", "cosine", "inner-product")}})
pathlib.Path(__file__).with_name("quality.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
