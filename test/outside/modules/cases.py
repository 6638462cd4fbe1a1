# What the suites that write networks share: sequences, and the list that test/outside/imports.ts reads.
import json
import os

import numpy as np

N, T, F = 48, 10, 5


def sequences(shortest=0, t=T, f=F, seed=1, n=N):
    """(n,t,f) float32 numbers as float64: lengths in turn from `shortest` on, zero rows in front; every second one has a zero row inside."""
    random = np.random.default_rng(seed)
    x = np.zeros((n, t, f))
    for i in range(n):
        length = shortest + i % (t + 1 - shortest)
        x[i, t - length :] = random.normal(size=(length, f))
        if i % 2 and length > 3:
            x[i, t - length // 2] = 0
    return x.astype(np.float32).astype(np.float64)


class Cases:
    """Collects cases: a file that was written, raw sequences, and what the framework answers to them."""

    def __init__(self, folder):
        self.folder, self.cases = folder, []

    def path(self, ending):
        """Where the next case's file goes."""
        return os.path.join(self.folder, f"{len(self.cases)}{ending}")

    def add(self, name, file, x, p, **said):
        """`said`: what a person says beside the file, as import's options take it: `padding`, `torch`, `isLogit`, `layers` (a file of the folder)."""
        at = len(self.cases)
        np.save(os.path.join(self.folder, f"{at}.X.npy"), np.asarray(x, np.float64))
        np.save(os.path.join(self.folder, f"{at}.p.npy"), np.asarray(p, np.float64).reshape(-1))
        self.cases.append({"name": name, "file": os.path.relpath(file, self.folder), **said})

    def write(self):
        with open(os.path.join(self.folder, "cases.json"), "w") as file:
            json.dump(self.cases, file)
