// import: a model trained elsewhere → an artifact, with a report of what was found and how closely it agrees.
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { basename, extname, join, resolve } from "node:path";
import { DataError, UsageError } from "../../shared/errors.ts";
import { PRECISIONS, soleNetwork, summariseMembers, withPrecision } from "../../shared/members.ts";
import type { Model } from "../../shared/model.ts";
import { MAX_FEATURES, MAX_TIMESTEPS, PADDINGS } from "../../shared/sequence.ts";
import { describeModel, type Engines, loadModel } from "../artifact/artifact-file.ts";
import { openOnnxRuntime } from "../artifact/onnx-runtime.ts";
import { choice, integer, names, text } from "../cli/arguments.ts";
import { declareCommand, flag, option, optionWithDefault, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkOutput } from "../cli/outputs.ts";
import { readBeside, readText, readWhole, writeWhole } from "../files/whole-files.ts";
import { assembleModel, type ImportOptions } from "../import/assemble.ts";
import { checkPairs, type Pairs, readPairs } from "../import/check.ts";
import { embedWeights } from "../import/onnx/embed-weights.ts";
import { looksLikeOnnx } from "../import/onnx/file.ts";
import { PARITY_SEQUENCES } from "../import/parity.ts";
import { readModel } from "../import/read-model.ts";
import type { RecipeSource } from "../import/recipe.ts";
import { readScaler, type Scaler } from "../import/scaler.ts";
import { assembleGraph } from "../import/second-engine.ts";
import { readTorchDescription } from "../import/torch/description.ts";

/** An LSTM of 2048 units with its optimizer's state has 200 MB; reading takes a few times that. */
const MAX_MODEL_BYTES = 2 ** 28;
const MAX_SCALER_BYTES = 2 ** 20;
const MAX_PAIRS_BYTES = 2 ** 26;
const MAX_LAYERS_BYTES = 2 ** 24;

const WORDS = { model: word("Keras .keras or .h5, tfjs' model.json or its folder, ONNX, or a PyTorch state dict as .safetensors") };

const OPTIONS = {
  out: option("FILE", text, "where the artifact goes", "none: it must be said"),
  scaler: option("FILE", text, ".json or .npz with mean_ and scale_ of the features", "the model takes the numbers as they are"),
  features: option("a,b,…", names(MAX_FEATURES), "names of the features, in the model's order", "f0,f1,…"),
  torch: option(
    "WORDS",
    readTorchDescription,
    'the forward pass of a state dict, such as "lstm last linear"',
    "asked for, unless --check proves the import",
  ),
  check: option("FILE", text, ".npz with X and p, some inputs and outputs of the model, which the artifact must reproduce", "not checked"),
  recipe: option(
    "FILE",
    text,
    "artifact on whose channels the network was trained: it gets that recipe",
    "the network takes the features as they are",
  ),
  padding: option(
    "HOW",
    choice(...PADDINGS),
    "which all-zero rows are padding: leading, any or none",
    "as the file says; asked for where the file cannot say",
  ),
  precision: optionWithDefault("HOW", choice(...PRECISIONS), "int16 computes an LSTM faster, and moves its answers a little", "float"),
  engine: option(
    "NAME",
    choice("wasm", "onnx"),
    "onnx: any ONNX graph, for the second engine; the graph goes beside the artifact, as FILE.onnx",
    "wasm: the network is read into the artifact",
  ),
  logits: flag("the model answers logits: a sigmoid is put behind it"),
  layers: option(
    "FILE",
    text,
    "what model.to_json() of Keras gives, for a file of weights alone (.weights.h5)",
    "the file holds its layers",
  ),
  timesteps: option("N", integer(1, MAX_TIMESTEPS), "most rows of a sequence", "as the model says, else 10"),
  json: flag("print one JSON document on stdout"),
};

export const importCommand = declareCommand({
  name: "import",
  summary: "Turn a model trained elsewhere into an artifact",
  words: WORDS,
  options: OPTIONS,
  examples: [
    "import model.keras --out mine.safetensors",
    "import lstm.onnx --out mine.safetensors --scaler scaler.json --features a,b,c,d,e",
  ],
  run: importModel,
});

function recipeOf(path: string, engines: Engines): RecipeSource {
  const { recipe, name } = loadModel(path, engines).model;
  return { recipe, name, path };
}

/** The file itself, or in the folder of a model of tfjs its model.json. */
function modelFile(path: string): string {
  const inside = join(path, "model.json");
  return existsSync(inside) ? inside : path;
}

/** Throws DataError, as scalerOf. */
async function pairsOf(path: string | undefined): Promise<Pairs | undefined> {
  return path === undefined ? undefined : readPairs(readWhole(path, MAX_PAIRS_BYTES), path);
}

async function scalerOf(path: string | undefined): Promise<Scaler | undefined> {
  return path === undefined ? undefined : readScaler(readWhole(path, MAX_SCALER_BYTES), path);
}

/** What an artifact says of the file that it was made of. */
function describeFile(path: string, bytes: Uint8Array): Pick<ImportOptions, "name" | "file" | "sha256"> {
  return { name: basename(path, extname(path)), file: basename(path), sha256: createHash("sha256").update(bytes).digest("hex") };
}

