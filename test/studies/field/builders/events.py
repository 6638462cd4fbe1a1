# One event after another, at no fixed times: flights, pitches, orders. Every function gives Sequences.
import numpy as np
import pandas as pd

from .packages import nycflights, rdata
from .parts import Sequences, join
from .series import hours_since_1970, slide


def late_aircraft():
    """An aircraft's last eight departures from New York; whether the next leaves more than 15 minutes late. The hour of the next is known."""
    features = ["dep_delay", "arr_delay", "air_time", "distance", "hour", "next_hour", "next_wait"]
    frame = nycflights("flights.csv.zip").dropna(subset=["tailnum", "dep_delay", "arr_delay", "air_time"]).copy()
    frame["clock"] = hours_since_1970(frame.time_hour) + frame.minute / 60
    pieces = []
    for _, rows in frame.sort_values("clock", kind="stable").groupby("tailnum"):
        if len(rows) < 9:
            continue
        rows = rows.copy()
        rows["next_hour"] = rows.hour.shift(-1, fill_value=0)
        rows["next_wait"] = (rows.clock.shift(-1) - rows.clock).clip(upper=240).fillna(0)
        delay = rows.dep_delay.to_numpy()
        late = lambda last, delay=delay: delay[last + 1] > 15
        pieces.append(slide(rows[features].to_numpy(float), features, 8, 1, late, 5, rows.clock))
    return join(pieces)


def fastballs():
    """Eight pitches of Clayton Kershaw's in 2013, each with the count that the next one meets; whether the next is a fastball."""
    frame = rdata("Stat2Data", "Kershaw")
    fast = (frame.PitchType == "FF").to_numpy()
    situation = frame[["BallCount", "StrikeCount", "Outs"]].shift(-1, fill_value=0).set_axis(["next_balls", "next_strikes", "next_outs"], axis=1)
    situation["next_left"] = (frame.BatterHand.shift(-1) == "L").astype(float)
    pitch = frame[["StartSpeed", "HDev", "VDev", "HPos", "VPos", "Inning"]]
    values = pd.concat([pitch, situation], axis=1).assign(fastball=fast.astype(float))
    return slide(values.to_numpy(float), list(values.columns), 8, 1, lambda last: fast[last + 1])


def pizza_orders():
    """Ten orders at a pizza place; whether another comes in within ten minutes."""
    frame = rdata("gt", "pizzaplace")
    frame["minute"] = hours_since_1970(frame.date.astype(str) + " " + frame.time.astype(str)) * 60
    orders = frame.groupby("id", sort=True).agg(minute=("minute", "first"), pizzas=("price", "size"), price=("price", "sum"))
    minute = orders.minute.to_numpy()
    wait = np.diff(minute, prepend=minute[0])
    hour = minute / 60 % 24
    values = np.column_stack([np.minimum(wait, 120), orders.pizzas, orders.price, hour])
    soon = lambda last: minute[last + 1] - minute[last] <= 10
    return slide(values, ["wait", "pizzas", "price", "hour"], 10, 1, soon, 2)
