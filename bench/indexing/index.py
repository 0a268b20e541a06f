"""Indexing a folder of photographs in Python: what lookalike index does, with the fastest parts there are.

Decode and resize with OpenCV on all threads, ahead of the network; the network in batches of 32; the vectors
saved; the five nearest neighbours of all with FAISS. The time is that from the list of files to the neighbours:
imports, the loading of the network, and a batch to warm it up are left out, which ours are not.
usage: index.py vgg16|autoencoder ENGINE THREADS PHOTOS VGG_DIR       (VGG_DIR is what vgg_full.py wrote)"""
import glob, json, os, resource, subprocess, sys, tempfile, time
from concurrent.futures import ThreadPoolExecutor

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
task, engine, threads, photos, vgg = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4], sys.argv[5]
os.environ["OMP_NUM_THREADS"] = str(threads)
import cv2, faiss, numpy as np

BATCH = 32
cv2.setNumThreads(1)  # several pictures at a time instead
faiss.omp_set_num_threads(threads)
nchw = engine in ("ort", "ov", "mnn", "torch")


def picture(path):
    if task == "vgg16":  # as keras.applications prepares them: nearest, BGR, mean subtracted
        x = cv2.resize(cv2.imread(path), (224, 224), interpolation=cv2.INTER_NEAREST).astype("f4")
        x -= np.array([103.939, 116.779, 123.68], "f4")
    else:
        x = cv2.cvtColor(cv2.resize(cv2.imread(path), (224, 224)), cv2.COLOR_BGR2RGB).astype("f4")
        x /= 255
    return np.ascontiguousarray(x.transpose(2, 0, 1)) if nchw else x


def vgg16():
    """block5_pool, averaged: from a batch to [n, 512]."""
    if engine == "tf":
        import keras, tensorflow as tf
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        net = keras.applications.VGG16(weights=None)
        net.load_weights(f"{vgg}/vgg16_full.weights.h5")
        net = keras.Model(net.inputs, keras.layers.GlobalAveragePooling2D()(net.get_layer("block5_pool").output))
        g = tf.function(lambda x: net(x, training=False))
        return lambda x: g(tf.constant(x)).numpy()
    if engine == "mnn":
        import MNN.expr as F, MNN.nn as mnn
        if not os.path.exists(f"{vgg}/vgg16_full.mnn"):
            subprocess.run([os.path.join(os.path.dirname(sys.executable), "mnnconvert"), "-f", "ONNX", "--modelFile", f"{vgg}/vgg16_full.onnx",
                            "--MNNModel", f"{vgg}/vgg16_full.mnn", "--bizCode", "x"], check=True, stdout=subprocess.DEVNULL)
        rt = mnn.create_runtime_manager(({"backend": 0, "numThread": threads, "precision": 1},))
        net = mnn.load_module_from_file(f"{vgg}/vgg16_full.mnn", ["x"], ["block5_pool"], runtime_manager=rt)
        return lambda x: np.array(F.convert(net.forward(F.const(x, list(x.shape), F.NCHW)), F.NCHW).read()).mean((2, 3))
    import onnx
    model = onnx.load(f"{vgg}/vgg16_full.onnx")
    dense = next(i for i, n in enumerate(model.graph.node) if n.output[0] == "block5_pool") + 1
    del model.graph.node[dense:]
    used = {name for n in model.graph.node for name in n.input}
    kept = [t for t in model.graph.initializer if t.name in used]
    del model.graph.initializer[:]
    model.graph.initializer.extend(kept)
    del model.graph.output[:]
    model.graph.output.append(onnx.helper.make_tensor_value_info("block5_pool", onnx.TensorProto.FLOAT, None))
    data = model.SerializeToString()
    if engine == "ort":
        import onnxruntime as ort
        o = ort.SessionOptions()
        o.intra_op_num_threads = threads
        s = ort.InferenceSession(data, o)
        return lambda x: s.run(None, {"x": x})[0].mean((2, 3))
    import openvino as ov
    core = ov.Core()
    cm = core.compile_model(core.read_model(data, b""), "CPU", {"INFERENCE_NUM_THREADS": threads, "PERFORMANCE_HINT": "LATENCY", "INFERENCE_PRECISION_HINT": "f32"})
    return lambda x: cm(x)[0].mean((2, 3))


def autoencoder():
    """The article's encoder: from a batch to [n, 32]. Its weights are random, which makes no difference in time."""
    if engine == "tf":
        import keras, tensorflow as tf
        from keras import layers as L
        tf.config.threading.set_intra_op_parallelism_threads(threads)
        net = keras.Sequential([keras.Input((224, 224, 3))] + sum([[L.Conv2D(f, 3, padding="same", activation="elu"), L.MaxPooling2D()] for f in (32, 64, 128, 256)], []) + [L.Flatten(), L.Dense(32)])
        g = tf.function(lambda x: net(x, training=False))
        return lambda x: g(tf.constant(x)).numpy()
    import torch, torch.nn as nn
    torch.set_num_threads(threads)
    layers, c = [], 3
    for f in (32, 64, 128, 256):
        layers += [nn.Conv2d(c, f, 3, padding=1), nn.ELU(), nn.MaxPool2d(2)]
        c = f
    net = nn.Sequential(*layers, nn.Flatten(), nn.Linear(14 * 14 * 256, 32)).to(memory_format=torch.channels_last).eval()

    def f(x):
        with torch.inference_mode():
            return net(torch.from_numpy(x).contiguous(memory_format=torch.channels_last)).numpy()
    return f


begin = time.perf_counter()
network = vgg16() if task == "vgg16" else autoencoder()
network(np.zeros((BATCH, 3, 224, 224) if nchw else (BATCH, 224, 224, 3), "f4"))
loaded = time.perf_counter()

files = sorted(glob.glob(photos + "/*/*"))
with ThreadPoolExecutor(threads) as pool, tempfile.TemporaryDirectory() as out:
    batches = [files[i:i + BATCH] for i in range(0, len(files), BATCH)]
    ahead = [[pool.submit(picture, p) for p in b] for b in batches[:2]]
    vectors = []
    for i in range(len(batches)):
        x = np.stack([f.result() for f in ahead.pop(0)])
        if i + 2 < len(batches):
            ahead.append([pool.submit(picture, p) for p in batches[i + 2]])
        vectors.append(network(x))
    vectors = np.concatenate(vectors).astype("f4")
    np.savez(out + "/vectors.npz", vectors=vectors, paths=files)
    if len(sys.argv) > 6:
        np.savez(sys.argv[6], vectors=vectors, paths=[os.path.relpath(p, photos) for p in files])
    if task == "vgg16":
        faiss.normalize_L2(vectors)
        index = faiss.IndexFlatIP(vectors.shape[1])
    else:
        index = faiss.IndexFlatL2(vectors.shape[1])
    index.add(vectors)
    index.search(vectors, 6)  # the first is the picture itself
took = (time.perf_counter() - loaded) / len(files) * 1e3
cpu = next((l.split(":", 1)[1].strip() for l in open("/proc/cpuinfo") if l.startswith("model name")), "unknown")
print(json.dumps(dict(task=f"index {task}, {len(files)} photographs", engine=engine, threads=threads, min_ms_per_image=took, median_ms_per_image=took,
                      load_s=loaded - begin, runs=1, maxrss_mb=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024, cpu=cpu)), flush=True)