/** Writes the artifact of a graph and the graph beside it, and says how both are served. Throws UsageError, DataError. */
async function importGraph(
  bytes: Uint8Array,
  path: string,
  values: Values<typeof WORDS, typeof OPTIONS>,
  { terminal, node, loadEngines }: Dependencies,
): Promise<void> {
  const { timesteps, features, padding, logits, check } = values;
  const out = values.out!;
  const precision = values.precision === "float" ? undefined : values.precision;
  for (const [name, value] of Object.entries({ torch: values.torch, recipe: values.recipe, layers: values.layers, precision }))
    if (value !== undefined)
      throw new UsageError(`--${name} and --engine onnx do not go together: the second engine runs the graph as it is`);
  if (!looksLikeOnnx(bytes)) throw new DataError(path, "is no ONNX file, which is what --engine onnx takes: export the model as ONNX");
  const onnx = embedWeights(bytes, (location) => readBeside(path, location, MAX_MODEL_BYTES), path);
  const graphOut = out.replace(/\.safetensors$/i, ".onnx");
  if (resolve(graphOut) === resolve(path))
    throw new UsageError(`the graph would be written over ${path}, which it is made of: give --out another name or folder`);
  const pairs = await pairsOf(check);
  const scaler = await scalerOf(values.scaler);
  const origin = { ...describeFile(path, bytes), features, timesteps, scaler, node };
  const said = { timesteps: timesteps ?? pairs?.T ?? null, padding, isLogit: logits };
  const engines = loadEngines();
  const { model, bytes: artifact, findings, engine } = assembleGraph(path, onnx, await openOnnxRuntime(), said, origin, engines);
  const checked = pairs && checkPairs(model, pairs, { kernel: engines.kernel, createEngine: () => engine });
  writeWhole(graphOut, onnx);
  writeWhole(out, artifact);
  const id = describeModel(model, artifact);
  terminal.say(`${path}: ${model.card.imported?.format}`);
  for (const line of findings) terminal.say(`  ${line}`);
  if (pairs) terminal.say(`check: on ${pairs.N} pairs of ${check} the model and the graph differ by at most ${checked!.toExponential(1)}`);
  terminal.say(`wrote ${out} (${id}, ${artifact.length} bytes) and ${graphOut} (${onnx.length} bytes)`);
  terminal.say(`to serve both: cp ${out} edge/model.safetensors; cp ${graphOut} edge/model.onnx; npx wrangler dev --env onnx`);
  if (values.json) {
    const found = { graph: graphOut, ...documentOf(model, out, id, findings), ...(checked !== undefined && { check: checked }) };
    terminal.print(JSON.stringify(found));
  }
}

/** What --json prints of any import. */
function documentOf(model: Model, artifact: string, id: string, found: readonly string[]): Readonly<Record<string, unknown>> {
  const { timesteps, features, padding } = model.recipe;
  return { artifact, model: id, found, members: summariseMembers(model), timesteps, features, padding };
}

/** Writes the artifact and says what was found. Throws UsageError, DataError. */
async function importModel(values: Values<typeof WORDS, typeof OPTIONS>, dependencies: Dependencies): Promise<void> {
  const { out, timesteps, features } = values;
  const { terminal, node } = dependencies;
  if (out === undefined) throw new UsageError("import needs --out FILE");
  checkOutput("out", out, ARTIFACT_ENDINGS);
  const path = modelFile(values.model);
  const bytes = readWhole(path, MAX_MODEL_BYTES);
  if (values.engine === "onnx") return importGraph(bytes, path, values, dependencies);
  const pairs = await pairsOf(values.check);
  const { torch, padding, precision } = values;
  const layers = values.layers === undefined ? undefined : readText(values.layers, MAX_LAYERS_BYTES);
  const steps = timesteps ?? pairs?.T ?? null;
  const said = { timesteps: steps, torch, padding, layers, isLogit: values.logits, isChecked: pairs !== undefined };
  const engines = dependencies.loadEngines();
  const from = values.recipe === undefined ? undefined : recipeOf(values.recipe, engines);
  const network = await readModel(bytes, path, said, (location) => readBeside(path, location, MAX_MODEL_BYTES), from);
  const scaler = await scalerOf(values.scaler);
  const ofPairs = network.timesteps === null && !network.exportMetadata ? pairs?.T : undefined; // as many as the pairs have, where nothing else says
  const origin = { ...describeFile(path, bytes), features, timesteps: timesteps ?? ofPairs, scaler, node, precision };
  const imported = assembleModel(path, network, origin, engines);
  const checked = pairs && checkPairs(withPrecision(imported.model, "float"), pairs, engines);
  writeWhole(out, imported.bytes);
  const { recipe } = imported.model;
  const id = describeModel(imported.model, imported.bytes);
  terminal.say(`${path}: ${imported.model.card.imported?.format}`);
  for (const line of imported.findings) terminal.say(`  ${line}`);
  terminal.say(`  takes up to ${recipe.timesteps} rows of ${recipe.features.join(", ")}`);
  terminal.say(
    `parity: on ${PARITY_SEQUENCES} random sequences the format's own definition, in float64, and the kernel differ by at most ${imported.parity.toExponential(1)}`,
  );
  if (pairs)
    terminal.say(`check: on ${pairs.N} pairs of ${values.check} the model and the artifact differ by at most ${checked!.toExponential(1)}`);
  terminal.say(`wrote ${out} (${id}, ${imported.bytes.length} bytes)`);
  terminal.say("quickstep calibrate fits its probabilities and operating points to labelled sequences");
  if (values.json)
    terminal.print(
      JSON.stringify({
        ...documentOf(imported.model, out, id, imported.findings),
        format: network.format,
        units: soleNetwork(imported.model)?.units,
        parity: imported.parity,
        ...(checked !== undefined && { check: checked }),
      }),
    );
}
