// An ONNX graph → Found. What stands in front of the LSTM and behind it is understood by asking the graph itself, through the
// interpreter: both sides must be linear, so that probes with zeros, units and noise say everything about them.
// Legend: T steps, N sequences, F features, U units; gates i,o,f,c in ONNX, i,f,c,o here.
import type { Network } from "../../shared/lstm.ts";
import { DEFAULT_SHAPE, MAX_TIMESTEPS } from "../../shared/sequence.ts";
import { createRandom } from "../random.ts";
import { addFront, type Found, type Front, MAX_UNITS, plainFront, refuse } from "./found.ts";
import { type Graph, type Node, readGraph, type Tensor } from "./onnx-file.ts";
import { type LstmSettings, settingsOf } from "./onnx-lstm.ts";
import { evaluate } from "./onnx-operators.ts";
import { type Own, restoreOwn } from "./own.ts";

/** The graph with what is known of its one LSTM. */
interface Context {
  readonly source: string;
  readonly graph: Graph;
  readonly node: Node;
  readonly settings: LstmSettings;
  readonly F: number;
  readonly U: number;
}

/** How sequences (N,T,F) lie in the graph's input. */
interface Layout {
  readonly input: string;
  /** Where a graph's input gives the lengths. */
  readonly lengths: string | null;
  readonly N: number;
  readonly T: number;
  readonly isFree: boolean;
  readonly batchFirst: boolean;
}

type Feeds = ReadonlyMap<string, Tensor>;

/** `timesteps` as the user says it. Throws DataError. */
export function readOnnx(bytes: Uint8Array, source: string, timesteps: number | null): Found {
  const graph = readGraph(bytes, source);
  const recurrent = graph.nodes.filter(({ operator }) => /^(.*\.)?(LSTM|GRU|RNN)$/.test(operator));
  if (recurrent.length !== 1 || recurrent[0].operator !== "LSTM")
    refuse(
      source,
      recurrent.length === 0
        ? `holds no LSTM node (${[...new Set(graph.nodes.map(({ operator }) => operator))].slice(0, 12).join(", ")})`
        : `holds ${recurrent.map(({ operator }) => operator).join(", ")}`,
      "quickstep runs exactly one LSTM",
    );
  const [node] = recurrent;
  const settings = settingsOf(node, source);
  const constant = (k: number, what: string): Tensor => {
    if (node.inputs[k] && graph.inputs.some(({ name }) => name === node.inputs[k]))
      refuse(source, `takes its ${what} as an input`, "store the weights in the file, as constants");
    return evaluate(graph, new Map(), node.inputs[k] ?? "", source);
  };
  const [w, r] = [constant(1, "weights W"), constant(2, "weights R")];
  const U = r.dims[2];
  const F = w.dims[2];
  if (String(r.dims) !== String([1, 4 * U, U]) || String(w.dims) !== String([1, 4 * U, F]) || !(U >= 1 && U <= MAX_UNITS))
    refuse(
      source,
      `has an LSTM with W (${w.dims.join(", ")}) and R (${r.dims.join(", ")})`,
      `expected (1, 4·units, features) and (1, 4·units, units), 1 to ${MAX_UNITS} units`,
    );
  const b = node.inputs[3] ? constant(3, "biases B") : undefined;
  if (b && b.data.length !== 8 * U)
    refuse(source, `has an LSTM with ${b.data.length} biases, expected ${8 * U}`, "it is damaged: export it again");
  if (node.inputs[7] && constant(7, "peepholes P").data.some((weight) => weight !== 0))
    refuse(source, "has an LSTM with peepholes (P)", "quickstep's kernel has none: train without");

  const context: Context = { source, graph, node, settings, F, U };
  const lstm = {
    ...fromGates(w, r, b, F, U),
    ...(settings.hardGates !== null && { hardGates: settings.hardGates }),
    ...(settings.reverse && { backwards: true as const }),
  };
  const recipe = graph.metadata.get("recipe");
  if (graph.producer === "quickstep" && recipe !== undefined) return readOwn(context, lstm, recipe);

  const layout = findLayout(context, timesteps);
  const initial = readInitial(context, layout);
  const front = readFront(context, layout);
  const { output, weights, bias, classes } = readHead(context, layout);
  const network: Network = { ...lstm, headKernel: weights, headBias: bias, ...(initial && { initial }) };
  return {
    format: `ONNX, opset ${graph.opset}, from ${graph.producer || "an unnamed producer"}`,
    lines: [
      `LSTM(${U}) on ${F} features, ${settings.reverse ? "reverse" : "forward"}, layout ${settings.batchFirst ? 1 : 0}; biases Wb and Rb summed`,
      ...describeSettings(settings, initial !== undefined),
      `input ${layout.input} is (${layout.batchFirst ? "sequences, steps" : "steps, sequences"}, features)${front === null ? "" : "; what it does to features in front is folded into the recipe"}`,
      classes === 2
        ? "head: a softmax of two, taken as a sigmoid of their difference: the probability of class 1"
        : "head: linear and a sigmoid",
      layout.lengths === null
        ? "no lengths: all-zero rows are data (padding: none)"
        : `input ${layout.lengths} gives lengths: shorter sequences are padded with all-zero rows in front (padding: leading)`,
    ],
    timesteps: layout.isFree ? null : layout.T,
    padding: layout.lengths === null ? "none" : "leading",
    front: front ?? plainFront(F),
    network,
    forward(rows) {
      const L = rows.length / F;
      const x = new Float64Array(layout.T * F);
      x.set(rows); // left-aligned, as sequence_lens wants it
      const answer = evaluate(
        graph,
        feed(layout, F, (_, t, f) => x[t * F + f], L),
        output,
        source,
      ).data;
      return classes === 2 ? answer[1] : answer[0];
    },
  };
}

