"""Makes pca.json: what scikit-learn's PCA with its full solver says of small
sets of vectors, more than dimensions and fewer.

Fitted in float64 on float32 vectors, so that the numbers are good to the last
digit of float32.

    python make_pca.py        (needs numpy and scikit-learn)
"""
import json
import pathlib

import numpy as np
from sklearn.decomposition import PCA

rng = np.random.default_rng(3)


def case(n, d, k):
    # Variances that fall off, and a mean that is not zero.
    x = rng.normal(size=(n, d)) * 0.8 ** np.arange(d) @ np.linalg.qr(rng.normal(size=(d, d)))[0] + rng.normal(size=d)
    x = x.astype(np.float32)
    p = PCA(k, svd_solver="full").fit(x.astype(np.float64))
    places = p.transform(x[:3].astype(np.float64))

    def numbers(a):
        return np.asarray(a).round(12).tolist()

    return {
        "x": x.tolist(), "mean": numbers(p.mean_), "components": numbers(p.components_),
        "variance": p.explained_variance_.tolist(), "ratio": p.explained_variance_ratio_.tolist(),
        "singular": p.singular_values_.tolist(), "places": numbers(places), "back": numbers(p.inverse_transform(places)),
    }


cases = [case(30, 12, 5), case(10, 25, 6), case(8, 8, 7), case(20, 6, 6)]
pathlib.Path(__file__).with_name("pca.json").write_text("[\n" + ",\n".join(json.dumps(c) for c in cases) + "\n]\n")
