// npm run field [-- --half develop|report --set NAME,… --folder out/field --kept --OPTION …]: the trainer against other learners on
// real public sets. With --kept the last run's probabilities are measured again instead of trained for. Every other option goes to `train`. Peers' figures are in the repository (peers.py), the sets are not: those of
// vega-datasets are made here, the others by sets.py, where Python is. Nothing is tuned by the half `report`.
import { existsSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { readWhole, writeWhole } from "../../../trainer/files/whole-files.ts";
import { openNpz } from "../../../trainer/readers/npz.ts";
import { mean } from "../../../trainer/statistics/descriptive.ts";
import { logitOf } from "../../../trainer/statistics/log-loss.ts";
import { computeMetrics } from "../../../trainer/statistics/metrics.ts";
import { CATALOGUE, type FieldSet } from "./catalogue.ts";
import { answer, readAnswer } from "./contestant.ts";
import { calibrationSlope, clusteredDifference, lossesOf, lossesOfChosen } from "./figures.ts";
import { makeNpmSet, NPM_SETS } from "./npm-sets.ts";
import { digest, readPeers } from "./peers.ts";
import { type Against, printHeading, printResult, printSummary, type Result } from "./print.ts";

interface Given {
  readonly half?: string;
  readonly set?: string;
  readonly folder: string;
  readonly isKept: boolean;
  /** For `train`. */
  readonly others: readonly string[];
}

function readCommandLine(words: readonly string[]): Given {
  const own: Record<string, string> = { folder: "out/field" };
  const others: string[] = [];
  for (let i = 0; i < words.length; i++) {
    const name = words[i].replace(/^--/, "");
    if (["half", "set", "folder"].includes(name)) own[name] = words[++i] ?? "";
    else others.push(words[i]);
  }
  return { ...own, folder: own.folder, isKept: others.includes("--kept"), others: others.filter((word) => word !== "--kept") };
}

function selectSets({ half, set }: Given): readonly FieldSet[] {
  if (half !== undefined && half !== "develop" && half !== "report") throw new Error(`--half is ${half}, expected develop or report`);
  const names = set?.split(",");
  const unknown = names?.find((name) => !CATALOGUE.some((one) => one.name === name));
  if (unknown !== undefined) throw new Error(`no set ${unknown}: there are ${CATALOGUE.map(({ name }) => name).join(", ")}`);
  return CATALOGUE.filter((one) => (half === undefined || one.half === half) && (names === undefined || names.includes(one.name)));
}

/** The set's result, or a sentence why there is none. */
async function measure(set: FieldSet, { folder, isKept, others }: Given): Promise<Result | string> {
  const path = join(folder, `${set.name}.npz`);
  if (!existsSync(path)) {
    if (!NPM_SETS.includes(set.name)) return `not there: python3 test/studies/field/sets.py ${folder} ${set.name} makes it`;
    writeWhole(path, await makeNpmSet(set.name));
  }
  const npz = await openNpz(readWhole(path), path);
  const peers = await readPeers(set.name, await digest(npz));
  if (typeof peers === "string") return peers;
  const numbers = async (name: string) => Float64Array.from((await npz.read(name)).data as ArrayLike<number>);
  const [labels, clusters, train] = [await numbers("y_test"), await numbers("cluster_test"), await numbers("y")];
  const { probabilities, seconds } = isKept ? readAnswer(set, folder) : await answer(set, npz, folder, others);
  const losses = lossesOf(labels, probabilities.map(logitOf));
  const against = (name: string, theirs: Float64Array): Against => ({
    name,
    logLoss: mean(theirs),
    difference: clusteredDifference(losses, theirs, clusters),
  });
  const peerLosses = peers.map(({ logits }) => lossesOf(labels, logits));
  const { logLoss, auc, baseRateLogLoss } = computeMetrics(labels, probabilities);
  return {
    set,
    examples: train.length,
    logLoss,
    baseRateLogLoss,
    auc,
    slope: calibrationSlope(labels, probabilities),
    seconds,
    peers: peers.map(({ name }, p) => against(name, peerLosses[p])),
    chosen: against("one chosen", lossesOfChosen(peerLosses, clusters)),
  };
}

const given = readCommandLine(process.argv.slice(2));
mkdirSync(given.folder, { recursive: true });
const results: Result[] = [];
const missing: string[] = [];
printHeading();
for (const set of selectSets(given)) {
  const result = await measure(set, given).catch((error: Error) => `failed: ${error.message}`);
  if (typeof result === "string") missing.push(`${set.name} (${set.half}): ${result}`);
  else results.push(result);
  printResult(set, result);
}
if (results.length > 0) printSummary(results);
if (missing.length > 0) console.log(`\nwithout ${missing.length} of the sets:\n  ${missing.join("\n  ")}`);
