// export: an artifact in another form: its network for ONNX, PyTorch or tfjs, a Worker around it, or the channels that its recipe makes of data.
import { existsSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import { ArtifactError, DataError, UsageError } from "../../shared/errors.ts";
import { networksOf, soleGraph, soleNetwork, summariseMembers } from "../../shared/members.ts";
import { atPrecision, type Model } from "../../shared/model.ts";
import { type Engines, type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import { integer, text } from "../cli/arguments.ts";
import { ARTIFACT_WORD, MAX_SEED, READ_OPTIONS, readOptionsOf, SPLIT_OPTION } from "../cli/data-options.ts";
import { declareCommand, flag, option, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkOutput, ONNX_ENDINGS } from "../cli/outputs.ts";
import { createStages } from "../cli/stages.ts";
import { CHANNEL_FILES, kerasScript, tfjsScript, torchScript } from "../export/channel-scripts.ts";
import { encodeOnnx } from "../export/onnx/export.ts";
import { encodeTfjs } from "../export/tfjs/export.ts";
import { encodeTorch } from "../export/torch.ts";
import { checkWorkerFolder, writeWorkerProject } from "../export/worker-project.ts";
import { checkWritable, writeWhole } from "../files/whole-files.ts";
import { type ChannelSet, channelsOf } from "../pipeline/channels.ts";
import { fillFromModel } from "../pipeline/data-card.ts";
import { describeNote } from "../pipeline/sentences.ts";
import { checkTrainable, readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { encodeNpz } from "../readers/npz.ts";
import { splitMethodOf } from "../split/asked-method.ts";

const WORDS = { artifact: ARTIFACT_WORD };

const OPTIONS = {
  onnx: option("FILE", text, "where an ONNX file goes", "no ONNX file"),
  preprocessing: flag("with the recipe in the ONNX graph: raw float64 sequences in, probabilities out"),
  safetensorsTorch: option("FILE", text, "where a state dict of PyTorch goes, as .safetensors", "no state dict"),
  tfjs: option("DIR", text, "folder that LayersModels of tfjs and recipe.js, raw rows to channels, go into", "no LayersModel"),
  channels: option("DIR", text, "folder that the channels of --data go into, with scripts that train on them", "no channels"),
  data: option("FILE", text, "labelled sequences for --channels, a file or folder as train reads it", "only --channels needs data"),
  split: SPLIT_OPTION,
  seed: optionWithDefault("N", integer(0, MAX_SEED), "seed of the parts that --channels writes", 1),
  worker: option("DIR", text, "folder that a Worker for npx wrangler deploy goes into", "no Worker"),
  ...READ_OPTIONS,
};

type ExportValues = Values<typeof WORDS, typeof OPTIONS>;

export const exportCommand = declareCommand({
  name: "export",
  summary:
    "Write an artifact as ONNX, as a state dict of PyTorch, as a LayersModel of tfjs, or as a Worker of its own; or its channels of a data set",
  words: WORDS,
  options: OPTIONS,
  examples: ["export mine.safetensors --onnx mine.onnx --preprocessing", "export mine.safetensors --worker worker"],
  run: exportModel,
});

/** Writes what the options name. Throws UsageError, DataError; nothing is written then. */
async function exportModel(values: ExportValues, dependencies: Dependencies): Promise<void> {
  const { artifact, worker, channels } = values;
  checkTargets(values);
  if (channels !== undefined) return exportChannels(channels, values, dependencies);
  const engines = dependencies.loadEngines();
  const loaded = loadModel(artifact, engines);
  if (soleGraph(loaded.model) !== undefined)
    throw new DataError(artifact, "is the artifact of an ONNX graph: the graph is the file that import --engine onnx wrote beside it");
  if (worker !== undefined) exportWorker(loaded, worker, dependencies.terminal);
  else {
    exportNetwork(loaded, values, dependencies);
    sayPrecision(loaded.model, engines, dependencies.terminal);
  }
}

/** What exports are not: they hold float32, where the model is computed in whole numbers of 16 bits. */
function sayPrecision(model: Model, { createEngine, kernel }: Engines, { say }: Dependencies["terminal"]): void {
  if (networksOf(model).every(({ precision }) => precision === undefined)) return;
  const exported = atPrecision(model, "float", createEngine, kernel.log).golden.probabilities;
  const moved = exported.reduce((most, p, k) => Math.max(most, Math.abs(p - model.golden.probabilities[k])), 0);
  say(
    `note: the LSTM is exported in float32; this model computes it in whole numbers of 16 bits, and golden vectors differ by up to ${moved.toExponential(1)}`,
  );
}

/** As ONNX, PyTorch, tfjs, or all: everything is encoded before anything is written. */
function exportNetwork(loaded: LoadedModel, values: ExportValues, { terminal, now }: Dependencies): void {
  const { artifact, onnx, preprocessing, safetensorsTorch, tfjs } = values;
  const stages = createStages(terminal, now);
  stages.show("export");
  const torch = safetensorsTorch === undefined ? undefined : encode(artifact, () => encodeTorch(loaded.model));
  const graph = onnx === undefined ? undefined : encode(artifact, () => encodeOnnx(loaded.model, { preprocessing }));
  const ofTfjs = tfjs === undefined ? undefined : encode(artifact, () => encodeTfjs(loaded.model));
  stages.finish();
  const write = (path: string, bytes: Uint8Array, content: string): void => {
    writeWhole(path, bytes);
    terminal.say(`wrote ${path} (${loaded.id}, ${bytes.length} bytes): ${content}`);
  };
  if (onnx !== undefined && graph)
    write(
      onnx,
      graph,
      preprocessing ? "ONNX, raw float64 sequences to probabilities" : "ONNX, the network and its calibration, on the recipe's channels",
    );
  if (safetensorsTorch !== undefined && torch)
    write(safetensorsTorch, torch, `a state dict of PyTorch, ${describeTorch(loaded.model)}, on the recipe's channels`);
  if (tfjs !== undefined && ofTfjs) {
    for (const [name, bytes] of ofTfjs.files) writeWhole(join(tfjs, name), bytes);
    terminal.say(`wrote ${tfjs} (${loaded.id}): recipe.js makes channels of raw rows; ${ofTfjs.held.join("; ")}`);
    for (const sentence of ofTfjs.missing) terminal.say(`not written: ${sentence}; --onnx FILE --preprocessing holds the whole model`);
  }
}

/** What of the model the state dict holds. */
function describeTorch(model: Model): string {
  if (soleNetwork(model)) return "lstm and fc";
  const members = summariseMembers(model);
  const held = members.flatMap((member) =>
    member.kind === "lstm" ? [`${member.networks} networks, weight ${member.weight.toFixed(2)} in the stack`] : [],
  );
  const missing = new Set(members.flatMap(({ kind }) => (kind === "lstm" ? [] : [kind])));
  return `the member lstm alone (${held.join("; ")}), without ${[...missing].join(" and ")}`;
}

/** Throws UsageError, DataError where the options do not fit together, or a file cannot be written. */
function checkTargets({ onnx, preprocessing, safetensorsTorch, tfjs, worker, channels }: ExportValues): void {
  if (preprocessing && onnx === undefined) throw new UsageError("--preprocessing goes with --onnx FILE");
  const isNetwork = onnx !== undefined || safetensorsTorch !== undefined || tfjs !== undefined;
  if ([isNetwork, worker !== undefined, channels !== undefined].filter(Boolean).length !== 1)
    throw new UsageError("export needs --onnx FILE, --safetensors-torch FILE, --tfjs DIR, or --worker DIR or --channels DIR alone");
  if (onnx !== undefined) checkOutput("onnx", onnx, ONNX_ENDINGS);
  if (safetensorsTorch !== undefined) checkOutput("safetensors-torch", safetensorsTorch, ARTIFACT_ENDINGS);
  if (tfjs !== undefined) checkWritable(join(tfjs, "recipe.js"));
  if (worker === undefined) return;
  checkWritable(join(worker, "wrangler.toml"));
  checkWorkerFolder(worker);
}

/** Throws DataError where the artifact holds what the format cannot. */
function encode<T>(source: string, encoder: () => T): T {
  try {
    return encoder();
  } catch (error) {
    if (error instanceof ArtifactError) throw new DataError(source, error.message);
    throw error;
  }
}

function exportWorker({ bytes, id, model }: LoadedModel, folder: string, { say }: Dependencies["terminal"]): void {
  writeWorkerProject(folder, bytes, model.name);
  say(`wrote ${folder}: a Worker that serves ${id}. In that folder, with Node 22 or newer, which wrangler needs:

  npx wrangler dev --var AUTH:open       try it on this machine
  npx wrangler deploy                    deploy it; it answers nobody until API_KEYS is set
  npx wrangler secret put API_KEYS       lines of name:sha256 of the key
`);
}

/** Throws UsageError, DataError; nothing is written then. */
async function exportChannels(folder: string, values: ExportValues, { terminal, loadEngines }: Dependencies): Promise<void> {
  const { artifact, data, seed } = values;
  if (data === undefined) throw new UsageError("--channels needs --data FILE, labelled sequences as train reads them");
  const names = Object.values(CHANNEL_FILES);
  const other =
    existsSync(folder) && readdirSync(folder).find((name) => !names.some((known) => known === name) && !name.startsWith("network"));
  if (other) throw new DataError(folder, `holds ${other}: name a folder that is new, empty, or of an earlier export`);
  const engines = loadEngines();
  const { model } = loadModel(artifact, engines);
  const read = fillFromModel(readOptionsOf(values), model);
  const dataset = await readDataset([data], read);
  terminal.say(describeRead(dataset.facts));
  const split = { seed, split: splitMethodOf(values), horizon: read.horizon ?? 1 };
  const set = channelsOf(model, checkTrainable(dataset), split, engines.kernel.log, (note) =>
    terminal.say(describeNote(note, model.recipe.features)),
  );
  const path = basename(artifact);
  const files: Readonly<Record<string, Uint8Array>> = {
    [CHANNEL_FILES.arrays]: await encodeChannels(set),
    [CHANNEL_FILES.raw]: rawNumbers(set),
    [CHANNEL_FILES.keras]: new TextEncoder().encode(kerasScript(path)),
    [CHANNEL_FILES.torch]: new TextEncoder().encode(torchScript(path)),
    [CHANNEL_FILES.tfjs]: new TextEncoder().encode(tfjsScript(path, set)),
  };
  for (const [name, bytes] of Object.entries(files)) writeWhole(join(folder, name), bytes);
  terminal.say(
    `wrote ${folder}: ${set.C} channels of ${set.N} sequences, up to ${set.T} steps, and ${names.slice(2).join(", ")}, which train on them`,
  );
}

/** X (N,T,C), y (N), lengths (N) and parts (N), as np.load reads them. */
function encodeChannels({ N, T, C, X, y, lengths, parts }: ChannelSet): Promise<Uint8Array> {
  return encodeNpz({
    X: { shape: [N, T, C], data: Float64Array.from(X) },
    y: { shape: [N], data: Float64Array.from(y) },
    lengths: { shape: [N], data: Float64Array.from(lengths) },
    parts: { shape: [N], data: parts },
  });
}

/** The same numbers in turn, as float32, for programs that read no .npz. */
function rawNumbers({ X, y, lengths, parts }: ChannelSet): Uint8Array {
  const all = new Float32Array(X.length + 3 * y.length);
  all.set(X);
  for (const [k, values] of [y, lengths, parts].entries()) all.set(values, X.length + k * y.length);
  return new Uint8Array(all.buffer);
}
