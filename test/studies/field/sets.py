# Writes the sets that come from Python packages, one .npz each: X, y, X_test, y_test, features, time or group, cluster_test.
# pip install -r test/studies/field/requirements.txt; python3 test/studies/field/sets.py out/field [NAME …]
# catalogue.ts says what each asks, and where it is from.
import sys
from pathlib import Path

import numpy as np

from builders import archives, events, panels, series
from builders.parts import MAX_TRAIN, split

# (what builds it, how it is split, training sequences at most)
SETS = {
    "airport-rain": (series.airport_rain, "time", MAX_TRAIN),
    "alpine-rain": (series.alpine_rain, "time", MAX_TRAIN),
    "arrow-heads": (archives.arrow_heads, "random", MAX_TRAIN),
    "chicago-trains": (series.chicago_trains, "time", MAX_TRAIN),
    "county-murders": (panels.county_murders, "group", MAX_TRAIN),
    "covid-deaths": (archives.covid_deaths, "random", MAX_TRAIN),
    "even-digits": (archives.even_digits, "random", MAX_TRAIN),
    "fastballs": (events.fastballs, "time", MAX_TRAIN),
    "glucose": (series.glucose, "time", MAX_TRAIN),
    "gun-point": (archives.gun_point, "random", MAX_TRAIN),
    "homes": (series.homes, "time", MAX_TRAIN),
    "italian-days": (archives.italian_days, "random", MAX_TRAIN),
    "late-aircraft": (events.late_aircraft, "time", 12_000),
    "liver-patients": (panels.liver_patients, "group", MAX_TRAIN),
    "motors": (archives.motors, "random", MAX_TRAIN),
    "new-employers": (panels.new_employers, "group", MAX_TRAIN),
    "oak-leaves": (archives.oak_leaves, "random", MAX_TRAIN),
    "pizza-orders": (events.pizza_orders, "time", MAX_TRAIN),
    "power-peaks": (series.power_peaks, "time", MAX_TRAIN),
    "school-maths": (panels.school_maths, "random", MAX_TRAIN),
    "screens": (archives.screens, "random", MAX_TRAIN),
    "share-volumes": (series.share_volumes, "time", MAX_TRAIN),
    "storms": (panels.storms, "group", MAX_TRAIN),
    "street-nox": (series.street_nox, "time", MAX_TRAIN),
    "union-members": (panels.union_members, "random", MAX_TRAIN),
    "us-jobs": (series.us_jobs, "time", MAX_TRAIN),
    "warm-sea": (series.warm_sea, "time", MAX_TRAIN),
    "warmer-days": (series.warmer_days, "time", 12_000),
    "water-flow": (series.water_flow, "time", MAX_TRAIN),
}

if __name__ == "__main__":
    out = Path(sys.argv[1])
    out.mkdir(parents=True, exist_ok=True)
    for name in sys.argv[2:] or SETS:
        build, by, max_train = SETS[name]
        arrays = split(build(), by, max_train)
        np.savez(out / f"{name}.npz", **arrays)
        x, test = arrays["X"], arrays["X_test"]
        print(
            f"{name:16} {len(x):6} + {len(test):5} of {x.shape[1]:2} × {x.shape[2]:2}, by {by:6}"
            f" positive {arrays['y'].mean():.3f} and {arrays['y_test'].mean():.3f}, {len(np.unique(arrays['cluster_test']))} clusters",
            flush=True,
        )
