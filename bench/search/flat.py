"""FAISS IndexFlatL2, and scikit-learn's PCA, on the vectors that search -make wrote.   usage: flat.py DIR THREADS [SET ...]

Prints the lines that shared/peers/knn.py prints, with data for what the vectors are. Before a set is timed, three
queries' neighbours must be those of a plain computation in float64, up to what float32 can tell apart."""
import json, os, resource, sys, time

folder, threads = sys.argv[1], int(sys.argv[2])
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = str(threads)
import faiss, numpy as np

faiss.omp_set_num_threads(threads)
SETS = [("noise128", "", 1000000, 128, 1000), ("noise512", "", 200000, 512, 1000), ("mixture128", "mixture", 1000000, 128, 1000),
        ("photographs512", "photographs", 200000, 512, 1000), ("noise4096", "", 9144, 4096, 1000), ("noise32", "", 9144, 32, 9144),
        ("pca-falling", "falling", 9144, 4096, 0), ("pca-noise", "noise", 9144, 4096, 0)]
cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")


def row(**kw):
    print(json.dumps(kw | {"threads": threads, "cpu": cpu, "maxrss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)


def times(f, runs):
    f()
    t = []
    for _ in range(runs):
        s = time.perf_counter()
        f()
        t.append(time.perf_counter() - s)
    return sorted(t)


def check(index, x, queries):
    for q in queries[:3]:
        _, found = index.search(q[None], 10)
        d = np.empty(len(x))
        for at in range(0, len(x), 1 << 16):
            d[at : at + (1 << 16)] = ((x[at : at + (1 << 16)].astype("f8") - q) ** 2).sum(1)
        best = np.sort(np.partition(d, 9)[:10])
        size = (q.astype("f8") ** 2).sum() + d.max()
        if not np.allclose(np.sort(d[found[0]]), best, rtol=0, atol=1e-6 * size):
            sys.exit("FAISS finds others than float64 does")


for name, data, n, d, queries in SETS:
    if sys.argv[3:] and name not in sys.argv[3:]:
        continue
    x = np.fromfile(f"{folder}/{name}.vectors", "<f4").reshape(n, d)
    if not queries:
        from sklearn.decomposition import PCA

        s = time.perf_counter()
        PCA(100, svd_solver="randomized", random_state=0).fit_transform(x)
        t = (time.perf_counter() - s) * 1e3
        row(task=f"pca 100 of {n}x{d}", engine="scikit-learn randomized", data=data, min_ms=t, median_ms=t, runs=1)
        continue
    q = np.fromfile(f"{folder}/{name}.queries", "<f4").reshape(queries, d)
    index = faiss.IndexFlatL2(d)
    index.add(x)
    check(index, x, q)
    for count in [queries] if queries == n else [1, queries]:
        t = times(lambda: index.search(q[:count], 10), 15 if count == 1 else 3)
        row(task="knn", engine="faiss flat", metric="euclidean", data=data, n=n, d=d, queries=count, k=10,
            min_ms_per_query=t[0] / count * 1e3, median_ms_per_query=t[len(t) // 2] / count * 1e3, runs=len(t))
