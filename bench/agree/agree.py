import sys
import numpy as np, onnx, onnxruntime
from onnx import numpy_helper

path, out, n = sys.argv[1], sys.argv[2], int(sys.argv[3])
model = onnx.load(path)
with open(out + "/weights", "wb") as f:  # initializers come as kernel, bias, layer by layer
    for t in model.graph.initializer:
        a = numpy_helper.to_array(t)
        (a.transpose(2, 3, 1, 0) if a.ndim == 4 else a).astype("<f4").tofile(f)
model.graph.output.append(onnx.helper.make_tensor_value_info("block5_pool", onnx.TensorProto.FLOAT, None))
session = onnxruntime.InferenceSession(model.SerializeToString())
x = (np.random.default_rng(0).random((n, 224, 224, 3)) * 255 - 120).astype("<f4")
x.tofile(out + "/pictures")
probabilities, features = session.run(None, {"x": x.transpose(0, 3, 1, 2)})
probabilities.astype("<f4").tofile(out + "/probabilities")
features.transpose(0, 2, 3, 1).astype("<f4").tofile(out + "/features")
