// drift: whether new sequences are like those that a model was made with, by its drift reference. No label is needed.
import { fitShape, loadModel } from "../artifact/artifact-file.ts";
import { text } from "../cli/arguments.ts";
import { ARTIFACT_WORD, DATA_WORD, READ_OPTIONS, readOptionsOf } from "../cli/data-options.ts";
import { declareCommand, flag, option, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { checkOutput, PAGE_ENDINGS } from "../cli/outputs.ts";
import { toReadDocument } from "../cli/read-line.ts";
import { countOf } from "../cli/tables.ts";
import { writeWhole } from "../files/whole-files.ts";
import { fillFromModel } from "../pipeline/data-card.ts";
import { readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { checkHorizon } from "../readers/option-checks.ts";
import { checkDrift, type DriftCheck, describeDrift } from "../report/drift.ts";

const WORDS = { artifact: ARTIFACT_WORD, data: DATA_WORD };

const OPTIONS = {
  report: option("FILE", text, "where an HTML page with plots goes", "no page"),
  json: flag("print one JSON document on stdout"),
  ...READ_OPTIONS,
};

/** Quantities that are listed. */
const MAX_LISTED = 10;

export const driftCommand = declareCommand({
  name: "drift",
  summary: "Tell whether new sequences are like those that a model was made with",
  words: WORDS,
  options: OPTIONS,
  examples: ["drift mine.safetensors new.parquet --report drift.html", "drift mine.safetensors new.npz --json"],
  run: drift,
});

/** Prints what was found on stdout, and writes the page. Throws UsageError, DataError. */
async function drift(values: Values<typeof WORDS, typeof OPTIONS>, { terminal, loadEngines }: Dependencies): Promise<void> {
  const { report, json } = values;
  if (report !== undefined) checkOutput("report", report, PAGE_ENDINGS);
  const engines = loadEngines();
  const { model, id } = loadModel(values.artifact, engines);
  const options = { ...fillFromModel(readOptionsOf(values), model), ignoreLabels: true };
  checkHorizon(options);
  const data = await readDataset(values.data, options);
  const read = describeRead(data.facts);
  const check = checkDrift(model, engines.createEngine(model), engines.kernel.log, fitShape(data, data.source, model));
  if (report !== undefined) {
    const { renderDrift } = await import("../report/drift-page.ts");
    writeWhole(report, new TextEncoder().encode(await renderDrift(data.name, id, read, check)));
    terminal.say(`wrote ${report}`);
  }
  terminal.print(
    json ? JSON.stringify({ model: id, ...check, read: toReadDocument(data.facts) }) : [read, ...listDrift(id, check)].join("\n"),
  );
}

function listDrift(id: string, check: DriftCheck): string[] {
  const { quantities, given, sequences } = check;
  const widest = Math.max(8, ...quantities.slice(0, MAX_LISTED).map(({ name }) => name.length));
  const cell = (x: number | null): string => (x === null ? "–" : x.toPrecision(3)).padStart(10);
  return [
    `${id} against ${countOf(sequences, "sequence")}${given > sequences ? ` of ${given}: those that share no row` : ""}`,
    describeDrift(check),
    `${"".padEnd(widest)}${"evidence".padStart(10)}${"stability".padStart(10)}`,
    ...quantities.slice(0, MAX_LISTED).map(({ name, evidence, stability }) => `${name.padEnd(widest)}${cell(evidence)}${cell(stability)}`),
    ...(quantities.length > MAX_LISTED ? [`and ${quantities.length - MAX_LISTED} more: --json has all of them`] : []),
  ];
}
