// diagnose: a file and what was tried with it in; why the loss stops falling, and what cures it, out.
import { describeChannel } from "../../shared/recipe.ts";
import { type Diagnosis, type DiagnosisData, type DiagnosisHost, diagnose as diagnoseData } from "../diagnosis/diagnosis.ts";
import { describeTried, parseTried } from "../diagnosis/tried.ts";
import { writeWhole } from "../files.ts";
import { type Dataset, readDataset } from "../readers/dataset.ts";
import type { Terminal } from "../terminal.ts";

export interface DiagnoseCommand {
  readonly data: string;
  readonly labels?: string;
  readonly test?: string;
  readonly testLabels?: string;
  /** Words as parseTried takes them. */
  readonly tried: string;
  readonly report?: string;
  readonly seed: number;
  readonly json: boolean;
}

export async function diagnose(
  command: DiagnoseCommand,
  host: Pick<DiagnosisHost, "log" | "createStepper">,
  terminal: Terminal,
  signal: AbortSignal,
): Promise<void> {
  const started = performance.now();
  const tried = parseTried(command.tried);
  const data = await readDataset(command.data, { ...command, lenient: true });
  const breathe = async (): Promise<void> => {
    await new Promise(setImmediate);
    signal.throwIfAborted();
  };
  const diagnosis = await diagnoseData(toDiagnosisData(data), { tried, seed: command.seed }, { ...host, breathe, note: terminal.progress });
  const seconds = (performance.now() - started) / 1000;
  for (const line of listLines(diagnosis)) terminal.say(line);
  if (command.report !== undefined) {
    const { renderDiagnosis } = await import("../diagnosis/page.ts");
    writeWhole(command.report, new TextEncoder().encode(await renderDiagnosis(data.name, diagnosis)));
    terminal.say(`wrote ${command.report}`);
  }
  terminal.say(`in ${seconds.toFixed(0)} s`);
  if (command.json) terminal.print(JSON.stringify({ data: { name: data.name, sha256: data.sha256 }, ...diagnosis, seconds }));
}

function toDiagnosisData({ source, values, labels, rawLabels, shape, features, float32, test }: Dataset): DiagnosisData {
  return {
    source,
    values,
    labels: rawLabels ?? labels,
    shape,
    features,
    float32,
    test: test && { values: test.values, labels: test.rawLabels ?? test.labels },
  };
}

/** The verdict first, then causes, then what is plain fact. */
function listLines({ verdict, causes, tried, cured, baseRateLoss, notes }: Diagnosis): string[] {
  const lines = [`${verdict.code}: ${verdict.text}`, ""];
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
  return [...lines, ...notes.map((note) => `- ${note}`)];
}
