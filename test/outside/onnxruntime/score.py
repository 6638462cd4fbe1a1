# The onnx package checks exported files in full, ONNX Runtime runs them. stdin: {"graphs": {name: {"file", "inputs": {input: .npy}}}}.
# stdout: {name: probabilities}.
import json
import sys

import numpy as np
import onnx
import onnxruntime

TYPES = {"tensor(float)": np.float32, "tensor(double)": np.float64, "tensor(int32)": np.int32}


def run(file, inputs):
    onnx.checker.check_model(file, full_check=True)
    session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
    given = {port.name: np.load(inputs[port.name]).astype(TYPES[port.type]) for port in session.get_inputs()}
    (probabilities,) = session.run(["probability"], given)
    return probabilities.astype(float).tolist()


print(json.dumps({name: run(**graph) for name, graph in json.load(sys.stdin)["graphs"].items()}))
