# Whole recordings, one a sequence: shapes, appliances, days, digits, countries. Every function gives Sequences.
import numpy as np
from sklearn.datasets import load_digits

from .packages import archive
from .parts import Sequences, average


def averaged(name, positive, feature, steps=24):
    """An archive's series averaged into equal parts; label 1 for the classes in `positive`."""
    series, labels = archive(name)
    x = np.stack([average(values, steps) for values in series])[:, :, None]
    return Sequences(x, np.isin(labels, positive), [feature])


def gun_point():
    return averaged("GunPoint", ["1"], "hand")


def arrow_heads():
    return averaged("ArrowHead", ["0"], "outline")


def oak_leaves():
    return averaged("OSULeaf", ["5", "6"], "outline")


def italian_days():
    return averaged("ItalyPowerDemand", ["1"], "demand")


def screens():
    """Computers, laptops and televisions: classes 2, 6 and 9. Mean and maximum of each of 24 parts, for power comes in bursts."""
    series, labels = archive("ACSF1")
    x = np.stack([np.stack([average(v, 24), [p.max() for p in np.array_split(v, 24)]], 1) for v in series])
    return Sequences(x, np.isin(labels, ["2", "6", "9"]), ["mean", "max"])


def motors():
    """Air conditioners, fans, fridges, hairdryers, vacuum cleaners and washing machines. Mean and size of the current in 24 parts."""
    series, labels = archive("PLAID")
    x = np.stack([np.stack([average(v, 24), average(np.abs(v), 24)], 1) for v in series])
    return Sequences(x, np.isin(labels, ["0", "2", "3", "4", "9", "10"]), ["current", "size"])


def covid_deaths():
    """Twelve weeks of confirmed cases a country; label 1 where more than the median share of cases died."""
    series, labels = archive("Covid3Month")
    rate = labels.astype(float)
    x = np.stack([values[-84:].reshape(12, 7).sum(1) for values in series])[:, :, None]
    return Sequences(x, rate > np.median(rate), ["cases"])


def even_digits():
    """Handwritten digits, 8 × 8 pixels, row by row."""
    digits = load_digits()
    return Sequences(digits.images, digits.target % 2 == 0, [f"x{i}" for i in range(8)])
