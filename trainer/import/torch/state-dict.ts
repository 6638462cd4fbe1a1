// PyTorch's LSTM and Linear as a state dict in safetensors ⇄ our layout. Names and definition:
// pytorch.org/docs/stable/generated/torch.nn.LSTM.html (weight_ih (4U,F), weight_hh (4U,U), gates i,f,g,o, two biases).
// Legend: T steps, F features, U units.
import { encodeFrame, packTensors } from "../../../shared/artifact/safetensors.ts";
import { ArtifactError } from "../../../shared/errors.ts";
import type { Model } from "../../../shared/model.ts";
import type { Network } from "../../../shared/networks/lstm.ts";
import type { Recipe } from "../../../shared/recipe/recipe.ts";
import { parseExportMetadata } from "../contract/export-metadata.ts";
import { plainFront } from "../contract/front.ts";
import { type ImportedNetwork, MAX_UNITS, sigmoid } from "../contract/imported-network.ts";
import { rejectFile } from "../contract/reject-file.ts";
import type { Safetensors } from "./safetensors.ts";

const OWN_KEY = "quickstep";
/** Bytes: the format's own writer has it. */
const ALIGNMENT = 8;

/** The state dict of LSTM(U) → Linear(U, 1), whatever the modules are called. Throws DataError naming what does not fit. */
export function readTorch({ tensors, metadata }: Safetensors, source: string): ImportedNetwork {
  const names = [...tensors.keys()];
  const first = names.filter((name) => /(^|\.)weight_ih_l0$/.test(name));
  if (first.length !== 1)
    rejectFile(
      source,
      first.length === 0
        ? `holds no LSTM: none of its tensors (${names.slice(0, 5).join(", ")}) is named …weight_ih_l0`
        : `holds ${first.length} recurrent modules (${first.join(", ")})`,
      "quickstep reads the state dict of one torch.nn.LSTM and one torch.nn.Linear",
    );
  const prefix = first[0].slice(0, -"weight_ih_l0".length);
  const own = names.filter((name) => name.startsWith(prefix) && /^(weight|bias)_[a-z]+_l\d+(_reverse)?$/.test(name.slice(prefix.length)));
  const unusual: [pattern: RegExp, what: string, fix: string][] = [
    [/_reverse$/, "is bidirectional", "two directions would take a second LSTM"],
    [/_l[1-9]\d*$/, "has several layers", "quickstep runs one LSTM: train with num_layers=1"],
    [/weight_hr_l0$/, "has projections", "train with proj_size=0"],
  ];
  for (const [pattern, what, fix] of unusual) {
    const found = own.find((name) => pattern.test(name));
    if (found) rejectFile(source, `${prefix || "the LSTM "}${what} (${found})`, fix);
  }
  const of = (name: string) => tensors.get(prefix + name);
  const [inputs, states] = [of("weight_ih_l0"), of("weight_hh_l0")];
  if (inputs?.shape.length !== 2 || states?.shape.length !== 2)
    return rejectFile(source, `lacks ${prefix}weight_hh_l0`, "save the whole state dict");
  const [rows, F] = inputs.shape;
  const U = states.shape[1];
  const cells: Record<number, string> = { 1: "torch.nn.RNN", 3: "torch.nn.GRU" };
  if (cells[rows / U]) rejectFile(source, `holds a ${cells[rows / U]} (${rows} rows for ${U} units)`, "only LSTM models can be imported");
  if (rows !== 4 * U || states.shape[0] !== 4 * U || U < 1 || U > MAX_UNITS)
    rejectFile(
      source,
      `${first[0]} is (${inputs.shape.join(", ")}) and ${prefix}weight_hh_l0 is (${states.shape.join(", ")})`,
      `expected (4·units, features) and (4·units, units), 1 to ${MAX_UNITS} units`,
    );
  const biases = [of("bias_ih_l0"), of("bias_hh_l0")];
  if (biases.some((bias) => bias !== undefined && bias.data.length !== 4 * U))
    rejectFile(source, `${prefix}bias has not ${4 * U} numbers`, "it is damaged: save it again");
  const [wb, rb] = biases.map((bias) => bias?.data ?? new Float64Array(4 * U));

  const others = names.filter((name) => !own.includes(name));
  const head = others.filter((name) => JSON.stringify(tensors.get(name)?.shape) === JSON.stringify([1, U]));
  if (head.length !== 1)
    rejectFile(
      source,
      `holds ${head.length} tensors of shape (1, ${U}) beside the LSTM (${others.join(", ") || "none"})`,
      "quickstep needs the weight of one torch.nn.Linear(units, 1)",
    );
  const biasName = head[0].replace(/weight$/, "bias");
  const strange = others.filter((name) => name !== head[0] && name !== biasName);
  if (strange.length > 0)
    rejectFile(
      source,
      `holds ${strange.join(", ")}, which quickstep cannot place`,
      "it runs one LSTM and one Linear: fold the rest into them, or import the model's ONNX",
    );
  const headBias = tensors.get(biasName)?.data[0] ?? 0;
  const headKernel = tensors.get(head[0])!.data;

  const network: Network = {
    channels: F,
    units: U,
    kernel: transpose(inputs.data, 4 * U, F),
    recurrent: transpose(states.data, 4 * U, U),
    bias: Float32Array.from(wb, (value, g) => value + rb[g]),
    headKernel: Float32Array.from(headKernel),
    headBias: Float32Array.of(headBias),
  };
  const restored = metadata[OWN_KEY] === undefined ? undefined : parseExportMetadata(metadata[OWN_KEY], F, source);
  return {
    format: restored ? "PyTorch safetensors, as quickstep exports it" : "PyTorch safetensors",
    findings: [
      `${prefix}LSTM(${F}, ${U}) → ${head[0].replace(/\.?weight$/, "") || "Linear"}(${U}, 1); the two biases are summed`,
      ...(restored
        ? []
        : [
            "a sigmoid behind it is assumed, and that the last state is read: a state dict does not say",
            "all-zero rows are data (padding: none)",
          ]),
    ],
    timesteps: null,
    padding: restored?.recipe.padding ?? "none",
    front: plainFront(F),
    network,
    forward(rows) {
      let h: Float64Array = new Float64Array(U);
      let c: Float64Array = new Float64Array(U);
      for (let t = 0; t * F < rows.length; t++) {
        const gate = (g: number): Float64Array =>
          Float64Array.from({ length: U }, (_, u) => {
            const row = g * U + u;
            let sum = wb[row] + rb[row];
            for (let f = 0; f < F; f++) sum += inputs.data[row * F + f] * rows[t * F + f];
            for (let v = 0; v < U; v++) sum += states.data[row * U + v] * h[v];
            return sum;
          });
        const [i, f, g, o] = [gate(0).map(sigmoid), gate(1).map(sigmoid), gate(2).map(Math.tanh), gate(3).map(sigmoid)];
        c = c.map((before, u) => f[u] * before + i[u] * g[u]);
        h = c.map((cell, u) => o[u] * Math.tanh(cell));
      }
      const { slope, intercept } = restored?.calibration ?? { slope: 1, intercept: 0 };
      return sigmoid(slope * h.reduce((sum, value, u) => sum + value * headKernel[u], headBias) + intercept);
    },
    exportMetadata: restored,
  };
}