/** A file of quickstep's own: its constants by their names, its recipe from the metadata. */
function readOwn({ graph, source, settings, U, F }: Context, lstm: Omit<Network, "headKernel" | "headBias">, recipe: string): Found {
  const constant = (name: string): Float64Array =>
    graph.constants.get(name)?.data ?? refuse(source, `lacks its constant ${name}`, "it is damaged: export it again");
  let own: Own;
  try {
    const calibration = { slope: constant("slope")[0], intercept: constant("intercept")[0] };
    own = restoreOwn(graph.metadata.get("name") ?? "", JSON.parse(recipe), calibration, F);
  } catch {
    return refuse(source, "carries a recipe that cannot be read", "it is damaged: export it again");
  }
  const initial = graph.constants.has("hidden") && {
    hidden: Float32Array.from(constant("hidden")),
    cell: Float32Array.from(constant("cell")),
  };
  const T = own.recipe.timesteps;
  return {
    format: `ONNX, opset ${graph.opset}, as quickstep exports it`,
    lines: [
      `LSTM(${U}) on ${F} channels`,
      ...describeSettings(settings, Boolean(initial)),
      "recipe and calibration come from the file; operating points and figures are not in it",
    ],
    timesteps: T,
    padding: own.recipe.padding,
    front: plainFront(F),
    network: {
      ...lstm,
      headKernel: Float32Array.from(constant("headKernel")),
      headBias: Float32Array.from(constant("headBias")),
      ...(initial && { initial }),
    },
    forward(rows) {
      const channels = new Float64Array(T * F);
      channels.set(rows);
      const feeds = new Map<string, Tensor>([
        ["channels", { dims: [1, T, F], data: channels }],
        ["lengths", { dims: [1], data: Float64Array.of(rows.length / F) }],
      ]);
      return evaluate(graph, feeds, "probabilities", source).data[0];
    },
    own,
  };
}

function describeSettings({ hardGates }: LstmSettings, hasInitial: boolean): string[] {
  return [
    ...(hardGates === null ? [] : [`gates: HardSigmoid, ${hardGates.toPrecision(3)} · x + 0.5`]),
    ...(hasInitial ? ["starts from a constant state (initial_h, initial_c)"] : []),
  ];
}

/** Gates i,o,f,c in rows → i,f,c,o in columns; the two biases summed in float64. */
function fromGates(w: Tensor, r: Tensor, b: Tensor | undefined, F: number, U: number): Omit<Network, "headKernel" | "headBias"> {
  const places = [0, 2, 3, 1];
  const turn = (data: ArrayLike<number>, columns: number): Float32Array =>
    Float32Array.from({ length: columns * 4 * U }, (_, at) => {
      const [row, gate, u] = [Math.floor(at / (4 * U)), Math.floor((at % (4 * U)) / U), at % U];
      return data[(places[gate] * U + u) * columns + row];
    });
  const biases = Float64Array.from({ length: 4 * U }, (_, g) => (b ? b.data[g] + b.data[4 * U + g] : 0));
  return { channels: F, units: U, kernel: turn(w.data, F), recurrent: turn(r.data, U), bias: turn(biases, 1) };
}

