// inspect: what is in an artifact, or how data are read and what they hold, for people; with --json, for programs.
import { statSync } from "node:fs";
import { readFormat } from "../../shared/artifact/artifact.ts";
import { type MemberSummary, networksOf, soleGraph, soleLayers, summariseMembers } from "../../shared/members.ts";
import type { Card, Influence } from "../../shared/model.ts";
import { describeLayers } from "../../shared/networks/describe-layers.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { describeColumns } from "../../shared/recipe/tabular.ts";
import { type LoadedModel, loadModel } from "../artifact/artifact-file.ts";
import { text } from "../cli/arguments.ts";
import { READ_OPTIONS, readOptionsOf, SOFT_OPTION } from "../cli/data-options.ts";
import { declareCommand, flag, option, type Values, words } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { checkOutput, PAGE_ENDINGS } from "../cli/outputs.ts";
import { toReadDocument } from "../cli/read-line.ts";
import { countOf, formatCount, formatMetrics, formatOperatingPoints, formatPercent, titleOfAssessment } from "../cli/tables.ts";
import { writeWhole } from "../files/whole-files.ts";
import type { LearnerWorth } from "../pipeline/join.ts";
import { describeKeptEpoch, describeNote } from "../pipeline/sentences.ts";
import { readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { checkHorizon } from "../readers/option-checks.ts";
import { isDataFile, isForeignTable, STDIN } from "../readers/source.ts";
import { inspectData } from "../report/inspection.ts";
import { describeWarning, listInspection } from "../report/inspection-text.ts";

const WORDS = { files: words("an artifact, .safetensors; or data, files or folders read as one set") };

const OPTIONS = {
  report: option("FILE", text, "where an HTML page about the data goes", "no page"),
  json: flag("print one JSON document on stdout"),
  ...READ_OPTIONS,
  ...SOFT_OPTION,
};

type InspectValues = Values<typeof WORDS, typeof OPTIONS>;

export const inspectCommand = declareCommand({
  name: "inspect",
  summary: "Show how data are read and what they hold; or what is in an artifact",
  words: WORDS,
  options: OPTIONS,
  examples: ["inspect mine.csv --report mine.html", "inspect mine.safetensors --json"],
  run: (values: InspectValues, dependencies: Dependencies) => {
    const [first, ...more] = values.files;
    const isData =
      more.length > 0 ||
      first === STDIN ||
      isDataFile(first) ||
      isForeignTable(first) ||
      statSync(first, { throwIfNoEntry: false })?.isDirectory();
    return isData ? inspectFiles(values, dependencies) : inspectArtifact(first, values.json, dependencies);
  },
});

/** Prints the artifact's content on stdout. Throws DataError where the file is no artifact. */
function inspectArtifact(artifact: string, json: boolean, { terminal, loadEngines }: Dependencies): void {
  const loaded = loadModel(artifact, loadEngines());
  terminal.print(json ? JSON.stringify(toDocument(loaded)) : listLines(loaded).join("\n"));
}

/** As train takes it: windows beyond are thinned. */
const MAX_WINDOWS = 250_000;

/** Prints how the data are read and what they hold on stdout, and writes the page. Throws UsageError, DataError. */
async function inspectFiles(values: InspectValues, { terminal }: Dependencies): Promise<void> {
  const { files, report, json } = values;
  if (report !== undefined) checkOutput("report", report, PAGE_ENDINGS);
  checkHorizon(readOptionsOf(values));
  const data = await readDataset(files, { ...readOptionsOf(values), gaps: true, validation: true, maxWindows: MAX_WINDOWS });
  const inspection = inspectData(data);
  const sentence = describeRead(data.facts);
  if (report !== undefined) {
    const { renderInspection } = await import("../report/inspection-page.ts");
    writeWhole(report, new TextEncoder().encode(await renderInspection(data.name, sentence, inspection)));
    terminal.say(`wrote ${report}`);
  }
  const { features, distributions, copies, warnings } = inspection;
  const { shortest, longest, paddingShare } = distributions;
  const found = warnings.map((warning) => ({ ...warning, text: describeWarning(warning) }));
  terminal.print(
    json
      ? JSON.stringify({
          read: toReadDocument(data.facts),
          features,
          lengths: { shortest, longest, paddingShare },
          copies,
          warnings: found,
        })
      : [sentence, ...listInspection(inspection)].join("\n"),
  );
}

function toDocument({ model, id, bytes }: LoadedModel): Readonly<Record<string, unknown>> {
  const { recipe, calibration, operatingPoints, card } = model;
  const { timesteps, features, padding, clip, lengths } = recipe;
  return {
    id,
    format: readFormat(bytes),
    bytes: bytes.length,
    timesteps,
    features,
    units: networksOf(model)[0]?.units,
    members: summariseMembers(model),
    ...(model.view && { columns: describeColumns(model.view, features) }),
    recipe: { padding, channels: channelsOf(model), clip, lengths },
    calibration,
    operatingPoints,
    card,
  };
}

function listLines({ model, id, bytes }: LoadedModel): string[] {
  const { recipe, calibration, operatingPoints, card } = model;
  const { slope, intercept } = calibration;
  const calibrated = `calibration slope ${slope.toFixed(4)}, intercept ${intercept.toFixed(4)}`;
  return [
    `${id}  ${readFormat(bytes)}  ${bytes.length} bytes`,
    `takes      up to ${countOf(recipe.timesteps, "row")} of ${countOf(recipe.features.length, "feature")}: ${recipe.features.join(", ")}; padding: ${recipe.padding}`,
    `channels   ${channelsOf(model).join(", ")}`,
    ...(model.view ? [`view       ${countOf(describeColumns(model.view, recipe.features).length, "column")} beside the channels`] : []),
    model.stack === undefined
      ? `network    ${describeNetwork(model)}; ${calibrated}`
      : `members    ${summariseMembers(model)
          .map((member, m) => describeMember(member, speakers(card, model.members.length)?.[m]))
          .join(", ")}; ${calibrated}`,
    ...describeStack(card, recipe.features),
    ...describeOrigin(model),
    soleGraph(model) === undefined
      ? "golden     32 vectors score bit for bit here"
      : "golden     32 vectors, which the Worker scores within 2e-6",
    ...(card.test === null
      ? [
          soleGraph(model) === undefined
            ? "metrics    none yet: quickstep calibrate computes them from labelled sequences"
            : "metrics    none: the graph runs on the second engine alone, where quickstep computes none",
        ]
      : [
          formatMetrics({ model: card.test, ...card.baselines }, titleOfAssessment(card)),
          `${countOf(card.test.examples, card.assessment === "nested-cross-validation" ? "sequence" : "test sequence")}, ${formatPercent(card.test.positiveRate)} positive`,
        ]),
    formatOperatingPoints(operatingPoints),
    ...card.warnings.map((warning) => `note: ${warning}`),
  ];
}

function describeNetwork(model: LoadedModel["model"]): string {
  const layered = soleLayers(model);
  const graph = soleGraph(model);
  if (graph !== undefined) return `an ONNX graph beside the artifact, which answers ${graph}, on the second engine`;
  if (layered !== undefined) return `${describeLayers(layered)} → sigmoid`;
  const [network] = networksOf(model);
  return `LSTM(${network?.units})${describePrecision(network?.precision)} → Dense(1) → sigmoid`;
}

function describePrecision(precision: "int16" | undefined): string {
  return precision === undefined ? "" : " in whole numbers of 16 bits";
}

/** `0.50 trees (300 trees, 9,300 leaves)` */
function describeMember(member: MemberSummary, name: string = member.kind): string {
  const weight = member.weight.toFixed(2);
  switch (member.kind) {
    case "lstm":
      return `${weight} ${name} (${member.networks === 1 ? "" : `${member.networks} × `}LSTM(${member.units})${describePrecision(member.precision)})`;
    case "layers":
      return `${weight} ${name} (${member.networks === 1 ? "" : `${member.networks} × `}${member.layers})`;
    case "linear":
      return `${weight} ${name} (${countOf(member.columns, "column")})`;
    case "onnx":
      return `${weight} ${name} (a graph of its own, which answers ${member.output})`;
    case "trees":
      return `${weight} ${name} (${countOf(member.trees, "tree")}, ${formatCount(member.leaves)} leaves)`;
  }
}

/** What the card calls the learners that speak, where it knows as many as there are members. */
function speakers({ stack }: Card, members: number): readonly string[] | undefined {
  const names = stack?.learners.filter(({ weight }) => weight > 0).map(({ name }) => name);
  return names?.length === members ? names : undefined;
}

/** Features and channels that are named. */
const MAX_INFLUENCES = 3;

/** What each learner is worth, and what all of them lean on. */
function describeStack({ stack, influence }: Card, features: readonly string[]): string[] {
  const lines: string[] = [];
  if (stack) {
    const { gate } = stack;
    const learners = stack.learners as readonly LearnerWorth[];
    lines.push(`learners   ${describeNote({ code: "members", learners, logLoss: stack.logLoss }, features)}`);
    if (gate) lines.push(`           ${describeNote({ code: "gate", ...gate }, features)}`);
  }
  if (influence) {
    const list = (effects: Influence["features"]): string =>
      effects
        .slice(0, MAX_INFLUENCES)
        .map(({ name, rise }) => `${name} ${rise.toFixed(4)}`)
        .join(", ");
    lines.push(
      `leans on   features ${list(influence.features)}; channels ${list(influence.channels)} (rise of the log loss, permuted among ${countOf(influence.sequences, "sequence")})`,
    );
  }
  return lines;
}

function channelsOf({ recipe }: LoadedModel["model"]): string[] {
  return recipe.channels.map((channel) => describeChannel(channel, recipe.features));
}

/** Where the network, the calibration and the metrics come from. */
function describeOrigin({ card }: LoadedModel["model"]): string[] {
  const { split, training, versions, imported, calibrated } = card;
  const file = ({ name, sha256 }: { readonly name: string; readonly sha256: string }): string => `${name} (sha256 ${sha256.slice(0, 12)}…)`;
  const parts = (examples: object): string =>
    Object.entries(examples)
      .map(([part, n]) => `${n} ${part}`)
      .join(", ");
  const lines: string[] = [];
  if (imported)
    lines.push(
      `imported   from ${file({ ...imported, name: imported.file })}, ${imported.format}; parity ${imported.parity.toExponential(1)}`,
      ...imported.found.map((line) => `           ${line}`),
    );
  const howRead = ({ read }: { readonly read?: string }): string[] => (read === undefined ? [] : [`           ${read}`]);
  if (calibrated)
    lines.push(
      `calibrated on ${file(calibrated.data)}, ${parts(calibrated.examples)}, split by ${calibrated.by}`,
      ...howRead(calibrated.data),
    );
  const { stack } = card;
  const { train, test } = split.examples;
  const dealt = stack && `${train} train ${stack.folds === 1 ? "with one held-out part" : `in ${stack.folds} folds`}, ${test} test`;
  const how = `${training.optimizer}, batch ${training.batch}, seed ${training.seed}; ${describeKeptEpoch(training)}`;
  const network = `${training.layers === undefined ? "lstm" : "layers"}: ${training.optimizer}, batch ${training.batch}, ${training.bestEpoch} of ${countOf(training.epochs, "epoch")}`;
  if (!imported)
    lines.push(
      `trained    on ${file(card.data)}, ${dealt ?? parts(split.examples)}, split by ${split.by}`,
      ...howRead(card.data),
      `           ${stack === undefined ? how : `seed ${training.seed}${training.units > 0 ? `; ${network}` : ""}`}; quickstep ${versions.quickstep}, node ${versions.node}, ${versions.path}`,
    );
  return lines;
}
