// How sequences lie in a graph's input: which axis is which, found by feeding numbers and following them to the LSTM.
// Legend: N sequences, T steps, F features.
import { DEFAULT_SHAPE, MAX_TIMESTEPS } from "../../../shared/sequence.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import { dependsOn } from "./dependence.ts";
import type { Graph, Port } from "./file.ts";
import { evaluate } from "./interpreter.ts";
import type { Tensor } from "./operators/node.ts";
import { LSTM_INPUT, type RecurrentGraph } from "./recurrent.ts";

/** How sequences (N,T,F) lie in the graph's input. */
export interface Layout {
  readonly input: string;
  /** The graph's input that gives the lengths, where there is one. */
  readonly lengths: string | null;
  readonly N: number;
  readonly T: number;
  /** Whether the file leaves the number of steps open. */
  readonly isFree: boolean;
  readonly batchFirst: boolean;
}

export type Feeds = ReadonlyMap<string, Tensor>;

/** More sequences than a file would fix as its batch; the interpreter is slow. */
const MAX_BATCH = 1000;
/** Where the file leaves the number of sequences open: two, so that mixed sequences show. */
const PROBED_SEQUENCES = 2;
/** Relative and absolute: float64 sums of some hundred terms differ by far less, another computation by far more. */
const TOLERANCE = 1e-9;

/** Whether two numbers are the same but for rounding. */
export function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= TOLERANCE * (1 + Math.abs(b));
}

/** The graph's inputs for N sequences of length `L`; `value` gives one number. */
export function feed(
  { input, lengths, N, T, batchFirst }: Layout,
  F: number,
  value: (n: number, t: number, f: number) => number,
  L = T,
): Feeds {
  const dims = batchFirst ? [N, T, F] : [T, N, F];
  const data = Float64Array.from({ length: N * T * F }, (_, at) => {
    const [a, b] = [Math.floor(at / (dims[1] * F)), Math.floor(at / F) % dims[1]];
    return batchFirst ? value(a, b, at % F) : value(b, a, at % F);
  });
  return new Map([
    [input, { dims, data }],
    ...(lengths === null ? [] : [[lengths, { dims: [N], data: new Float64Array(N).fill(L) }] as const]),
  ]);
}

/** What the graph answers where every sequence is `rows` (L,F). */
export function answerOf(graph: Graph, layout: Layout, F: number, output: string, rows: Float64Array, source: string): Float64Array {
  const L = rows.length / F;
  const T = layout.isFree && layout.lengths === null ? L : layout.T;
  const x = new Float64Array(T * F);
  x.set(rows); // left-aligned, as sequence_lens wants it
  const feeds = feed({ ...layout, T }, F, (_, t, f) => x[t * F + f], L);
  return evaluate(graph, feeds, output, source).data;
}

/** The finding on what shorter sequences are. */
export function describeLengths({ lengths }: Layout): string {
  return lengths === null
    ? "no lengths: all-zero rows are data (padding: none)"
    : `input ${lengths} gives lengths: shorter sequences are padded with all-zero rows in front (padding: leading)`;
}

/** `?, 30, 5` */
export function shapeOf({ dims }: Port): string {
  return dims.map((size) => size ?? "?").join(", ");
}

/**
 * How sequences may lie in an input of three axes, without what is too large to compute. `timesteps` as the user says it, for a graph of any
 * length.
 */
export function layoutsOf({ name: input, dims }: Port, lengths: string | null, timesteps: number | null): Layout[] {
  const layouts = [true, false].map((batchFirst): Layout => {
    const [sequences, steps] = batchFirst ? dims : [dims[1], dims[0]];
    return {
      input,
      lengths,
      N: sequences ?? PROBED_SEQUENCES,
      T: steps ?? timesteps ?? DEFAULT_SHAPE.timesteps,
      isFree: steps === null,
      batchFirst,
    };
  });
  return layouts.filter(({ N, T }) => T <= MAX_TIMESTEPS && N <= MAX_BATCH);
}

