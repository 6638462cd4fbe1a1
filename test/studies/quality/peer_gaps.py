# Gradient boosting that splits on missing values natively: scikit-learn's HistGradientBoostingClassifier as it comes, on flattened rows, fitted
# on 85 % of the sequences, as train learns from. Prints the share of the learnable information recovered of fresh sequences.
# python3 test/studies/quality/peer_gaps.py out/order-30-101.npz …   (files from: npm run quality -- --only order-30 --out out)
import sys

import numpy as np
import sklearn
from sklearn.ensemble import HistGradientBoostingClassifier


def entropy(p):
    p = np.clip(p, 1e-300, 1 - 1e-16)
    return -(p * np.log(p) + (1 - p) * np.log1p(-p))


def recovered(p, q):
    divergence = -(p * np.log(q) + (1 - p) * np.log1p(-q)) - entropy(p)
    return 1 - divergence.mean() / (entropy(p.mean()) - entropy(p).mean())


for path in sys.argv[1:]:
    data = np.load(path)
    x, y = data["X"].reshape(len(data["y"]), -1), data["y"]
    train = np.random.default_rng(1).permutation(len(y))[: int(0.85 * len(y))]
    model = HistGradientBoostingClassifier(early_stopping=True, random_state=1).fit(x[train], y[train])
    answer = model.predict_proba(data["fresh"].reshape(len(data["fresh"]), -1))[:, 1]
    print(f"{path}: recovered {recovered(data['freshProbability'], answer):.3f} (scikit-learn {sklearn.__version__})", flush=True)
