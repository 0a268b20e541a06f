"""Makes tsne.json: layouts of handwritten digits by scikit-learn.

The digits are the first 500 of scikit-learn's load_digits (Alpaydin and Kaynak,
Optical Recognition of Handwritten Digits, UCI, CC BY 4.0), each of 64 values from
0 to 16, a character (base 36) for each value.

    python make_tsne.py        (needs numpy and scikit-learn)
"""
import json
import pathlib

import numpy as np
from sklearn.datasets import load_digits
from sklearn.manifold import TSNE, trustworthiness
from sklearn.manifold._t_sne import _joint_probabilities_nn
from sklearn.neighbors import NearestNeighbors

x, labels = load_digits(return_X_y=True)
x, labels = x[:500], labels[:500]

layouts = []
for perplexity in (10, 30):
    tsne = TSNE(perplexity=perplexity, init="pca", random_state=0)
    y = tsne.fit_transform(x)
    layouts.append({
        "perplexity": perplexity,
        "divergence": float(tsne.kl_divergence_),
        "trustworthiness": float(trustworthiness(x, y, n_neighbors=10)),
    })

# Probabilities of pairs among the first 60, of 24 neighbours each.
graph = NearestNeighbors(n_neighbors=24).fit(x[:60]).kneighbors_graph(mode="distance")
graph.data **= 2
p = _joint_probabilities_nn(graph, 8, 0).toarray()

pathlib.Path(__file__).with_name("tsne.json").write_text(json.dumps({
    "digits": ["".join(np.base_repr(int(v), 36).lower() for v in row) for row in x],
    "labels": labels.tolist(),
    "layouts": layouts,
    "affinities": [[float("%.7g" % v) for v in row] for row in p],
}).replace('"], "', '"],\n"').replace('", "', '",\n"').replace("], [", "],\n[") + "\n")
