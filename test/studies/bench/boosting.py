# LightGBM's and scikit-learn's side of boosting.ts: answers each line of JSON with a line of JSON.
# pip install lightgbm==4.6.0 scikit-learn==1.7.2 numpy==2.4.6
import json
import os
import sys
import time
import warnings
import numpy as np

warnings.filterwarnings("ignore")
import lightgbm
import sklearn
from sklearn import datasets
from sklearn.ensemble import HistGradientBoostingClassifier
from threadpoolctl import threadpool_limits

folder = sys.argv[1]


def bundled(load, positive):
    data = load()
    return data.data.astype(float), positive(data.target)


def with_missing(x, y, part):
    random = np.random.default_rng(5)
    return np.where(random.random(x.shape) < part * (1 + y[:, None]) / 2, np.nan, x), y


def walks(n, steps, series, seed):
    """Random walks, flattened; what counts is a level at one step, a difference, and which series is higher at the end."""
    random = np.random.default_rng(seed)
    x = np.cumsum(random.normal(size=(n, steps, series)), axis=1)
    z = 1.0 * (x[:, -1, 0] > 1) + 0.5 * (x[:, 3, 1] - x[:, 1, 1]) + 1.0 * (x[:, -1, 2] > x[:, -1, 3]) - 1
    y = random.random(n) < 1 / (1 + np.exp(-z))
    return np.concatenate([x, np.diff(x, axis=1)], axis=1).reshape(n, -1), y.astype(int)


SETS = {
    "breast cancer": lambda: bundled(datasets.load_breast_cancer, lambda t: t),
    "digits above 4": lambda: bundled(datasets.load_digits, lambda t: (t > 4).astype(int)),
    "wine 1 of 3": lambda: bundled(datasets.load_wine, lambda t: (t == 1).astype(int)),
    "diabetes above median": lambda: bundled(datasets.load_diabetes, lambda t: (t > np.median(t)).astype(int)),
    "Hastie 10.2": lambda: (lambda x, y: (x, (y > 0).astype(int)))(*datasets.make_hastie_10_2(3000, random_state=1)),
    "Friedman 1": lambda: (lambda x, y: (x, (y > np.median(y)).astype(int)))(*datasets.make_friedman1(2000, 20, noise=2, random_state=1)),
    "clusters": lambda: datasets.make_classification(3000, 40, n_informative=8, n_clusters_per_class=4, flip_y=0.1, random_state=1),
    "one in ten": lambda: datasets.make_classification(4000, 30, n_informative=6, weights=[0.9], flip_y=0.02, random_state=2),
    "a third missing": lambda: with_missing(*datasets.make_classification(3000, 30, n_informative=8, random_state=3), 0.33),
    "random walks": lambda: walks(3000, 12, 4, 4),
}


def write(name):
    x, y = SETS[name]()
    np.save(os.path.join(folder, "x.npy"), np.ascontiguousarray(x, dtype=np.float64))
    np.save(os.path.join(folder, "y.npy"), np.asarray(y, dtype=np.float64))
    return dict(rows=len(y), columns=x.shape[1])


def lgb_settings(s, threads):
    return dict(objective="binary", num_leaves=s["leaves"], min_data_in_leaf=s["minLeaf"], lambda_l2=s["l2"], verbosity=-1, max_bin=255,
                min_sum_hessian_in_leaf=s["minHessian"], learning_rate=s["learningRate"], feature_fraction=s["columnFraction"],
                extra_trees=s["thresholds"] == "random", num_threads=threads, seed=s["seed"], feature_pre_filter=False)


def fit_lightgbm(x, y, settings, threads):
    params = lgb_settings(settings, threads)
    model = lightgbm.train(params, lightgbm.Dataset(x, y, params=params), num_boost_round=settings["rounds"])
    return lambda x, rounds: model.predict(x, raw_score=True, num_iteration=rounds)


def fit_sklearn(x, y, settings, threads):
    model = HistGradientBoostingClassifier(
        learning_rate=settings["learningRate"], max_iter=settings["rounds"], max_leaf_nodes=settings["leaves"], early_stopping=False,
        min_samples_leaf=settings["minLeaf"], l2_regularization=settings["l2"], max_features=float(settings["columnFraction"]), random_state=1)
    with threadpool_limits(threads):
        model.fit(x, y)

    def raw(x, rounds):
        for n, z in enumerate(model.staged_decision_function(x)):
            if n == rounds - 1:
                return z.ravel()

    return raw


FITS = {"lightgbm": fit_lightgbm, "sklearn": fit_sklearn}


def load():
    return np.load(os.path.join(folder, "x.npy")), np.load(os.path.join(folder, "y.npy"))


def time_fit(peer, settings, threads):
    x, y = load()
    start, before = time.perf_counter(), time.process_time()
    FITS[peer](x, y, settings, threads)
    return dict(ms=1000 * (time.perf_counter() - start), cpu=1000 * (time.process_time() - before))


def out_of_fold(peer, settings, checkpoints):
    """(checkpoints, rows) logits after so many rounds, each row's by a model that has not seen its fold: row % 5."""
    x, y = load()
    fold = np.arange(len(y)) % 5
    logits = np.zeros((len(checkpoints), len(y)))
    for k in range(5):
        raw = FITS[peer](x[fold != k], y[fold != k], settings, 1)
        for i, rounds in enumerate(checkpoints):
            logits[i, fold == k] = raw(x[fold == k], rounds)
    return dict(logits=logits.tolist())


print(json.dumps(dict(version=f"LightGBM {lightgbm.__version__}, scikit-learn {sklearn.__version__}", sets=list(SETS))), flush=True)
for line in sys.stdin:
    request = json.loads(line)
    name = request.pop("do")
    print(json.dumps(dict(write=write, time=time_fit, outOfFold=out_of_fold)[name](**request)), flush=True)
