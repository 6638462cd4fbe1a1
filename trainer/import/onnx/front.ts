// What stands in front of a graph's LSTM: which axis of its input is which, what is done to features, where states start. Found out
// by asking the graph through the interpreter: it must be linear in each feature, so that zeros, ones and numbered inputs tell all.
// Legend: T steps, N sequences, F features, U units.
import type { Network } from "../../../shared/networks/lstm.ts";
import { DEFAULT_SHAPE, MAX_TIMESTEPS } from "../../../shared/sequence.ts";
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import { addFront, type Front, plainFront } from "../contract/front.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Graph } from "./file.ts";
import { evaluate } from "./interpreter.ts";
import type { LstmSettings } from "./operators/lstm.ts";
import type { Node, Tensor } from "./operators/node.ts";

/** The graph with what is known of its one LSTM. */
export interface Context {
  readonly source: string;
  readonly graph: Graph;
  readonly node: Node;
  readonly settings: LstmSettings;
  readonly F: number;
  readonly U: number;
}

/** How sequences (N,T,F) lie in the graph's input. */
export interface Layout {
  readonly input: string;
  /** Where a graph's input gives the lengths. */
  readonly lengths: string | null;
  readonly N: number;
  readonly T: number;
  readonly isFree: boolean;
  readonly batchFirst: boolean;
}

export type Feeds = ReadonlyMap<string, Tensor>;

/** Feeds of N equal or different sequences; `value` gives one number. */
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

/** Which axis of the input is which, found by following numbers to the LSTM. */
export function findLayout({ graph, source, node, F, settings }: Context, timesteps: number | null): Layout {
  const lengths = graph.inputs.find(({ name }) => name === node.inputs[4])?.name ?? null;
  for (const [k, what] of [
    [5, "initial_h"],
    [6, "initial_c"],
  ] as const)
    if (graph.inputs.some(({ name }) => name === node.inputs[k]))
      rejectFile(source, `takes its ${what} as an input`, "quickstep starts every sequence alike: store it as a constant");
  const inputs = graph.inputs.filter(({ name }) => name !== lengths);
  if (inputs.length !== 1)
    rejectFile(
      source,
      `has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(", ")})`,
      "quickstep gives a model one array of sequences, and lengths for sequence_lens",
    );
  const { name: input, dims } = inputs[0];
  if (dims.length !== 3 || (dims[2] !== null && dims[2] !== F))
    rejectFile(
      source,
      `takes ${input} of shape (${dims.map((size) => size ?? "?").join(", ")})`,
      `expected three axes, the last of ${F} features`,
    );
  for (const batchFirst of [true, false]) {
    const [sequences, steps] = batchFirst ? dims : [dims[1], dims[0]];
    const layout: Layout = {
      input,
      lengths,
      N: sequences ?? 2,
      T: steps ?? timesteps ?? DEFAULT_SHAPE.timesteps,
      isFree: steps === null,
      batchFirst,
    };
    if (layout.T > MAX_TIMESTEPS || layout.N > 1000) continue;
    const value = (n: number, t: number, f: number): number => ((n * layout.T + t) * F + f + 1) / 1024;
    const arrives = (feeds: Feeds): Tensor => evaluate(graph, feeds, node.inputs[0], source);
    const [zero, one, coded] = [() => 0, () => 1, value].map((of) => arrives(feed(layout, F, of)));
    const wanted = settings.batchFirst ? [layout.N, layout.T, F] : [layout.T, layout.N, F];
    if (String(coded.dims) !== String(wanted)) continue;
    const fits = coded.data.every((got, at) => {
      const [a, b, f] = [Math.floor(at / (wanted[1] * F)), Math.floor(at / F) % wanted[1], at % F];
      const expected = zero.data[at] + (one.data[at] - zero.data[at]) * (settings.batchFirst ? value(a, b, f) : value(b, a, f));
      return (
        Math.abs(got - expected) <= 1e-9 * (1 + Math.abs(expected)) && near(zero.data[at], zero.data[f]) && near(one.data[at], one.data[f])
      );
    });
    if (fits) return layout;
  }
  return rejectFile(
    source,
    `does more to ${input} in front of its LSTM than to scale each feature`,
    "quickstep can fold a mean and a scale for each feature into its recipe",
  );
}

export function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b));
}

/** What is done to each feature in front, or null for nothing. */
export function readFront({ graph, source, node, F }: Context, layout: Layout): Front | null {
  const [zero, one] = [0, 1].map(
    (value) =>
      evaluate(
        graph,
        feed(layout, F, () => value),
        node.inputs[0],
        source,
      ).data,
  );
  const features = Array.from({ length: F }, (_, f) => f);
  if (features.every((f) => zero[f] === 0 && one[f] === 1)) return null;
  const scale = features.map((f) => 1 / (one[f] - zero[f]));
  const dead = features.find((f) => !Number.isFinite(scale[f]));
  if (dead !== undefined)
    rejectFile(source, `makes a constant of feature ${dead} in front of its LSTM`, "leave that feature out and train again");
  return addFront(
    plainFront(F),
    features.map((f) => -zero[f] * scale[f]),
    scale,
  );
}

/** The state before the first step; also checks that lengths are not made of the data. */
export function readInitial({ graph, source, node, F, U }: Context, layout: Layout): Network["initial"] {
  const random = createRandom(1, STREAMS.generatedData);
  const both = [feed(layout, F, () => 0), feed(layout, F, () => random.normal())];
  const independent = (k: number, what: string): Float64Array | undefined => {
    if (!node.inputs[k]) return undefined;
    const [a, b] = both.map((feeds) => evaluate(graph, feeds, node.inputs[k], source).data);
    if (a.some((value, at) => value !== b[at]))
      rejectFile(source, `computes ${what} from its input`, "quickstep takes constants there; for a mask, import the Keras file instead");
    return a;
  };
  if (layout.lengths === null && independent(4, "sequence_lens")?.some((length) => length !== layout.T))
    rejectFile(source, "has fixed sequence_lens below its steps", "quickstep reads every step: export it with that many steps");
  const states = [independent(5, "initial_h"), independent(6, "initial_c")].map((state) => {
    if (state?.some((value, at) => value !== state[at % U]))
      rejectFile(source, "starts sequences from different states", "quickstep starts every sequence alike");
    return Float32Array.from({ length: U }, (_, u) => state?.[u] ?? 0);
  });
  return states.some((state) => state.some((value) => value !== 0)) ? { hidden: states[0], cell: states[1] } : undefined;
}
