// The tabular view as ONNX nodes: a recipe's rows → columns (N,V) float64, what computeColumns computes but for the last bits of sums
// and logarithms. A missing number is NaN here, too.
// Legend: N sequences, T steps, S series, P parts, V columns, L valid rows.
import { type Block, type Interval, intervalsOf, type TabularView } from "../../../shared/recipe/tabular.ts";
import type { Builder } from "./builder.ts";
import { lackingOf } from "./gap-graph.ts";
import { int, ints, node, raw } from "./graph.ts";
import { type Rows, viewOf } from "./recipe-graph.ts";
import { DOUBLE, INT64 } from "./schema.ts";

/** Stands behind every number where missing ones are sorted to the end. */
const LARGEST = Number.MAX_VALUE;

/** All series of a view side by side. */
interface Series {
  readonly T: number;
  /** (N,T,S) left-aligned, 0 where nothing is defined */
  readonly x: string;
  /** (N,T,S) bool: what is defined; the same as float64 */
  readonly isDefined: string;
  readonly defined: string;
  /** (N,1,S) the first defined number, NaN where there is none */
  readonly origin: string;
  /** (N,1,S) how many are defined */
  readonly count: string;
}

/** The view's columns (N,V), by name. */
export function buildView(build: Builder, view: TabularView, rows: Rows, T: number): string {
  const { op, indices } = build;
  const series = stackSeries(build, view, rows, T);
  const levels = averageParts(build, view, series, rows); // (N,P,S)
  const changes = view.parts > 1 ? op("Sub", [build.slice(levels, 0, view.parts - 1), build.slice(levels, 1, view.parts)]) : null;
  const statistics = view.blocks.some(({ kind }) => kind === "statistics") ? describeStatistics(build, series) : null; // (N,7,S)
  const tallOf = (block: Exclude<Block, { kind: "length" }>): string => {
    switch (block.kind) {
      case "steps":
        return join(build, changes === null ? [levels] : [levels, changes]);
      case "statistics":
        return statistics!;
      case "constants":
        return build.slice(levels, 0, 1);
      case "quantiles":
        return describeQuantiles(build, block, view.parts, levels, changes);
    }
  };
  const blocks = view.blocks.map((block) => {
    if (block.kind === "length") return op("Reshape", [rows.length, indices(-1, 1)]);
    const tall = tallOf(block);
    const own = op("Gather", [tall, indices(...block.series)], [int("axis", 2)]);
    return op("Reshape", [op("Transpose", [own], [ints("perm", [0, 2, 1])]), indices(0, -1)]); // series by series
  });
  const all = blocks.length === 1 ? blocks[0] : op("Concat", blocks, [int("axis", 1)]);
  return view.keep === undefined ? all : op("Gather", [all, indices(...view.keep)], [int("axis", 1)]);
}

/** Along the second axis. */
function join({ op }: Builder, parts: readonly string[]): string {
  return parts.length === 1 ? parts[0] : op("Concat", parts, [int("axis", 1)]);
}

function stackSeries(build: Builder, view: TabularView, rows: Rows, T: number): Series {
  const { op, zero, cast, indices } = build;
  const columns = view.series.map((channel, s) => {
    const { x, isDefined } = viewOf(build, channel, view.floor.subarray(3 * s, 3 * s + 3), rows, T);
    const lacking = lackingOf(build, channel, rows.since);
    return { x, isDefined: lacking ? op("And", [isDefined, op("Not", [lacking])]) : isDefined };
  });
  const beside = (parts: readonly string[]): string => (parts.length === 1 ? parts[0] : op("Concat", parts, [int("axis", 2)]));
  const isDefined = beside(columns.map((column) => column.isDefined)); // (N,T,S)
  const x = op("Where", [isDefined, beside(columns.map((column) => column.x)), zero]);
  const defined = cast(isDefined, DOUBLE);
  const count = op("ReduceSum", [defined, indices(1)], [int("keepdims", 1)]);
  const before = op("CumSum", [defined, build.constant(INT64, [], raw(BigInt64Array.of(1n)))], [int("exclusive", 1)]);
  const isFirst = op("And", [isDefined, op("Equal", [before, zero])]);
  const first = op("ReduceSum", [op("Where", [isFirst, x, zero]), indices(1)], [int("keepdims", 1)]);
  const origin = op("Where", [op("Greater", [count, zero]), first, build.number(Number.NaN)]);
  return { T, x, isDefined, defined, origin, count };
}

/** (N,P,S) the mean of each part, the last first. A part of one row is that row's number. */
function averageParts(build: Builder, { width, parts }: TabularView, series: Series, rows: Rows): string {
  const { op, doubles, number, zero } = build;
  const { T, x, defined, origin } = series;
  // Rows as seen from the end: row t of L is in part p where p·width ≤ L − 1 − t < (p + 1)·width.
  const fromEnd = op("Sub", [
    op("Sub", [build.op("Reshape", [rows.length, build.indices(-1, 1, 1)]), number(1)]),
    doubles(range(T), [1, 1, T]),
  ]); // (N,1,T)
  const begin = doubles(
    range(parts).map((p) => p * width),
    [1, parts, 1],
  );
  const end = doubles(
    range(parts).map((p) => (p + 1) * width),
    [1, parts, 1],
  );
  const isIn = op("And", [op("GreaterOrEqual", [fromEnd, begin]), op("Less", [fromEnd, end])]);
  const weights = build.cast(isIn, DOUBLE); // (N,P,T)
  const counts = op("MatMul", [weights, defined]); // (N,P,S)
  if (width === 1) return op("Where", [op("Greater", [counts, zero]), op("MatMul", [weights, x]), number(Number.NaN)]);
  const rise = op("Where", [series.isDefined, op("Sub", [x, origin]), zero]);
  return op("Add", [origin, op("Div", [op("MatMul", [weights, rise]), counts])]);
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i);
}

