# A few years, visits or days each of many people, places or storms. Every function gives Sequences.
import numpy as np

from .packages import rdata
from .parts import Sequences, join, windows


def balanced(frame, who, when, features, steps, label):
    """One sequence each: the first `steps` rows of whoever has no gap in `features` there; label(rows) looks at all rows."""
    x, y = [], []
    for _, rows in frame.sort_values([who, when]).groupby(who):
        values = rows[features].to_numpy(float)[:steps]
        if len(values) == steps and np.isfinite(values).all():
            x.append(values)
            y.append(label(rows))
    return Sequences(np.stack(x), np.array(y), features)


def union_members():
    """545 men, 1980 to 1986; whether each is in a union in 1987."""
    features = ["hours", "married", "union", "lwage", "exper", "educ", "black", "hisp", "poorhlth", "south", "rur", "manuf"]
    return balanced(rdata("wooldridge", "wagepan"), "nr", "year", features, 7, lambda rows: rows.union.iloc[7] == 1)


def school_maths():
    """550 districts of Michigan, 1992 to 1997; whether three quarters of the fourth graders pass in 1998."""
    features = ["lunch", "enrol", "expp", "avgsal", "math4"]
    return balanced(rdata("wooldridge", "mathpnl"), "distid", "year", features, 6, lambda rows: rows.math4.iloc[6] >= 75)


def county_murders():
    """2,197 counties, eight years before 1990 and before 1996; whether there is a murder in the year after."""
    features = ["density", "popul", "perc1019", "perc2029", "percblack", "percmale", "rpcpersinc", "rpcunemins", "murders"]
    frame = rdata("wooldridge", "countymurders").sort_values(["countyid", "year"])
    x, y, group = [], [], []
    for county, rows in frame.groupby("countyid"):
        values = rows[features].to_numpy(float)
        for end in (10, 16):
            if np.isfinite(values[end - 8 : end]).all():
                x.append(values[end - 8 : end])
                y.append(rows.murders.iloc[end] > 0)
                group.append(county)
    return Sequences(np.stack(x), np.array(y), features, group=np.array(group))


def histories(frame, who, features, steps, first, label):
    """A sequence for every row of a person from row `first` on: it and up to `steps` − 1 before, padded in front with zeros.
    label(rows, i) is None where it is not known."""
    x, y, group = [], [], []
    for name, rows in frame.groupby(who):
        values = rows[features].to_numpy(float)
        for i in range(first, len(rows)):
            known = label(rows, i)
            if known is not None and np.isfinite(values[max(0, i - steps + 1) : i + 1]).all():
                padded = np.zeros((steps, len(features)))
                past = values[max(0, i - steps + 1) : i + 1]
                padded[steps - len(past) :] = past
                x.append(padded)
                y.append(known)
                group.append(name)
    return Sequences(np.stack(x), np.array(y), features, group=np.array(group))


def new_employers():
    """Women's interviews from 1968 on, three to eight of each; whether she has a new employer, for under a year, at the next."""
    features = ["age", "msp", "grade", "not_smsa", "c_city", "south", "ttl_exp", "tenure", "hours", "ln_wage", "wait"]
    frame = rdata("sampleSelection", "nlswork").sort_values(["idcode", "year"]).copy()
    frame["wait"] = frame.groupby("idcode").year.shift(-1) - frame.year
    frame["next"] = frame.groupby("idcode").tenure.shift(-1)
    return histories(frame[frame.wait.notna()], "idcode", features, 8, 2, lambda rows, i: new_employer(rows.next.iloc[i]))


def new_employer(tenure):
    return None if np.isnan(tenure) else tenure < 1


def liver_patients():
    """Visits of 312 patients with a liver disease, up to six; whether each dies or needs a transplant within two years. Gaps hold
    what was measured before, or the median."""
    features = ["day", "age", "bili", "albumin", "alk.phos", "ast", "platelet", "protime", "edema", "ascites", "hepato", "spiders"]
    frame = rdata("survival", "pbcseq").sort_values(["id", "day"]).copy()
    frame[features] = frame.groupby("id")[features].ffill()
    frame[features] = frame[features].fillna(frame[features].median())

    def label(rows, i):
        left = rows.futime.iloc[i] - rows.day.iloc[i]
        return True if rows.status.iloc[i] > 0 and left <= 730 else None if left <= 730 else False

    return histories(frame, "id", features, 6, 0, label)


def storms():
    """Two days of a tropical storm, every six hours; whether its wind is stronger by 10 knots a day later."""
    frame = rdata("dplyr", "storms")
    frame = frame[frame.hour % 6 == 0].copy()
    frame["day_of_year"] = (frame.month - 1) * 30.5 + frame.day
    features = ["lat", "long", "wind", "pressure", "day_of_year"]
    pieces = []
    for number, (_, rows) in enumerate(frame.groupby(["name", "year"], sort=False)):
        index, last = windows(len(rows), 8, 2, 4)
        values, wind = rows[features].to_numpy(float), rows.wind.to_numpy(float)
        pieces.append(Sequences(values[index], wind[last + 4] >= wind[last] + 10, features, group=np.full(len(last), number)))
    return join(pieces)
