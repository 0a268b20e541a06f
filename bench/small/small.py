"""Times ONNX Runtime at the networks that small -export wrote, after checking that its results are ours.

usage: small.py DIR THREADS
"""
import glob, json, os, resource, sys, time
import numpy as np, onnx, onnxruntime
from onnx import helper, numpy_helper, TensorProto

folder, threads = sys.argv[1], int(sys.argv[2])
for path in sorted(glob.glob(folder + "/*.json")):
    name = os.path.basename(path)[:-5]
    spec, values = json.load(open(path)), np.fromfile(path[:-5] + ".bin", "<f4")

    def take(shape):
        global values
        n = int(np.prod(shape))
        part, values = values[:n].reshape(shape), values[n:]
        return part

    x, y = take(spec["input"]), take(spec["output"])
    nodes, weights, at, picture = [], [], "x", len(x.shape) == 4

    def add(op, *inputs, **attributes):
        global at
        names = [at]
        for a in inputs:
            names.append(f"w{len(weights)}")
            weights.append(numpy_helper.from_array(np.ascontiguousarray(a), names[-1]))
        at = f"t{len(nodes)}"
        nodes.append(helper.make_node(op, names, [at], **attributes))

    for layer in spec["layers"]:
        params = [take(s) for s in layer["shapes"] or []]
        if layer["class"] == "Conv2D":
            same = layer["padding"] == "same"
            pad = [(s - 1) // 2 if same else 0 for s in params[0].shape[:2]]
            add("Conv", params[0].transpose(3, 2, 0, 1), params[1], pads=pad + pad)
        elif layer["class"] == "MaxPooling2D":
            add("MaxPool", kernel_shape=[2, 2], strides=[2, 2])
        elif layer["class"] == "Flatten":
            if picture:
                add("Transpose", perm=[0, 2, 3, 1])  # the dense layer's weights are for channels last
            add("Flatten")
        elif layer["class"] == "Dense":
            add("Gemm", *params)
        activation = {"relu": "Relu", "elu": "Elu", "softmax": "Softmax"}.get(layer.get("activation"))
        if activation:
            add(activation)
    given = np.ascontiguousarray(x.transpose(0, 3, 1, 2)) if picture else x
    graph = helper.make_graph(nodes, name, [helper.make_tensor_value_info("x", TensorProto.FLOAT, given.shape)],
                              [helper.make_tensor_value_info(at, TensorProto.FLOAT, y.shape)], weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)])
    model.ir_version = 10
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    run = lambda: session.run(None, {"x": given})[0]
    off = float(np.linalg.norm(run() - y) / np.linalg.norm(y))
    if not off < 1e-5:
        sys.exit(f"{name}: the result is {off} off ours")
    for _ in range(100):
        run()
    count, begun = 0, time.perf_counter()
    while time.perf_counter() - begun < 0.05:  # as internal/measure does it
        run()
        count += 1
    times = []
    for _ in range(20):
        s = time.perf_counter()
        for _ in range(count):
            run()
        times.append((time.perf_counter() - s) / count)
    print(json.dumps({"task": name, "engine": "ort", "threads": threads, "batch": 1, "min_ms_per_image": min(times) * 1e3,
                      "median_ms_per_image": sorted(times)[len(times) // 2] * 1e3, "runs": len(times), "off": off,
                      "maxrss_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024}), flush=True)