/** (N,7,S) as STATISTICS orders them. */
function describeStatistics(build: Builder, { T, x, isDefined, defined, origin, count }: Series): string {
  const { op, doubles, indices, number, zero } = build;
  const sum = (input: string): string => op("ReduceSum", [input, indices(1)], [int("keepdims", 1)]);
  const where = (values: string, otherwise: string): string => op("Where", [isDefined, values, otherwise]);
  const extreme = (operator: string, otherwise: number): string =>
    op(operator, [where(x, number(otherwise))], [ints("axes", [1]), int("keepdims", 1)]);
  const orNaN = (values: string): string => op("Where", [op("Greater", [count, zero]), values, number(Number.NaN)]);
  const rise = where(op("Sub", [x, origin]), zero);
  const meanRise = op("Div", [sum(rise), count]);
  const mean = op("Add", [origin, meanRise]);
  const min = orNaN(extreme("ReduceMin", LARGEST));
  const max = orNaN(extreme("ReduceMax", -LARGEST));
  const away = where(op("Sub", [rise, meanRise]), zero);
  const squares = sum(op("Mul", [away, away]));
  const spread = op("Sub", [max, min]);
  const scaled = where(op("Div", [op("Sub", [x, mean]), spread]), zero);
  const overflowed = op("Mul", [spread, op("Sqrt", [op("Div", [sum(op("Mul", [scaled, scaled])), count])])]);
  const deviation = op("Where", [
    op("IsInf", [op("Cast", [squares], [int("to", DOUBLE)])]),
    overflowed,
    op("Sqrt", [op("Div", [squares, count])]),
  ]);
  const t = doubles(range(T), [1, T, 1]);
  const meanT = op("Div", [sum(op("Mul", [defined, t])), count]);
  const awayT = where(op("Sub", [t, meanT]), zero);
  const slope = op("Div", [sum(op("Mul", [awayT, away])), sum(op("Mul", [awayT, awayT]))]);
  const before = (input: string): string =>
    T === 1 ? input : op("Concat", [build.slice(input, 0, 1), build.slice(input, 0, T - 1)], [int("axis", 1)]);
  const isLater = doubles(
    range(T).map((row) => Number(row > 0)),
    [1, T, 1],
  );
  const pairs = op("Mul", [op("Mul", [defined, before(defined)]), isLater]);
  const change = op("Div", [sum(op("Mul", [op("Abs", [op("Sub", [x, before(x)])]), pairs])), sum(pairs)]);
  // The last defined row is the last valid one: its place from the end is 0.
  const behind = op("CumSum", [defined, build.constant(INT64, [], raw(BigInt64Array.of(1n)))], [int("reverse", 1)]);
  const isLast = op("And", [isDefined, op("Equal", [behind, number(1)])]);
  const last = sum(op("Where", [isLast, x, zero]));
  return join(build, [mean, deviation, min, max, op("Sub", [last, origin]), slope, change]);
}

/** (N,Q,S) quantiles of every interval, of all series. */
function describeQuantiles(
  build: Builder,
  { depth }: Block & { readonly kind: "quantiles" },
  parts: number,
  levels: string,
  changes: string | null,
): string {
  const columns = intervalsOf(parts, depth).flatMap((interval) => {
    const input = interval.of === "values" ? levels : changes;
    return input === null ? [] : quantilesOf(build, interval, build.slice(input, interval.from, interval.to));
  });
  return join(build, columns);
}

/** (N,1,S) each, of `input` (N,m,S). */
function quantilesOf(build: Builder, { from, to, count: positions }: Interval, input: string): string[] {
  const { op, indices, number, zero, cast } = build;
  const isMissing = op("IsNaN", [input]);
  const filled = op("Where", [isMissing, number(LARGEST), input]);
  const sorted = `${filled}Sorted`;
  build.nodes.push(
    node("TopK", [filled, indices(to - from)], [sorted, `${filled}Order`], int("axis", 1), int("largest", 0), int("sorted", 1)),
  );
  const count = op("ReduceSum", [cast(op("Not", [isMissing]), DOUBLE), indices(1)], [int("keepdims", 1)]); // (N,1,S)
  const top = op("Max", [op("Sub", [count, number(1)]), zero]);
  const isThere = op("Greater", [count, zero]);
  return range(positions).map((q) => {
    const at = op("Mul", [number(positions === 1 ? 0.5 : q / (positions - 1)), top]);
    const below = op("Floor", [at]);
    const pick = (place: string): string => op("GatherElements", [sorted, cast(place, INT64)], [int("axis", 1)]);
    const low = pick(below);
    const high = pick(op("Min", [op("Add", [below, number(1)]), top]));
    const value = op("Add", [low, op("Mul", [op("Sub", [at, below]), op("Sub", [high, low])])]);
    return op("Where", [isThere, value, number(Number.NaN)]);
  });
}
