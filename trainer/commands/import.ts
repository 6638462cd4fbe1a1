// import: a model trained elsewhere → an artifact, with a report of what was found and how closely it agrees.
import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import { UsageError } from "../../shared/errors.ts";
import { soleNetwork } from "../../shared/members.ts";
import { MAX_FEATURES, MAX_TIMESTEPS } from "../../shared/sequence.ts";
import { describeModel } from "../artifact/artifact-file.ts";
import { integer, names, text } from "../cli/arguments.ts";
import { declareCommand, flag, option, type Values, word } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { ARTIFACT_ENDINGS, checkOutput } from "../cli/outputs.ts";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import { assembleModel } from "../import/assemble.ts";
import { PARITY_SEQUENCES } from "../import/parity.ts";
import { readModel } from "../import/read-model.ts";
import { readScaler } from "../import/scaler.ts";

/** An LSTM of 2048 units with its optimizer's state has 200 MB; reading takes a few times that. */
const MAX_MODEL_BYTES = 2 ** 28;
const MAX_SCALER_BYTES = 2 ** 20;

const WORDS = { model: word("Keras .keras or .h5, ONNX, or a PyTorch state dict as .safetensors") };

const OPTIONS = {
  out: option("FILE", text, "where the artifact goes", "none: it must be said"),
  scaler: option("FILE", text, ".json or .npz with mean_ and scale_ of the features", "the model takes the numbers as they are"),
  features: option("a,b,…", names(MAX_FEATURES), "names of the features, in the model's order", "f0,f1,…"),
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

/** Writes the artifact and says what was found. Throws UsageError, DataError. */
async function importModel(values: Values<typeof WORDS, typeof OPTIONS>, dependencies: Dependencies): Promise<void> {
  const { model: path, out, timesteps, features } = values;
  const { terminal, node } = dependencies;
  if (out === undefined) throw new UsageError("import needs --out FILE");
  checkOutput("out", out, ARTIFACT_ENDINGS);
  const bytes = readWhole(path, MAX_MODEL_BYTES);
  const network = await readModel(bytes, path, timesteps ?? null);
  const scaler = values.scaler === undefined ? undefined : await readScaler(readWhole(values.scaler, MAX_SCALER_BYTES), values.scaler);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const name = basename(path, extname(path));
  const origin = { name, file: basename(path), sha256, features, timesteps, scaler, node };
  const imported = assembleModel(path, network, origin, dependencies.loadEngines());
  writeWhole(out, imported.bytes);
  const { recipe } = imported.model;
  const id = describeModel(imported.model, imported.bytes);
  terminal.say(`${path}: ${imported.model.card.imported?.format}`);
  for (const line of imported.findings) terminal.say(`  ${line}`);
  terminal.say(`  takes up to ${recipe.timesteps} rows of ${recipe.features.join(", ")}`);
  terminal.say(
    `parity: on ${PARITY_SEQUENCES} random sequences the format's own definition, in float64, and the kernel differ by at most ${imported.parity.toExponential(1)}`,
  );
  terminal.say(`wrote ${out} (${id}, ${imported.bytes.length} bytes)`);
  terminal.say("quickstep calibrate fits its probabilities and operating points to labelled sequences");
  if (values.json)
    terminal.print(
      JSON.stringify({
        artifact: out,
        model: id,
        format: network.format,
        found: imported.findings,
        units: soleNetwork(imported.model)!.units,
        timesteps: recipe.timesteps,
        features: recipe.features,
        padding: recipe.padding,
        parity: imported.parity,
      }),
    );
}
