// import: a model trained elsewhere → an artifact, with a report of what was found and how closely it agrees.
import { createHash } from "node:crypto";
import { basename, extname } from "node:path";
import { UsageError } from "../../shared/errors.ts";
import { describeModel, type Engines } from "../artifact/artifact-file.ts";
import type { Terminal } from "../cli/terminal.ts";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import { assembleModel } from "../import/assemble.ts";
import { readModel } from "../import/read-model.ts";
import { readScaler } from "../import/scaler.ts";

/** An LSTM of 2048 units with its optimizer's state has 200 MB; reading takes a few times that. */
const MAX_MODEL_BYTES = 2 ** 28;
const MAX_SCALER_BYTES = 2 ** 20;

export interface ImportCommand {
  readonly model: string;
  readonly out: string;
  readonly scaler?: string;
  /** Names, separated by commas. */
  readonly features?: string;
  readonly timesteps?: number;
  readonly node: string;
  readonly json: boolean;
}

export async function importModel(command: ImportCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const { model: path, out, timesteps, node } = command;
  const features = command.features?.split(",").map((name) => name.trim());
  if (features && (features.includes("") || new Set(features).size < features.length))
    throw new UsageError(`--features must be names separated by commas, each once, got ${command.features}`);
  const bytes = readWhole(path, MAX_MODEL_BYTES);
  const found = await readModel(bytes, path, timesteps ?? null);
  const scaler = command.scaler === undefined ? undefined : await readScaler(readWhole(command.scaler, MAX_SCALER_BYTES), command.scaler);
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  const name = basename(path, extname(path));
  const imported = assembleModel(path, found, { name, file: basename(path), sha256, features, timesteps, scaler, node }, engines);
  writeWhole(out, imported.bytes);
  const { recipe } = imported.model;
  const id = describeModel(imported.model, imported.bytes);
  terminal.say(`${path}: ${imported.model.card.imported?.format}`);
  for (const line of imported.findings) terminal.say(`  ${line}`);
  terminal.say(`  takes up to ${recipe.timesteps} rows of ${recipe.features.join(", ")}`);
  terminal.say(
    `parity: on 64 random sequences the format's own definition, in float64, and the kernel differ by at most ${imported.parity.toExponential(1)}`,
  );
  terminal.say(
    `wrote ${out} (${id}, ${imported.bytes.length} bytes); quickstep calibrate fits its probabilities and operating points to labelled sequences`,
  );
  if (command.json)
    terminal.print(
      JSON.stringify({
        artifact: out,
        model: id,
        format: found.format,
        found: imported.findings,
        units: imported.model.network.units,
        timesteps: recipe.timesteps,
        features: recipe.features,
        padding: recipe.padding,
        parity: imported.parity,
      }),
    );
}
