# Sequences with labels become a training part and a test part that nobody tunes on. Knows no data set.
# Legend: N sequences, T steps, F features.
from typing import NamedTuple

import numpy as np

TEST_SHARE = {"time": 0.3, "group": 0.3, "random": 0.4}
MAX_TRAIN, MAX_TEST = 4000, 1500
# Blocks of neighbours in time, whose losses are taken for one observation each.
BLOCKS = 40


class Sequences(NamedTuple):
    """`start` (N): when a sequence's first row is known. `end` (N): when its label is known. `group` (N): who it is of."""

    x: np.ndarray  # (N,T,F)
    y: np.ndarray  # (N) 0 or 1
    features: list
    start: np.ndarray = None
    end: np.ndarray = None
    group: np.ndarray = None


def thin(rows, count):
    """At most `count` of `rows`, evenly over their order."""
    return rows if len(rows) <= count else rows[np.linspace(0, len(rows) - 1, count).astype(int)]


def split(sequences, by, max_train):
    """The arrays of an .npz as the trainer reads it, and `cluster_test`: whose losses belong together."""
    train, test, cluster = {"time": by_time, "group": by_group, "random": at_random}[by](sequences, max_train)
    x, y = sequences.x.astype(np.float64), sequences.y.astype(np.uint8)
    assert np.isfinite(x).all() and set(np.unique(y)) == {0, 1}
    arrays = {"X": x[train], "y": y[train], "X_test": x[test], "y_test": y[test], "features": np.array(sequences.features)}
    if by == "time":
        arrays["time"] = sequences.end[train].astype(np.float64)
    if by == "group":
        arrays["group"] = np.unique(sequences.group, return_inverse=True)[1][train].astype(np.float64)
    return arrays | {"cluster_test": cluster.astype(np.int32)}


def by_time(s, max_train):
    """Every label of the training part is known before the first row of the test part."""
    order = np.argsort(s.end, kind="stable")
    cut = s.end[order[int(len(order) * (1 - TEST_SHARE["time"]))]]
    train = thin(order[s.end[order] < cut], max_train)
    test = thin(order[s.start[order] >= cut], MAX_TEST)
    return train, test, np.arange(len(test)) * BLOCKS // len(test)


def by_group(s, max_train):
    """Nobody is in both parts."""
    names, group = np.unique(s.group, return_inverse=True)
    drawn = np.random.default_rng(1).permutation(len(names))
    is_test = np.isin(group, drawn[: int(len(names) * TEST_SHARE["group"])])
    test = thin(np.flatnonzero(is_test), MAX_TEST)
    return thin(np.flatnonzero(~is_test), max_train), test, group[test]


def at_random(s, max_train):
    """Stratified by label."""
    random = np.random.default_rng(1)
    is_test = np.zeros(len(s.y), bool)
    for label in (0, 1):
        rows = random.permutation(np.flatnonzero(s.y == label))
        is_test[rows[: round(len(rows) * TEST_SHARE["random"])]] = True
    test = thin(np.flatnonzero(is_test), MAX_TEST)
    return thin(np.flatnonzero(~is_test), max_train), test, np.arange(len(test))


def windows(rows, length, stride=1, horizon=1):
    """(n,length) indices of windows over so many rows that leave `horizon` rows after them, and (n) each one's last row."""
    last = np.arange(length - 1, rows - horizon, stride)
    return last[:, None] - np.arange(length)[::-1], last


def join(pieces):
    """Sequences of several series as one."""
    kept = [piece for piece in pieces if len(piece.y)]
    arrays = {k: np.concatenate([getattr(p, k) for p in kept]) for k in ("x", "y", "start", "end", "group") if getattr(kept[0], k) is not None}
    return Sequences(features=kept[0].features, **arrays)


def average(values, parts):
    """(parts) the mean of each of so many equal parts of one series."""
    return np.array([part.mean() for part in np.array_split(values, parts)])
