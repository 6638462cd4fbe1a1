// An ONNX graph → ImportedNetwork: its one LSTM by its constants, what is around it by asking the graph itself (onnx-front.ts, onnx-head.ts).
// Legend: T steps, F features, U units; gates i,o,f,c in ONNX, i,f,c,o here.
import type { Network } from "../../../shared/networks/lstm.ts";
import { type ExportMetadata, restoreExportMetadata } from "../contract/export-metadata.ts";
import { plainFront } from "../contract/front.ts";
import { type ImportedNetwork, MAX_UNITS } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import { readGraph } from "./file.ts";
import { type Context, feed, findLayout, readFront, readInitial } from "./front.ts";
import { readHead } from "./head.ts";
import { evaluate } from "./interpreter.ts";
import { type LstmSettings, settingsOf } from "./operators/lstm.ts";
import type { Tensor } from "./operators/node.ts";

/** `timesteps` as the user says it. Throws DataError. */
export function readOnnx(bytes: Uint8Array, source: string, timesteps: number | null): ImportedNetwork {
  const graph = readGraph(bytes, source);
  const recurrent = graph.nodes.filter(({ operator }) => /^(.*\.)?(LSTM|GRU|RNN)$/.test(operator));
  if (recurrent.length !== 1 || recurrent[0].operator !== "LSTM")
    rejectFile(
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
      rejectFile(source, `takes its ${what} as an input`, "store the weights in the file, as constants");
    return evaluate(graph, new Map(), node.inputs[k] ?? "", source);
  };
  const [w, r] = [constant(1, "weights W"), constant(2, "weights R")];
  const U = r.dims[2];
  const F = w.dims[2];
  if (String(r.dims) !== String([1, 4 * U, U]) || String(w.dims) !== String([1, 4 * U, F]) || !(U >= 1 && U <= MAX_UNITS))
    rejectFile(
      source,
      `has an LSTM with W (${w.dims.join(", ")}) and R (${r.dims.join(", ")})`,
      `expected (1, 4·units, features) and (1, 4·units, units), 1 to ${MAX_UNITS} units`,
    );
  const b = node.inputs[3] ? constant(3, "biases B") : undefined;
  if (b && b.data.length !== 8 * U)
    rejectFile(source, `has an LSTM with ${b.data.length} biases, expected ${8 * U}`, "it is damaged: export it again");
  if (node.inputs[7] && constant(7, "peepholes P").data.some((weight) => weight !== 0))
    rejectFile(source, "has an LSTM with peepholes (P)", "quickstep's kernel has none: train without");

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
    findings: [
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
function readOwn(
  { graph, source, settings, U, F }: Context,
  lstm: Omit<Network, "headKernel" | "headBias">,
  recipe: string,
): ImportedNetwork {
  const constant = (name: string): Float64Array =>
    graph.constants.get(name)?.data ?? rejectFile(source, `lacks its constant ${name}`, "it is damaged: export it again");
  let exportMetadata: ExportMetadata;
  try {
    const calibration = { slope: constant("slope")[0], intercept: constant("intercept")[0] };
    exportMetadata = restoreExportMetadata(graph.metadata.get("name") ?? "", JSON.parse(recipe), calibration, F);
  } catch {
    return rejectFile(source, "carries a recipe that cannot be read", "it is damaged: export it again");
  }
  const initial = graph.constants.has("hidden") && {
    hidden: Float32Array.from(constant("hidden")),
    cell: Float32Array.from(constant("cell")),
  };
  const T = exportMetadata.recipe.timesteps;
  return {
    format: `ONNX, opset ${graph.opset}, as quickstep exports it`,
    findings: [
      `LSTM(${U}) on ${F} channels`,
      ...describeSettings(settings, Boolean(initial)),
      "recipe and calibration come from the file; operating points and figures are not in it",
    ],
    timesteps: T,
    padding: exportMetadata.recipe.padding,
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
    exportMetadata,
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
