"""Scores raw sequences in Python with the graph that `export --onnx FILE --preprocessing` wrote.

    pip install onnxruntime numpy
    python3 score_with_onnxruntime.py model.onnx X.npy

X.npy holds (N, T, F) numbers; a shorter sequence has zero rows in front. One probability a line is printed.
"""

import sys

import numpy as np
import onnxruntime


def score(model: str, sequences: np.ndarray) -> np.ndarray:
    """Probabilities (N,) float32 of `sequences` (N, T, F); NaN where a sequence has no data row."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (probabilities,) = session.run(["probability"], {"sequences": sequences.astype(np.float64)})
    return probabilities


if __name__ == "__main__":
    for probability in score(sys.argv[1], np.load(sys.argv[2])):
        print(f"{probability:.9g}")
