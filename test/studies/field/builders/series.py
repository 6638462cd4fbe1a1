# Windows of long series, and what comes after them: sensors, weather, energy, prices. Every function gives Sequences.
import numpy as np
import pandas as pd

from .packages import bokeh, folder, nycflights, rdata
from .parts import Sequences, join, windows


def slide(values, features, length, horizon, label, stride=1, clock=None):
    """Windows of one series (rows,F); label(last) for the windows that end at rows `last`. `clock` (rows) instead of row numbers."""
    index, last = windows(len(values), length, stride, horizon)
    clock = np.arange(len(values)) if clock is None else np.asarray(clock)
    return Sequences(values[index], label(last), features, start=clock[index[:, 0]], end=clock[last + horizon])


def whole(sequences):
    """Those without a gap in them."""
    kept = np.isfinite(sequences.x).all((1, 2))
    return Sequences(*(field[kept] if isinstance(field, np.ndarray) else field for field in sequences))


def hours_since_1970(times):
    return (pd.to_datetime(times, utc=True) - pd.Timestamp(0, tz="UTC")) / pd.Timedelta(hours=1)


def airport_rain():
    """New York's three airports, a day by the hour; whether it rains in the next six hours."""
    features = ["temp", "dewp", "humid", "wind_speed", "pressure", "visib", "precip", "hour"]
    pieces = []
    for _, rows in nycflights("weather.csv").groupby("origin"):
        rows = rows.ffill()
        precip = rows.precip.to_numpy()
        wet = lambda last, precip=precip: np.max([precip[last + h] for h in range(1, 7)], 0) > 0
        pieces.append(slide(rows[features].to_numpy(float), features, 24, 6, wet, 3, hours_since_1970(rows.time_hour)))
    return whole(join(pieces))


def homes():
    """A year of home sales in each of 46 towns of Texas, by the month; whether the median price is higher three months later."""
    features = ["sales", "volume", "median", "listings", "inventory", "month"]
    pieces = []
    for _, rows in rdata("ggplot2", "txhousing").groupby("city"):
        price = rows["median"].to_numpy(float)
        known = lambda last, price=price: price[last + 3] > price[last]
        piece = slide(rows[features].to_numpy(float), features, 12, 3, known, 1, rows.date)
        kept = np.isfinite(price[windows(len(price), 12, 1, 3)[1] + 3])
        pieces.append(Sequences(piece.x[kept], piece.y[kept], features, piece.start[kept], piece.end[kept]))
    return whole(join(pieces))


def chicago_trains():
    """Two weeks of Chicago's trains and weather by the day; whether more ride to Clark/Lake tomorrow than a week before."""
    frame = rdata("modeldata", "Chicago")
    frame["weekday"] = pd.to_datetime(frame.date).dt.weekday
    features = ["Clark_Lake", "Austin", "Addison", "temp", "percip_max", "weather_snow", "Cubs_Home", "weekday"]
    rides = frame.Clark_Lake.to_numpy(float)
    return slide(frame[features].to_numpy(float), features, 14, 1, lambda last: rides[last + 1] > rides[last - 6])


def power_peaks():
    """A day of Victoria's electricity by the hour; whether the next 24 hours peak higher than these."""
    frame = rdata("fpp2", "elecdemand")
    hourly = frame[["Demand", "Temperature", "WorkDay"]].to_numpy(float).reshape(-1, 2, 3).mean(1)
    values = np.column_stack([hourly, np.arange(len(hourly)) % 24])
    peak = pd.Series(hourly[:, 0]).rolling(24).max().to_numpy()
    return slide(values, ["demand", "temperature", "workday", "hour"], 24, 24, lambda last: peak[last + 24] > peak[last])


def alpine_rain():
    """Ten days of Innsbruck's rain and of eleven forecasts of it; whether more than 5 mm fall in the three days of the last forecast."""
    frame = rdata("crch", "RainIbk")
    forecasts = frame.iloc[:, -11:].to_numpy(float)
    rain = frame.rain.to_numpy(float)
    before = np.concatenate([rain[:3], rain[:-3]])
    mean, spread = forecasts.mean(1), forecasts.std(1)
    values = np.column_stack([before, mean, spread, forecasts.min(1), forecasts.max(1)])
    return slide(values, ["rain", "mean", "spread", "min", "max"], 10, 0, lambda last: rain[last] > 5)