/** `timesteps` as the user says it, for a graph of any length. Throws DataError where the LSTM's input is no scaled copy of the graph's. */
export function findLayout(recurrent: RecurrentGraph, timesteps: number | null): Layout {
  const { source } = recurrent;
  const lengths = findLengths(recurrent);
  const input = findInput(recurrent, lengths);
  for (const layout of layoutsOf(input, lengths, timesteps))
    if (arrivesScaled(recurrent, layout)) {
      checkLengths(recurrent, layout);
      return layout;
    }
  return rejectFile(
    source,
    `does more to ${input.name} in front of its LSTM than to scale each feature`,
    `quickstep folds a mean and a scale for each feature, and nothing else, into its recipe; ${SECOND_ENGINE}`,
  );
}

/**
 * The graph's input of one axis from which sequence_lens comes, null where there is none. PyTorch casts the lengths of
 * pack_padded_sequence on their way, and sorts sequences by their lengths.
 */
function findLengths({ graph, node }: RecurrentGraph): string | null {
  const wanted = node.inputs[LSTM_INPUT.sequenceLens] ?? "";
  return graph.inputs.find(({ name, dims }) => dims.length <= 1 && dependsOn(graph, wanted, name))?.name ?? null;
}

/** Throws DataError where other lengths arrive at the LSTM than the graph is given. */
function checkLengths({ source, graph, node, F }: RecurrentGraph, layout: Layout): void {
  if (layout.lengths === null) return;
  for (let L = 1; L <= layout.T; L++) {
    const { data } = evaluate(
      graph,
      feed(layout, F, () => 0, L),
      node.inputs[LSTM_INPUT.sequenceLens],
      source,
    );
    if (data.length !== layout.N || data.some((length) => length !== L))
      rejectFile(source, `makes sequence_lens of ${data[0]} out of the length ${L}`, "quickstep gives lengths as they are");
  }
}

/** The graph's one input of sequences. */
function findInput({ source, graph, node, F }: RecurrentGraph, lengths: string | null): Port {
  for (const [k, what] of [
    [LSTM_INPUT.initialH, "initial_h"],
    [LSTM_INPUT.initialC, "initial_c"],
  ] as const)
    if (graph.inputs.some(({ name }) => name === node.inputs[k]))
      rejectFile(source, `takes its ${what} as an input`, `quickstep starts every sequence alike: store the ${what} as a constant`);
  const inputs = graph.inputs.filter(({ name }) => name !== lengths);
  if (inputs.length !== 1)
    rejectFile(
      source,
      `has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(", ")})`,
      "quickstep gives a model one array of sequences, and lengths for sequence_lens",
    );
  const [{ name, dims }] = inputs;
  if (dims.length !== 3 || (dims[2] !== null && dims[2] !== F))
    rejectFile(
      source,
      `takes ${name} of shape (${shapeOf(inputs[0])}), and its LSTM takes rows of ${F} numbers: other layers stand in front of the LSTM`,
      `quickstep folds a mean and a scale for each feature, and nothing else, into its recipe; ${SECOND_ENGINE}`,
    );
  return inputs[0];
}

/**
 * Whether every number of the input arrives at its place in the LSTM's input, as a linear function that depends on the feature
 * alone: zeros and ones tell the function of each feature, and numbers that are all different tell the places.
 */
function arrivesScaled({ source, graph, node, F, settings }: RecurrentGraph, layout: Layout): boolean {
  const numbered = (n: number, t: number, f: number): number => ((n * layout.T + t) * F + f + 1) / 1024;
  const [zero, one, coded] = [() => 0, () => 1, numbered].map((value) =>
    evaluate(graph, feed(layout, F, value), node.inputs[LSTM_INPUT.X], source),
  );
  const dims = settings.batchFirst ? [layout.N, layout.T, F] : [layout.T, layout.N, F];
  if (String(coded.dims) !== String(dims)) return false;
  return coded.data.every((got, at) => {
    const [a, b, f] = [Math.floor(at / (dims[1] * F)), Math.floor(at / F) % dims[1], at % F];
    const sent = settings.batchFirst ? numbered(a, b, f) : numbered(b, a, f);
    const expected = zero.data[at] + (one.data[at] - zero.data[at]) * sent;
    return near(got, expected) && near(zero.data[at], zero.data[f]) && near(one.data[at], one.data[f]);
  });
}
