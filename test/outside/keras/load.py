# An artifact's tensors in Keras layers, which have the same layout. Arguments: the artifact, channels (N,T,C) and lengths (N) as .npy. Prints the
# logits, JSON.
import json
import os
import sys

os.environ["KERAS_BACKEND"] = "tensorflow"
import keras
import numpy as np
from safetensors.numpy import load_file

tensors, channels, lengths = load_file(sys.argv[1]), np.load(sys.argv[2]).astype("float32"), np.load(sys.argv[3])
weights = {name.removeprefix("member0.network0."): value for name, value in tensors.items()}
x = keras.Input(channels.shape[1:])
mask = keras.Input((channels.shape[1],), dtype="bool")
lstm, head = keras.layers.LSTM(weights["lstm.recurrent"].shape[0]), keras.layers.Dense(1)
model = keras.Model([x, mask], head(lstm(x, mask=mask)))
lstm.set_weights([weights["lstm.kernel"], weights["lstm.recurrent"], weights["lstm.bias"]])
head.set_weights([weights["head.kernel"], weights["head.bias"]])
valid = np.arange(channels.shape[1]) < lengths[:, None]
print(json.dumps(model.predict([channels, valid], verbose=0)[:, 0].astype(float).tolist()))
