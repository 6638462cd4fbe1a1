// The sets that vega-datasets holds, as arrays: windows in the order of time, the last 30 % of them to test on. Every label of the
// training part is known before the first row of the test part. Legend: N sequences, T steps, F features.
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { findCompanion } from "../../../trainer/files/companions.ts";
import { readWhole } from "../../../trainer/files/whole-files.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";

/** One series, oldest row first. */
interface Series {
  readonly rows: readonly (readonly number[])[];
  /** When each row is known, ascending. */
  readonly clock: readonly number[];
  /** Of the row after a window that ends at row `last`. */
  readonly label: (last: number) => boolean;
}

interface Window {
  readonly values: readonly number[];
  readonly label: boolean;
  readonly start: number;
  readonly end: number;
}

const TEST_SHARE = 0.3;
const MAX_TRAIN = 4000;
const MAX_TEST = 1500;
/** Blocks of neighbours in time, whose losses are taken for one observation each. */
const BLOCKS = 40;
const MINUTES_A_DAY = 1440;

const MAKERS: Readonly<Record<string, () => Promise<Uint8Array>>> = {
  "large-moves": largeMoves,
  "late-flights": lateFlights,
  "rainy-days": rainyDays,
};

/** What vega-datasets holds. */
export const NPM_SETS: readonly string[] = Object.keys(MAKERS);

/** The bytes of an .npz: X, y, X_test, y_test, features, time, cluster_test. Throws DataError where vega-datasets is missing. */
export function makeNpmSet(name: string): Promise<Uint8Array> {
  return MAKERS[name]();
}

function readData(file: string): Uint8Array<ArrayBuffer> {
  return readWhole(join(findCompanion("vega-datasets", "for its data sets"), "data", file));
}

/** The table's records, by the columns' names. */
function readTable(file: string): Record<string, string>[] {
  return parse(Buffer.from(readData(file)), { columns: true });
}

/** Ten days of the index; whether it closes more than 1 % away the day after. */
function largeMoves(): Promise<Uint8Array> {
  const features = ["open", "high", "low", "close", "volume"];
  const days = readTable("sp500-2000.csv");
  const rows = days.map((day) => features.map((name) => Number(day[name])));
  const label = (last: number): boolean => Math.abs(Math.log(rows[last + 1][3] / rows[last][3])) > 0.01;
  return pack([{ rows, clock: rows.map((_, i) => i), label }], features, 10, 1);
}

/** Ten days of a city's weather; whether there is any rain the day after. */
function rainyDays(): Promise<Uint8Array> {
  const features = ["precipitation", "temp_max", "temp_min", "wind"];
  const days = readTable("weather.csv");
  const series = ["Seattle", "New York"].map((city): Series => {
    const own = days.filter((day) => day.location === city);
    const rows = own.map((day) => features.map((name) => Number(day[name])));
    return { rows, clock: own.map((day) => Date.parse(day.date)), label: (last) => rows[last + 1][0] > 0 };
  });
  return pack(series, features, 10, 1);
}

interface Flight {
  readonly date: string;
  readonly delay: number;
  readonly distance: number;
  readonly origin: string;
}

/** Twelve departures from an airport, of a sample of flights that has 250 or more from it; whether the next leaves more than 15 minutes late. */
function lateFlights(): Promise<Uint8Array> {
  const flights: Flight[] = JSON.parse(Buffer.from(readData("flights-20k.json")).toString("utf8"));
  const airports = Map.groupBy(flights, (flight) => flight.origin);
  const series = [...airports.values()].flatMap((own): Series[] => {
    if (own.length < 250) return [];
    const minutes = own.map((flight) => toMinutes(flight.date));
    const order = [...own.keys()].sort((a, b) => minutes[a] - minutes[b] || a - b);
    const clock = order.map((i) => minutes[i]);
    const rows = order.map((i, k) => [
      own[i].delay,
      own[i].distance,
      (minutes[i] % MINUTES_A_DAY) / 60,
      k > 0 ? clock[k] - clock[k - 1] : 0,
    ]);
    return [{ rows, clock, label: (last) => rows[last + 1][0] > 15 }];
  });
  return pack(series, ["delay", "distance", "hour", "wait"], 12, 2);
}

/** Of `2001/01/31 23:59`, which is in no zone. */
function toMinutes(date: string): number {
  const [year, month, day, hour, minute] = date.split(/\D/).map(Number);
  return Date.UTC(year, month - 1, day, hour, minute) / 60_000;
}

/** Windows of `length` rows, one in `stride`, of all series; split in time and packed. */
function pack(series: readonly Series[], features: readonly string[], length: number, stride: number): Promise<Uint8Array> {
  const windows = series.flatMap((one) => cut(one, length, stride)).sort((a, b) => a.end - b.end);
  const moment = windows[Math.floor(windows.length * (1 - TEST_SHARE))].end;
  const train = thin(
    windows.filter(({ end }) => end < moment),
    MAX_TRAIN,
  );
  const test = thin(
    windows.filter(({ start }) => start >= moment),
    MAX_TEST,
  );
  const values = (part: readonly Window[]) => ({
    data: Float64Array.from(part.flatMap((window) => window.values)),
    shape: [part.length, length, features.length],
  });
  const labels = (part: readonly Window[]) => ({ data: Uint8Array.from(part, ({ label }) => (label ? 1 : 0)), shape: [part.length] });
  const numbers = (data: Float64Array) => ({ data, shape: [data.length] });
  return encodeNpz({
    X: values(train),
    y: labels(train),
    X_test: values(test),
    y_test: labels(test),
    features: { data: features, shape: [features.length] },
    time: numbers(Float64Array.from(train, ({ end }) => end)),
    cluster_test: numbers(Float64Array.from(test, (_, n) => Math.floor((n * BLOCKS) / test.length))),
  });
}

function cut({ rows, clock, label }: Series, length: number, stride: number): Window[] {
  const windows: Window[] = [];
  for (let last = length - 1; last + 1 < rows.length; last += stride) {
    const first = last - length + 1;
    windows.push({ values: rows.slice(first, last + 1).flat(), label: label(last), start: clock[first], end: clock[last + 1] });
  }
  return windows;
}

/** At most `count`, evenly over their order. */
function thin<T>(items: readonly T[], count: number): readonly T[] {
  if (items.length <= count) return items;
  return Array.from({ length: count }, (_, i) => items[Math.floor((i * (items.length - 1)) / (count - 1))]);
}
