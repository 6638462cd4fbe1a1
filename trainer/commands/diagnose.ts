// diagnose: a file and the setup somebody trained with in; why the loss stops falling, and what fixes it, out.
import { describeChannel } from "../../shared/recipe/channel.ts";
import { integer, text } from "../cli/arguments.ts";
import { DATA_WORD, MAX_SEED, READ_OPTIONS, readOptionsOf, TEST_OPTIONS } from "../cli/data-options.ts";
import { declareCommand, flag, option, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";
import { checkOutput, PAGE_ENDINGS } from "../cli/outputs.ts";
import { toReadDocument } from "../cli/read-line.ts";
import { createStages } from "../cli/stages.ts";
import type { Terminal } from "../cli/terminal.ts";
import { asPlainRows } from "../data/plain-rows.ts";
import { writeColumnsScript } from "../diagnosis/columns-script.ts";
import { diagnose as diagnoseData } from "../diagnosis/diagnose.ts";
import type { Diagnosis } from "../diagnosis/diagnosis.ts";
import { toDocument } from "../diagnosis/document.ts";
import { describeRun } from "../diagnosis/experiment-setup.ts";
import { contextOf, hypothesesOfCurve, judgeHistory } from "../diagnosis/history.ts";
import { describeHistory } from "../diagnosis/history-sentences.ts";
import type { DiagnosisData, DiagnosisDependencies } from "../diagnosis/input.ts";
import { listNotes } from "../diagnosis/notes.ts";
import type { Beside } from "../diagnosis/page.ts";
import { describeInterimResult, type Stage } from "../diagnosis/progress.ts";
import { writeFixScript } from "../diagnosis/script.ts";
import { parseBaselineSetup } from "../diagnosis/setup.ts";
import { readHistory } from "../diagnosis/training-log.ts";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import { type Dataset, readDataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { collectIssues, type IssueCollector } from "../readers/issues.ts";
import type { ReadOptions } from "../readers/options.ts";
import { Interrupted } from "../training/checkpoint.ts";

const WORDS = { data: DATA_WORD };

const OPTIONS = {
  tried: option(
    "WORDS",
    text,
    "your baseline setup, as scaled,mask,adam,lr=0.01,batch=32,units=64,epochs=5",
    "LSTM(100) on raw numbers, RMSprop 0.001, batch 1000",
  ),
  history: option("FILE", text, "your training curve, as Keras' CSVLogger writes it", "no curve is looked at"),
  report: option("FILE", text, "where an HTML page goes", "no page"),
  seed: optionWithDefault("N", integer(0, MAX_SEED), "seed of every random choice", 1),
  json: flag("print one JSON document on stdout"),
  ...TEST_OPTIONS,
  ...READ_OPTIONS,
};

type DiagnoseValues = Values<typeof WORDS, typeof OPTIONS>;

export const diagnoseCommand = declareCommand({
  name: "diagnose",
  summary: "Find out by experiments why the loss does not fall, and what to change",
  words: WORDS,
  options: OPTIONS,
  examples: ["diagnose mine.npz --report why.html", "diagnose mine.csv --tried scaled,adam,lr=0.001,batch=32 --history log.csv"],
  run: ({ data, tried = "", history, report, seed, json, ...rest }: DiagnoseValues, dependencies: Dependencies) => {
    const command = { data, tried, history, report, seed, json, read: readOptionsOf(rest) };
    const { terminal } = dependencies;
    const { log } = dependencies.loadEngines().kernel;
    // Short runs of small networks: a second thread would wait more than it helps (measured).
    return diagnose(
      command,
      { log, createStepper: dependencies.createStepper({ threads: 1 }), createTrees: dependencies.createTrees({ threads: 1 }) },
      terminal,
      dependencies,
    );
  },
});

export interface DiagnoseRequest {
  readonly data: readonly string[];
  readonly read: ReadOptions;
  /** Words as parseBaselineSetup takes them. */
  readonly tried: string;
  /** The user's own training curve, as Keras' CSVLogger writes it. */
  readonly history?: string;
  readonly report?: string;
  readonly seed: number;
  readonly json: boolean;
}

/** As many windows of rows as are of use: a sample of the sequences is looked at. */
const MAX_WINDOWS = 250_000;

/** A training curve has a line an epoch. */
const MAX_HISTORY_BYTES = 2 ** 26;

const STAGE_NAMES: Readonly<Record<Stage, string>> = {
  "data-checks": "checking the data",
  "signal-test": "testing for a signal",
  experiments: "training experiments",
  columns: "trying other learners",
  "network-checks": "examining the networks",
};

/** Diagnoses, writes the page, and says the verdict first. Throws UsageError, DataError, Interrupted. */
export async function diagnose(
  command: DiagnoseRequest,
  host: Pick<DiagnosisDependencies, "log" | "createStepper" | "createTrees">,
  terminal: Terminal,
  dependencies: Pick<Dependencies, "signal">,
): Promise<void> {
  const started = performance.now();
  const baseline = parseBaselineSetup(command.tried);
  if (command.report !== undefined) checkOutput("report", command.report, PAGE_ENDINGS);
  const log = command.history === undefined ? undefined : readHistory(readWhole(command.history, MAX_HISTORY_BYTES), command.history);
  const issues = collectIssues();
  const read = { ...command.read, gaps: true, onIssue: issues.onIssue, maxWindows: MAX_WINDOWS };
  const data = asPlainRows(await readDataset(command.data, read));
  terminal.say(describeRead(data.facts));
  const { signal } = dependencies;
  const given = toDiagnosisData(data, issues);
  const context = contextOf(given);
  const curve = log && context && judgeHistory(log, context);
  const curveSentences = curve ? describeHistory(curve) : [];
  const yieldToEventLoop = async (): Promise<void> => {
    await new Promise(setImmediate);
    if (signal.aborted) throw new Interrupted();
  };
  const options = { baseline, seed: command.seed, curveHypotheses: curve && hypothesesOfCurve(curve) };
  const stages = createStages(terminal, () => performance.now());
  let detail: string | undefined;
  const diagnosis = await diagnoseData(given, options, {
    ...host,
    yieldToEventLoop,
    onProgress: ({ stage, done, total }) => stages.show(STAGE_NAMES[stage], total === 0 ? undefined : done / total, detail),
    onInterimResult: (result) => {
      detail = describeInterimResult(result);
    },
  });
  stages.finish();
  const seconds = (performance.now() - started) / 1000;
  const lines = { script: writeFixScript(diagnosis), columnsScript: writeColumnsScript(diagnosis) };
  for (const line of listLines(diagnosis, curveSentences, lines)) (command.json ? terminal.say : terminal.print)(line);
  if (command.report !== undefined) {
    const { renderDiagnosis } = await import("../diagnosis/page.ts");
    const page = await renderDiagnosis(data.name, diagnosis, { sentences: curveSentences, history: log, ...lines });
    writeWhole(command.report, new TextEncoder().encode(page));
    terminal.say(`wrote ${command.report}`);
  }
  terminal.say(`diagnosed in ${seconds.toFixed(0)} s`);
  if (command.json)
    terminal.print(
      JSON.stringify({
        data: { name: data.name, sha256: data.sha256 },
        read: toReadDocument(data.facts),
        ...toDocument(diagnosis),
        history: curve && { ...curve, sentences: curveSentences },
        ...lines,
        seconds,
      }),
    );
}

function toDiagnosisData(
  { source, values, labels, shape, features, float32, timeline, test }: Dataset,
  issues: IssueCollector,
): DiagnosisData {
  return {
    source,
    values,
    labels: labels && issues.restoreLabels(labels),
    shape,
    features,
    float32,
    isCut: timeline !== undefined,
    test: test && { values: test.values, labels: issues.restoreLabels(test.labels) },
  };
}

/** The verdict first, then the user's own curve, causes, figures, what is plain fact, and the lines that fix the user's script. */
function listLines(
  diagnosis: Diagnosis,
  curve: readonly string[],
  { script, columnsScript }: Pick<Beside, "script" | "columnsScript">,
): string[] {
  const { verdict, causes, baseline, fixed, baseRateLoss } = diagnosis;
  const lines = [`${verdict.code}: ${verdict.text}`, verdict.next, ...curve, ""];
  causes.forEach(({ code, certainty, evidence, fix }, i) => {
    lines.push(`${i + 1}. ${code} (${certainty}): ${evidence}`, `   → ${fix}`);
  });
  if (causes.length > 0) lines.push("");
  if (baseline !== null && fixed !== null && baseRateLoss !== null) {
    const figures = ({ loss, auc }: { loss: number; auc: number | null }): string =>
      `log loss ${loss.toFixed(4)}${auc === null ? "" : `, AUC ${auc.toFixed(3)}`}`;
    lines.push(
      `base rate        log loss ${baseRateLoss.toFixed(4)}`,
      `baseline setup   ${figures(baseline)} (run as ${describeRun(baseline.settings, baseline.training)})`,
    );
    if (verdict.code !== "healthy")
      lines.push(
        `fixed setup      ${figures(fixed)} (${fixed.plan.channels.map((channel) => describeChannel(channel, fixed.plan.features)).join(", ")})`,
      );
    lines.push("");
  }
  lines.push(...listNotes(diagnosis).map((note) => `- ${note}`));
  if (script) lines.push("", "lines that fix your script, for its X and y:", "", ...script, "");
  if (columnsScript) lines.push("", "lines for scikit-learn, for the X and y of your script:", "", ...columnsScript, "");
  return lines;
}
