# Runs lines that `diagnose` printed as they are, on X and y as a user has them. Argument: an .npz. stdin: the lines. Prints the log loss of the
# validation part, JSON.
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np

with np.load(sys.argv[1]) as data:
    names = {"X": data["X"], "y": data["y"]}
keras.utils.set_random_seed(1)
stdout, sys.stdout = sys.stdout, sys.stderr  # Keras' progress
exec("\n".join(json.load(sys.stdin)), names)
model, Z, y, va = (names[name] for name in ("model", "Z", "y", "va"))
p = np.clip(model.predict(Z[va], verbose=0)[:, 0].astype(np.float64), 1e-7, 1 - 1e-7)
loss = -np.mean(np.where(y[va] > 0.5, np.log(p), np.log1p(-p)))
sys.stdout = stdout
print(json.dumps({"loss": loss, "sequences": int(va.sum())}))
