// diagnose: a file and what was tried with it in; why the loss stops falling, and what cures it, out.
import { describeChannel } from "../../shared/recipe/channel.ts";
import type { Terminal } from "../cli/terminal.ts";
import { type Diagnosis, type DiagnosisData, type DiagnosisHost, diagnose as diagnoseData } from "../diagnosis/diagnose.ts";
import { contextOf, judgeHistory, suspectsOf } from "../diagnosis/history.ts";
import { writeCure } from "../diagnosis/script.ts";
import { describeTried, parseTried } from "../diagnosis/setup.ts";
import { readHistory } from "../diagnosis/training-log.ts";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import { type Dataset, readDataset } from "../readers/dataset.ts";
import { collectIssues, type IssueCollector } from "../readers/issues.ts";
import type { ReadOptions } from "../readers/options.ts";

export interface DiagnoseCommand {
  readonly data: readonly string[];
  readonly read: ReadOptions;
  /** Words as parseTried takes them. */
  readonly tried: string;
  /** The user's own training curve, as Keras' CSVLogger writes it. */
  readonly history?: string;
  readonly report?: string;
  readonly seed: number;
  readonly json: boolean;
}

/** As many windows of rows as are of use: a sample of the sequences is looked at. */
const MOST_WINDOWS = 250_000;

export async function diagnose(
  command: DiagnoseCommand,
  host: Pick<DiagnosisHost, "log" | "createStepper">,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const tried = parseTried(command.tried);
  const log = command.history === undefined ? undefined : readHistory(readWhole(command.history), command.history);
  const issues = collectIssues();
  const data = await readDataset(command.data, { ...command.read, onIssue: issues.onIssue, mostWindows: MOST_WINDOWS });
  const given = toDiagnosisData(data, issues);
  const context = contextOf(given);
  const own = log && context && judgeHistory(log, context);
  const yieldToEventLoop = async (): Promise<void> => {
    await new Promise(setImmediate);
    signal.throwIfAborted();
  };
  const options = { tried, seed: command.seed, suspects: own && suspectsOf(own) };
  const diagnosis = await diagnoseData(given, options, { ...host, yieldToEventLoop, note: terminal.progress });
  const seconds = (performance.now() - started) / 1000;
  const script = writeCure(diagnosis);
  for (const line of listLines(diagnosis, own?.sentences ?? [], script)) terminal.say(line);
  if (command.report !== undefined) {
    const { renderDiagnosis } = await import("../diagnosis/page.ts");
    writeWhole(
      command.report,
      new TextEncoder().encode(await renderDiagnosis(data.name, diagnosis, { sentences: own?.sentences ?? [], script })),
    );
    terminal.say(`wrote ${command.report}`);
  }
  terminal.say(`in ${seconds.toFixed(0)} s`);
  if (command.json)
    terminal.print(JSON.stringify({ data: { name: data.name, sha256: data.sha256 }, ...diagnosis, history: own, script, seconds }));
}

function toDiagnosisData({ source, values, labels, shape, features, float32, test }: Dataset, issues: IssueCollector): DiagnosisData {
  return {
    source,
    values,
    labels: labels && issues.restoreLabels(labels),
    shape,
    features,
    float32,
    test: test && { values: test.values, labels: issues.restoreLabels(test.labels) },
  };
}

/** The verdict first, then the user's own curve, causes, figures, what is plain fact, and the lines that cure. */
function listLines(
  { verdict, causes, tried, cured, baseRateLoss, notes }: Diagnosis,
  curve: readonly string[],
  script: readonly string[] | undefined,
): string[] {
  const lines = [`${verdict.code}: ${verdict.text}`, ...curve, ""];
  causes.forEach(({ code, certainty, evidence, remedy }, i) => {
    lines.push(`${i + 1}. ${code} (${certainty}): ${evidence}`, `   → ${remedy}`);
  });
  if (causes.length > 0) lines.push("");
  if (tried !== null && cured !== null && baseRateLoss !== null) {
    const figures = ({ loss, auc }: { loss: number; auc: number | null }): string =>
      `log loss ${loss.toFixed(4)}${auc === null ? "" : `, AUC ${auc.toFixed(3)}`}`;
    lines.push(`base rate   log loss ${baseRateLoss.toFixed(4)}`, `tried       ${figures(tried)} (${describeTried(tried.settings)})`);
    if (verdict.code !== "healthy")
      lines.push(
        `cured       ${figures(cured)} (${cured.plan.channels.map((channel) => describeChannel(channel, cured.plan.features)).join(", ")})`,
      );
    lines.push("");
  }
  lines.push(...notes.map((note) => `- ${note}`));
  return script === undefined ? lines : [...lines, "", "what cures your script, for its X and y:", "", ...script, ""];
}