/** Feeds of N equal or different sequences; `value` gives one number. */
function feed({ input, lengths, N, T, batchFirst }: Layout, F: number, value: (n: number, t: number, f: number) => number, L = T): Feeds {
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
function findLayout({ graph, source, node, F, settings }: Context, timesteps: number | null): Layout {
  const lengths = graph.inputs.find(({ name }) => name === node.inputs[4])?.name ?? null;
  for (const [k, what] of [
    [5, "initial_h"],
    [6, "initial_c"],
  ] as const)
    if (graph.inputs.some(({ name }) => name === node.inputs[k]))
      refuse(source, `takes its ${what} as an input`, "quickstep starts every sequence alike: store it as a constant");
  const inputs = graph.inputs.filter(({ name }) => name !== lengths);
  if (inputs.length !== 1)
    refuse(
      source,
      `has ${inputs.length} inputs (${inputs.map(({ name }) => name).join(", ")})`,
      "quickstep gives a model one array of sequences, and lengths for sequence_lens",
    );
  const { name: input, dims } = inputs[0];
  if (dims.length !== 3 || (dims[2] !== null && dims[2] !== F))
    refuse(
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
  return refuse(
    source,
    `does more to ${input} in front of its LSTM than to scale each feature`,
    "quickstep can fold a mean and a scale for each feature into its recipe",
  );
}

function near(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-9 * (1 + Math.abs(b));
}

/** What is done to each feature in front, or null for nothing. */
function readFront({ graph, source, node, F }: Context, layout: Layout): Front | null {
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
    refuse(source, `makes a constant of feature ${dead} in front of its LSTM`, "leave that feature out and train again");
  return addFront(
    plainFront(F),
    features.map((f) => -zero[f] * scale[f]),
    scale,
  );
}

/** The state before the first step; also checks that lengths are not made of the data. */
function readInitial({ graph, source, node, F, U }: Context, layout: Layout): Network["initial"] {
  const random = createRandom(1);
  const both = [feed(layout, F, () => 0), feed(layout, F, () => random.normal())];
  const independent = (k: number, what: string): Float64Array | undefined => {
    if (!node.inputs[k]) return undefined;
    const [a, b] = both.map((feeds) => evaluate(graph, feeds, node.inputs[k], source).data);
    if (a.some((value, at) => value !== b[at]))
      refuse(source, `computes ${what} from its input`, "quickstep takes constants there; for a mask, import the Keras file instead");
    return a;
  };
  if (layout.lengths === null && independent(4, "sequence_lens")?.some((length) => length !== layout.T))
    refuse(source, "has fixed sequence_lens below its steps", "quickstep reads every step: export it with that many steps");
  const states = [independent(5, "initial_h"), independent(6, "initial_c")].map((state) => {
    if (state?.some((value, at) => value !== state[at % U]))
      refuse(source, "starts sequences from different states", "quickstep starts every sequence alike");
    return Float32Array.from({ length: U }, (_, u) => state?.[u] ?? 0);
  });
  return states.some((state) => state.some((value) => value !== 0)) ? { hidden: states[0], cell: states[1] } : undefined;
}

/** So large that what it is added to is lost beside it: a weight comes out to its last bit. */
const PROBE = 2 ** 60;

/** From the last state to the logit: a linear function, asked for its bias and weights. */
function readHead(context: Context, layout: Layout): { output: string; weights: Float32Array; bias: Float32Array; classes: 1 | 2 } {
  const { graph, source, node, U, F, settings } = context;
  if (graph.outputs.length !== 1)
    refuse(
      source,
      `has ${graph.outputs.length} outputs (${graph.outputs.map(({ name }) => name).join(", ")})`,
      "quickstep answers one probability: export that output alone",
    );
  const output = graph.outputs[0].name;
  const last = lastActivation(context, output);
  const { N, T } = layout;
  const random = createRandom(2);
  const noise = (): number => random.normal();
  const final = settings.reverse ? 0 : T - 1;
  /** The logits (N) where the last state is `state` (N,U), and everything else is `other`. */
  const logits = (state: (n: number, u: number) => number, other: () => number): Float64Array => {
    const [y, h, c] = node.outputs;
    const tensor = (dims: number[], value: (at: number) => number): Tensor => ({
      dims,
      data: Float64Array.from({ length: dims.reduce((a, b) => a * b) }, (_, at) => value(at)),
    });
    const lastDims = settings.batchFirst ? [N, 1, U] : [1, N, U];
    const given = new Map(feed(layout, F, other));
    if (y)
      given.set(
        y,
        tensor(settings.batchFirst ? [N, T, 1, U] : [T, 1, N, U], (at) => {
          const [n, t] = settings.batchFirst
            ? [Math.floor(at / (T * U)), Math.floor(at / U) % T]
            : [Math.floor(at / U) % N, Math.floor(at / (N * U))];
          return t === final ? state(n, at % U) : other();
        }),
      );
    if (h)
      given.set(
        h,
        tensor(lastDims, (at) => state(Math.floor(at / U), at % U)),
      );
    if (c) given.set(c, tensor(lastDims, other));
    const { data } = evaluate(graph, given, last.logit, source);
    const classes = data.length / N;
    if (classes !== (last.operator === "Softmax" ? 2 : 1))
      refuse(source, `answers ${classes} numbers for a sequence`, "quickstep answers one probability");
    return classes === 2 ? Float64Array.from({ length: N }, (_, n) => data[2 * n + 1] - data[2 * n]) : data;
  };
  const bias = logits(
    () => 0,
    () => 0,
  );
  if (logits(() => 0, noise).some((z) => !near(z, bias[0])))
    refuse(
      source,
      "reads more than the last state of its LSTM (earlier steps, its cell, or the input again)",
      "quickstep's head sees the last state only",
    );
  const weights = Float64Array.from(
    { length: U },
    (_, u) =>
      (logits(
        (_, v) => (v === u ? PROBE : 0),
        () => 0,
      )[0] -
        bias[0]) /
      PROBE,
  );
  const states = Float64Array.from({ length: N * U }, () => random.uniform());
  const mixed = logits((n, u) => states[n * U + u], noise);
  for (let n = 0; n < N; n++) {
    const expected = weights.reduce((sum, weight, u) => sum + weight * states[n * U + u], bias[0]);
    if (!near(mixed[n], expected))
      refuse(source, "has a head that is not linear, or that mixes sequences", "quickstep runs one linear layer behind the LSTM");
  }
  if (layout.lengths !== null && node.outputs[0] && dependsOn(graph, last.logit, node.outputs[0]))
    refuse(source, "reads the last row of Y, although sequences may be shorter", "read Y_h, the state at each one's own length");
  return { output, weights: Float32Array.from(weights), bias: Float32Array.from([bias[0]]), classes: last.operator === "Softmax" ? 2 : 1 };
}

/** The Sigmoid or Softmax from which the output comes, through nothing but changes of shape. */
function lastActivation({ graph, source }: Context, output: string): { operator: string; logit: string } {
  let name = output;
  for (let hops = 0; hops < graph.nodes.length; hops++) {
    const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
    if (maker === undefined) break;
    if (maker.operator === "Sigmoid" || maker.operator === "Softmax") return { operator: maker.operator, logit: maker.inputs[0] };
    if (!/^(Identity|Reshape|Squeeze|Unsqueeze|Flatten|Cast)$/.test(maker.operator))
      refuse(source, `ends in ${maker.operator}, not in a Sigmoid`, "export a model that answers a probability: wrap it in a sigmoid");
    name = maker.inputs[0];
  }
  return refuse(source, `ends in ${output}, which no Sigmoid makes`, "export a model that answers a probability");
}

function dependsOn(graph: Graph, name: string, wanted: string): boolean {
  if (name === wanted) return true;
  const maker = graph.nodes.find(({ outputs }) => outputs.includes(name));
  return maker !== undefined && maker.operator !== "LSTM" && maker.inputs.some((input) => input !== "" && dependsOn(graph, input, wanted));
}
