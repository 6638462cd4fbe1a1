# What others get on the sets of this study: fits every peer on X, y and writes its logits on X_test and its figures into peers/.
# python3 test/studies/field/peers.py out/field [--only NAME,…] [--peers logistic,…] [--autogluon]      (after sets.py; one thread)
# Every peer chooses its settings, rounds or epochs inside the training part: by five folds below 1,000 sequences, else by one held
# out fifth, cut as the set itself is (in time, by group, at random), and is fitted again on all of it. Legend: N sequences, T steps,
# F features, V columns.
import argparse
import hashlib
import json
import os
import time
import warnings
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
warnings.filterwarnings("ignore")
import numpy as np
from sklearn.ensemble import ExtraTreesClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import log_loss, roc_auc_score
from sklearn.model_selection import StratifiedKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

HERE = Path(__file__).parent
FOLDS_BELOW = 1000
# Logits are kept as int16 in steps of 1/2048, which is within ±16 and tells losses to 0.00025.
SCALE = 2048


class Task:
    """A set's training part, and how to cut it into folds."""

    def __init__(self, arrays):
        self.x, self.y, self.test = arrays["X"], arrays["y"].astype(int), arrays["X_test"]
        self.group = arrays["group"] if "group" in arrays else None
        self.time = arrays["time"] if "time" in arrays else None
        self.folds = [(np.flatnonzero(~held), np.flatnonzero(held)) for held in self.held_out()]

    def held_out(self):
        count = 5 if len(self.y) < FOLDS_BELOW else 1
        if self.time is not None:
            rank = np.argsort(np.argsort(self.time, kind="stable"), kind="stable") * 5 // len(self.y)
            return [rank == k for k in (range(5) if count == 5 else [4])]
        if self.group is not None:
            names, group = np.unique(self.group, return_inverse=True)
            fold = np.random.default_rng(2).permutation(len(names)) % 5
            return [fold[group] == k for k in range(count)]
        cut = StratifiedKFold(5, shuffle=True, random_state=2).split(self.x, self.y)
        return [np.isin(np.arange(len(self.y)), held) for _, held in cut][:count]

    def best(self, settings, losses):
        """The setting and step with the least pooled loss; losses(setting, fit, held) gives one a step."""
        tried = []
        for setting in settings:
            paths = [np.asarray(losses(setting, fit, held)) * len(held) for fit, held in self.folds]
            length = min(len(path) for path in paths)
            pooled = sum(path[:length] for path in paths)
            tried.append((pooled.min(), int(pooled.argmin()) + 1, setting))
        return min(tried, key=lambda t: t[0])[1:]


def columns(x):
    """(N,V) every level, first differences, and of each feature mean, deviation, minimum, maximum, last − first."""
    n = len(x)
    parts = [x.reshape(n, -1), np.diff(x, axis=1).reshape(n, -1), x.mean(1), x.std(1), x.min(1), x.max(1), x[:, -1] - x[:, 0]]
    return np.concatenate(parts, 1)


def chosen(task, settings, make, x, test):
    """A model with the best of `settings`, by held-out loss."""
    def losses(setting, fit, held):
        model = make(setting).fit(x[fit], task.y[fit])
        return [log_loss(task.y[held], clip(model.predict_proba(x[held])[:, 1]), labels=[0, 1])]

    _, setting = task.best(settings, losses)
    return make(setting).fit(x, task.y).predict_proba(test)[:, 1]


def clip(p, at=1e-3):
    return np.clip(p, at, 1 - at)


def linear(c):
    return make_pipeline(StandardScaler(), LogisticRegression(C=c, max_iter=300))


def logistic(task):
    return chosen(task, [1e-4, 1e-3, 1e-2, 0.1], linear, columns(task.x), columns(task.test))


def hist_boosting(task):
    x, make = columns(task.x), lambda s, rounds=150: HistGradientBoostingClassifier(
        learning_rate=0.1, max_iter=rounds, early_stopping=False, random_state=1, **s)

    def losses(setting, fit, held):
        model = make(setting).fit(x[fit], task.y[fit])
        return [log_loss(task.y[held], p[:, 1], labels=[0, 1]) for p in model.staged_predict_proba(x[held])]

    rounds, setting = task.best(leaf_settings(task, "max_leaf_nodes", "min_samples_leaf"), losses)
    return make(setting, rounds).fit(x, task.y).predict_proba(columns(task.test))[:, 1]


