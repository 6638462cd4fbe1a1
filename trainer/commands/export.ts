// export: an artifact in another form: its network for ONNX, PyTorch or tfjs, or a Worker around it.
import { join } from "node:path";
import { ArtifactError, DataError, UsageError } from "../../shared/errors.ts";
import { soleNetwork, summariseMembers } from "../../shared/members.ts";
import type { Model } from "../../shared/model.ts";
import { type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import { text } from "../cli/arguments.ts";
import { ARTIFACT_WORD } from "../cli/data-options.ts";
import { declareCommand, flag, option, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkOutput, ONNX_ENDINGS } from "../cli/outputs.ts";
import { createStages } from "../cli/stages.ts";
import { encodeOnnx } from "../export/onnx/export.ts";
import { encodeTfjs } from "../export/tfjs/export.ts";
import { encodeTorch } from "../export/torch.ts";
import { checkWorkerFolder, writeWorkerProject } from "../export/worker-project.ts";
import { checkWritable, writeWhole } from "../files/whole-files.ts";

const WORDS = { artifact: ARTIFACT_WORD };

const OPTIONS = {
  onnx: option("FILE", text, "where an ONNX file goes", "no ONNX file"),
  preprocessing: flag("with the recipe in the ONNX graph: raw float64 sequences in, probabilities out"),
  safetensorsTorch: option("FILE", text, "where a state dict of PyTorch goes, as .safetensors", "no state dict"),
  tfjs: option("DIR", text, "folder that LayersModels of tfjs and recipe.js, raw rows to channels, go into", "no LayersModel"),
  worker: option("DIR", text, "folder that a Worker for npx wrangler deploy goes into", "no Worker"),
};

type ExportValues = Values<typeof WORDS, typeof OPTIONS>;

export const exportCommand = declareCommand({
  name: "export",
  summary: "Write an artifact as ONNX, as a state dict of PyTorch, as a LayersModel of tfjs, or as a Worker of its own",
  words: WORDS,
  options: OPTIONS,
  examples: ["export mine.safetensors --onnx mine.onnx --preprocessing", "export mine.safetensors --worker worker"],
  run: exportModel,
});

/** Writes what the options name. Throws UsageError, DataError; nothing is written then. */
function exportModel(values: ExportValues, dependencies: Dependencies): void {
  const { artifact, worker } = values;
  checkTargets(values);
  const loaded = loadModel(artifact, dependencies.loadEngines());
  if (worker !== undefined) exportWorker(loaded, worker, dependencies.terminal);
  else exportNetwork(loaded, values, dependencies);
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
  const missing = members.filter(({ kind }) => kind !== "lstm").map(({ kind }) => kind);
  return `the member lstm alone (${held.join("; ")}), without ${missing.join(" and ")}`;
}

/** Throws UsageError, DataError where the options do not fit together, or a file cannot be written. */
function checkTargets({ onnx, preprocessing, safetensorsTorch, tfjs, worker }: ExportValues): void {
  if (preprocessing && onnx === undefined) throw new UsageError("--preprocessing goes with --onnx FILE");
  if ((worker === undefined) === (onnx === undefined && safetensorsTorch === undefined && tfjs === undefined))
    throw new UsageError("export needs --onnx FILE, --safetensors-torch FILE, --tfjs DIR, or --worker DIR alone");
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