def street_nox():
    """A day of nitrogen oxides, emissions and wind at a Swiss motorway by the hour; whether there is more three hours later."""
    frame = rdata("robustbase", "NOxEmissions")
    hour = frame.groupby("julday").cumcount()
    values = np.column_stack([frame[["LNOx", "LNOxEm", "sqrtWS"]].to_numpy(float), hour])
    nox = values[:, 0]
    return slide(values, ["log_nox", "log_emissions", "sqrt_wind", "hour"], 24, 3, lambda last: nox[last + 3] > nox[last])


def us_jobs():
    """Two years of jobs in each of 148 branches of the US, by the month; whether there are fewer a year later."""
    pieces = []
    for _, rows in rdata("fpp3", "us_employment").groupby("Series_ID"):
        jobs = rows.Employed.to_numpy(float)
        values = np.column_stack([jobs, np.arange(len(jobs)) % 12])
        known = windows(len(jobs), 24, 5, 12)[1] + 12
        piece = slide(values, ["jobs", "month"], 24, 12, lambda last, jobs=jobs: jobs[last + 12] < jobs[last], 5)
        kept = np.isfinite(jobs[known])
        pieces.append(Sequences(piece.x[kept], piece.y[kept], piece.features, piece.start[kept], piece.end[kept]))
    return whole(join(pieces))


def glucose():
    """Two hours of a glucose sensor, every five minutes; whether glucose is above 180 mg/dl an hour later."""
    frame = bokeh("CGM.csv.gz")
    time = pd.to_datetime(frame.datetime)
    measured = frame[["isig", "glucose"]].apply(pd.to_numeric, errors="coerce")  # "nil" where nothing was
    values = np.column_stack([measured, time.dt.hour + time.dt.minute / 60])
    minutes = ((time - time.iloc[0]) / pd.Timedelta(minutes=1)).to_numpy()
    index, last = windows(len(values), 24, 5, 12)
    kept = (minutes[last + 12] - minutes[index[:, 0]] <= 36 * 5) & np.isfinite(values[last + 12, 1])
    index, after = index[kept], last[kept] + 12
    features = ["isig", "glucose", "hour"]
    return whole(Sequences(values[index], values[after, 1] > 180, features, minutes[index[:, 0]], minutes[after]))


def warm_sea():
    """A day of the sea's temperature by the hour; whether it is warmer a day later."""
    celsius = bokeh("sea_surface_temperature.csv.gz").iloc[:, 1].to_numpy(float)
    hourly = celsius[: len(celsius) // 2 * 2].reshape(-1, 2).mean(1)
    values = np.column_stack([hourly, np.arange(len(hourly)) % 24])
    return slide(values, ["temperature", "hour"], 24, 24, lambda last: hourly[last + 24] > hourly[last])


def water_flow():
    """A day of the water that a town uses by the hour; whether more flows six hours later."""
    flow = pd.read_csv(folder("river") / "datasets" / "water-flow.csv").iloc[:, 1].to_numpy(float)
    values = np.column_stack([flow, (np.arange(len(flow)) + 11) % 24])
    return slide(values, ["flow", "hour"], 24, 6, lambda last: flow[last + 6] > flow[last])


def share_volumes():
    """Ten days of five companies' shares; whether more shares change hands tomorrow than today."""
    features = ["Open", "High", "Low", "Close", "Volume"]
    pieces = []
    for _, rows in bokeh("stocks.csv.gz").groupby("Ticker"):
        volume = rows.Volume.to_numpy(float)
        busier = lambda last, volume=volume: volume[last + 1] > volume[last]
        pieces.append(slide(rows[features].to_numpy(float), features, 10, 1, busier, 1, hours_since_1970(rows.Date)))
    return join(pieces)


def warmer_days():
    """Two weeks of the days' lowest and highest temperature in Clemson, 1930 to 2020; whether tomorrow is warmer than today."""
    frame = rdata("stevedata", "clemson_temps")
    date = pd.to_datetime(frame.date)
    values = np.column_stack([frame[["tmin", "tmax"]].to_numpy(float), date.dt.dayofyear])
    warm = values[:, 1]
    piece = slide(values, ["tmin", "tmax", "day_of_year"], 14, 1, lambda last: warm[last + 1] > warm[last])
    kept = np.isfinite(warm[windows(len(warm), 14)[1] + 1])
    return whole(Sequences(piece.x[kept], piece.y[kept], piece.features, piece.start[kept], piece.end[kept]))