def leaf_settings(task, leaves, minimum):
    usual = [{leaves: 31, minimum: 20}]
    return usual if len(task.y) >= FOLDS_BELOW else [*usual, {leaves: 8, minimum: 5}]


def lightgbm(task):
    import lightgbm as lgb

    x = columns(task.x)
    fixed = {"objective": "binary", "learning_rate": 0.08, "feature_fraction": 0.5, "num_threads": 1, "seed": 1, "verbosity": -1}

    def losses(setting, fit, held):
        data, path = lgb.Dataset(x[fit], task.y[fit]), {}
        callbacks = [lgb.record_evaluation(path)] + ([lgb.early_stopping(40, verbose=False)] if len(task.folds) == 1 else [])
        rounds = 600 if len(task.folds) == 1 else 150
        lgb.train(fixed | setting, data, rounds, valid_sets=[lgb.Dataset(x[held], task.y[held], reference=data)], callbacks=callbacks)
        return path["valid_0"]["binary_logloss"]

    rounds, setting = task.best(leaf_settings(task, "num_leaves", "min_data_in_leaf"), losses)
    return lgb.train(fixed | setting, lgb.Dataset(x, task.y), rounds).predict(columns(task.test))


def catboost(task):
    from catboost import CatBoostClassifier

    x = columns(task.x)
    make = lambda rounds: CatBoostClassifier(
        iterations=rounds, learning_rate=0.1, depth=6, border_count=64, rsm=0.5, thread_count=1, random_seed=1, verbose=False, allow_writing_files=False)

    def losses(_, fit, held):
        model = make(250 if len(task.folds) == 1 else 120)
        stop = 25 if len(task.folds) == 1 else None
        model.fit(x[fit], task.y[fit], eval_set=(x[held], task.y[held]), early_stopping_rounds=stop, use_best_model=False)
        return model.get_evals_result()["validation"]["Logloss"]

    rounds, _ = task.best([None], losses)
    return make(rounds).fit(x, task.y).predict_proba(columns(task.test))[:, 1]


def extra_trees(task):
    make = lambda leaf: ExtraTreesClassifier(200, min_samples_leaf=leaf, n_jobs=1, random_state=1)
    return clip(chosen(task, [1, 5], make, columns(task.x), columns(task.test)))


def quant(task):
    """100 trees instead of 200 and a twentieth of the columns a node instead of a tenth, for time."""
    from aeon.classification.interval_based import QUANTClassifier

    trees = ExtraTreesClassifier(100, criterion="entropy", max_features=0.05, random_state=1)
    model = QUANTClassifier(estimator=trees, random_state=1).fit(np.swapaxes(task.x, 1, 2), task.y)
    return clip(model.predict_proba(np.swapaxes(task.test, 1, 2))[:, 1])


def minirocket(task):
    """504 kernels instead of 10,000, for time; each step twice below nine steps, which it needs at least."""
    from aeon.transformations.collection.convolution_based import MiniRocket

    mean, deviation = task.x.mean((0, 1)), task.x.std((0, 1)) + 1e-12
    series = lambda x: np.swapaxes(np.repeat((x - mean) / deviation, 2 if x.shape[1] < 9 else 1, axis=1), 1, 2).astype(np.float32)
    rocket = MiniRocket(n_kernels=504, random_state=1).fit(series(task.x))
    return chosen(task, [1e-4, 1e-3, 1e-2], linear, rocket.transform(series(task.x)), rocket.transform(series(task.test)))