/**
 * A state dict of `lstm` (torch.nn.LSTM, batch_first as you like) and `fc` (torch.nn.Linear). It takes the recipe's channels; recipe
 * and calibration travel as JSON in the metadata: probability = sigmoid(slope · fc(h) + intercept). Throws ArtifactError where
 * PyTorch has no such LSTM.
 */
export function encodeTorch({ name, recipe, calibration, network }: Model): Uint8Array<ArrayBuffer> {
  const { channels: C, units: U, kernel, recurrent, bias, headKernel, headBias, hardGates, backwards, initial } = network;
  const unusual =
    hardGates !== undefined ? "hard sigmoids" : backwards ? "steps read backwards" : initial ? "a state before the first step" : undefined;
  if (unusual) throw new ArtifactError(`has ${unusual}, for which a state dict of PyTorch has no place: export it with --onnx`);
  const tensors = packTensors({
    "lstm.weight_ih_l0": { shape: [4 * U, C], data: transpose(kernel, C, 4 * U) },
    "lstm.weight_hh_l0": { shape: [4 * U, U], data: transpose(recurrent, U, 4 * U) },
    "lstm.bias_ih_l0": { shape: [4 * U], data: bias },
    "lstm.bias_hh_l0": { shape: [4 * U], data: new Float32Array(4 * U) },
    "fc.weight": { shape: [1, U], data: headKernel },
    "fc.bias": { shape: [1], data: headBias },
  });
  return encodeFrame({ format: "pt", [OWN_KEY]: JSON.stringify({ name, calibration, recipe: plainRecipe(recipe) }) }, tensors, ALIGNMENT);
}

/** A recipe whose arrays are lists, as JSON has them. */
function plainRecipe(recipe: Recipe): Record<string, unknown> {
  return Object.fromEntries(Object.entries(recipe).map(([key, value]) => [key, value instanceof Float64Array ? [...value] : value]));
}

/** (rows, columns) → (columns, rows), float32. */
function transpose(matrix: ArrayLike<number>, rows: number, columns: number): Float32Array {
  const out = new Float32Array(rows * columns);
  for (let row = 0; row < rows; row++)
    for (let column = 0; column < columns; column++) out[column * rows + row] = matrix[row * columns + column];
  return out;
}
