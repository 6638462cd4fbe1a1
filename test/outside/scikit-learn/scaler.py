# A StandardScaler fitted on made features, saved as people save one. Arguments: a folder, sequences (N,T,F) as .npy. Writes scaler.json, scaler.npz
# and scaled.npy, the sequences as the scaler makes them, and what joblib and pickle write.
import json
import os
import pickle
import sys

import joblib
import numpy as np
from sklearn.preprocessing import StandardScaler

folder, X = sys.argv[1], np.load(sys.argv[2])
at = lambda name: os.path.join(folder, name)
random = np.random.default_rng(5)
scaler = StandardScaler().fit(random.normal(size=(1000, X.shape[2])) * [1, 3, 0.2, 10, 1] + [1, 0, -5, 100, 0])
json.dump({"mean_": scaler.mean_.tolist(), "scale_": scaler.scale_.tolist()}, open(at("scaler.json"), "w"))
np.savez(at("scaler.npz"), mean_=scaler.mean_, scale_=scaler.scale_, var_=scaler.var_)
joblib.dump(scaler, at("scaler.joblib"))
pickle.dump(scaler, open(at("scaler.pkl"), "wb"))
np.save(at("scaled.npy"), scaler.transform(X.reshape(-1, X.shape[2])).reshape(X.shape))