def lstm(task):
    """LSTM(32) on standardised levels and deltas, Adam 3e-3, batches of 64; the epoch by held-out loss."""
    import torch
    from torch import nn

    torch.set_num_threads(1)
    channels = lambda x: np.concatenate([x, np.diff(x, axis=1, prepend=x[:, :1])], 2)
    z = channels(task.x)
    mean, deviation = z.mean((0, 1)), z.std((0, 1)) + 1e-12
    tensor = lambda x: torch.tensor((x - mean) / deviation, dtype=torch.float32)
    y, bce = torch.tensor(task.y, dtype=torch.float32), nn.functional.binary_cross_entropy_with_logits

    def train(rows, epochs, after_epoch):
        torch.manual_seed(1)
        x, target = tensor(z[rows]), y[rows]
        body, head = nn.LSTM(z.shape[2], 32, batch_first=True), nn.Linear(32, 1)
        score = lambda x: head(body(x)[1][0][0])[:, 0]
        adam = torch.optim.Adam([*body.parameters(), *head.parameters()], lr=3e-3)
        for epoch in range(epochs):
            for part in np.array_split(np.random.default_rng(epoch).permutation(len(rows)), max(1, len(rows) // 64)):
                adam.zero_grad()
                bce(score(x[part]), target[part]).backward()
                adam.step()
            with torch.no_grad():
                if after_epoch(score):
                    break
        return score

    def losses(_, fit, held):
        path, x = [], tensor(z[held])
        def after_epoch(score):
            path.append(bce(score(x), y[held]).item())
            return len(task.folds) == 1 and len(path) - np.argmin(path) > 4
        train(fit, 25 if len(task.y) < 6000 else 12, after_epoch)
        return path

    epochs, _ = task.best([None], losses)
    score = train(np.arange(len(y)), epochs, lambda _: False)
    with torch.no_grad():
        return torch.sigmoid(score(tensor(channels(task.test))).double()).numpy()


def autogluon(task):
    import pandas as pd
    from autogluon.tabular import TabularPredictor

    frame = lambda x: pd.DataFrame(columns(x)).add_prefix("c")
    predictor = TabularPredictor("y", problem_type="binary", eval_metric="log_loss", verbosity=0)
    predictor.fit(frame(task.x).assign(y=task.y), presets="medium_quality", time_limit=150, num_cpus=1)
    return predictor.predict_proba(frame(task.test))[1].to_numpy()


PEERS = {
    "logistic": logistic,
    "hist-boosting": hist_boosting,
    "lightgbm": lightgbm,
    "catboost": catboost,
    "extra-trees": extra_trees,
    "quant": quant,
    "minirocket": minirocket,
    "lstm": lstm,
}


def calibration_slope(y, logits):
    """Cox (1958): of the logistic regression of the labels on the logits."""
    return float(LogisticRegression(C=1e9, max_iter=1000).fit(logits[:, None], y).coef_[0, 0])


def digest(arrays):
    """SHA-256 of the four arrays' numbers, little-endian: which data the figures are of."""
    sha = hashlib.sha256()
    for name, kind in (("X", "<f8"), ("y", "u1"), ("X_test", "<f8"), ("y_test", "u1")):
        sha.update(np.ascontiguousarray(arrays[name], kind).tobytes())
    return sha.hexdigest()


def measure(path, peers):
    """Adds to the set's figures, and to its logits, what is not there yet of the same data."""
    arrays = dict(np.load(path))
    figures_path, logits_path = HERE / "peers" / f"{path.stem}.json", HERE / "peers" / f"{path.stem}.npz"
    figures = json.loads(figures_path.read_text()) if figures_path.exists() else {}
    if figures.get("sha256") != digest(arrays):
        figures, kept = {"sha256": digest(arrays), "peers": {}}, {}
    else:
        kept = dict(np.load(logits_path))
    task, y = Task(arrays), arrays["y_test"].astype(int)
    for name, peer in peers.items():
        if name in figures["peers"]:
            continue
        started = time.time()
        p = np.clip(peer(task), 1e-6, 1 - 1e-6)
        kept[name] = np.round(np.log(p / (1 - p)) * SCALE).astype(np.int16)
        logits = kept[name] / SCALE
        loss = float(np.mean(np.logaddexp(0, np.where(y == 1, -logits, logits))))
        row = {"logLoss": loss, "auc": float(roc_auc_score(y, logits)), "slope": calibration_slope(y, logits)}
        figures["peers"][name] = {k: round(v, 5) for k, v in row.items()} | {"seconds": round(time.time() - started, 1)}
        print(f"{path.stem:16} {name:14}", figures["peers"][name], flush=True)
        figures_path.parent.mkdir(exist_ok=True)
        figures_path.write_text(json.dumps(figures, indent=2) + "\n")
        np.savez_compressed(logits_path, **kept)


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only")
    parser.add_argument("--peers")
    parser.add_argument("--autogluon", action="store_true")
    given = parser.parse_args()
    wanted = {"autogluon": autogluon} if given.autogluon else {n: PEERS[n] for n in (given.peers.split(",") if given.peers else PEERS)}
    for path in sorted(given.folder.glob("*.npz")):
        if given.only is None or path.stem in given.only.split(","):
            measure(path, wanted)
