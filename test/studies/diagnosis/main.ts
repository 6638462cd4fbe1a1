// npm run diagnosis [-- --seeds 101,102 --only planted,healthy,permuted --plants movement-tiny,… --calibrate --verbose]: how often
// diagnose is right on data whose one cause is known, how often it cries wolf where there is none, and how often it claims a signal
// where labels were permuted. Seeds 1 to 5 are for reporting, 101 on (the default) for tuning: never look at the former while rules
// are tuned. --calibrate finds strengths for the seeds that fixtures/strengths.json does not have, and adds them.
import { readFileSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { parseArgs } from "node:util";
import { Worker } from "node:worker_threads";
import type { Answered, Job } from "./answer.ts";
import { confusionMatrix, describeShare, isRight } from "./score.ts";
import { calibrate, casesOf, FILE, isScored, keyOf, RANGES, SHARES, type Strength, strengthsOf } from "./strengths.ts";

const REPORTED_SEEDS = [1, 2, 3, 4, 5];
/** Data sets of each kind without a planted cause, a seed. */
const CONTROLS = 20;
const STREAM = { healthy: 1000, permuted: 2000 };

const { values: given } = parseArgs({
  options: {
    seeds: { type: "string", default: "101" },
    only: { type: "string", default: "planted,healthy,permuted" },
    plants: { type: "string" },
    controls: { type: "string", default: String(CONTROLS) },
    calibrate: { type: "boolean", default: false },
    verbose: { type: "boolean", default: false },
  },
});
const seeds = given.seeds.split(",").map(Number);
const plants = given.plants?.split(",");
const cases = seeds.flatMap(casesOf).filter(({ name }) => plants?.includes(name) ?? true);

interface Titled {
  readonly title: string;
  readonly job: Job;
}

/** Answers in the order of the jobs, by one worker a core; a line for each wrong one as it comes. */
function answerAll(jobs: readonly Titled[]): Promise<Answered[]> {
  const answers: Answered[] = [];
  let [next, done] = [0, 0];
  return new Promise((resolve, reject) => {
    if (jobs.length === 0) return resolve(answers);
    const workers = Array.from({ length: Math.min(jobs.length, availableParallelism()) }, () => {
      const worker = new Worker(new URL("./answer.ts", import.meta.url));
      let index = next++;
      worker.postMessage(jobs[index].job);
      worker.on("error", reject);
      worker.on("message", (answered: Answered) => {
        answers[index] = answered;
        const { named, baseline, seconds } = answered;
        if (given.verbose || !isRight(answered))
          console.log(
            `${isRight(answered) ? "  " : "! "}${jobs[index].title.padEnd(44)} ${seconds.toFixed(1)} s  ${named.join(", ") || "healthy"}  [${baseline}]`,
          );
        if (++done === jobs.length) for (const each of workers) each.terminate();
        if (done === jobs.length) return resolve(answers);
        index = next++;
        if (index < jobs.length) worker.postMessage(jobs[index].job);
      });
      return worker;
    });
  });
}

async function measurePlanted(): Promise<void> {
  const all = [...strengthsOf(cases)];
  const scored = all.filter(([, strength]) => isScored(strength));
  const answers = await answerAll(
    scored.map(([of, { strength, lost }]) => ({
      title: `${keyOf(of)}${lost === undefined ? "" : `, ${(100 * lost).toFixed(0)} % lost`}`,
      job: { kind: "planted", name: of.name, strength, seed: of.seed, stream: of.stream },
    })),
  );
  const describe = (of: readonly Answered[]): string => describeShare(of.filter(isRight).length, of.length);
  console.log(`\n${confusionMatrix(answers)}\n`);
  for (const share of SHARES) {
    const ofShare = scored.flatMap(([{ name, share: wanted }, { lost }], i) =>
      wanted === share && RANGES[name] !== undefined ? [{ lost: lost!, answered: answers[i] }] : [],
    );
    const losses = ofShare.map(({ lost }) => lost).sort((a, b) => a - b);
    const median = (100 * losses[losses.length >> 1]).toFixed(0);
    if (ofShare.length > 0)
      console.log(`where ${100 * share} % are to be lost (median ${median} %): ${describe(ofShare.map(({ answered }) => answered))}`);
  }
  console.log(`top cause right: ${describe(answers)}; ${all.length - scored.length} discarded, whose fix recovers less than 5 %`);
}

async function measureWithout(kind: "healthy" | "permuted", isWrong: (answered: Answered) => boolean, title: string): Promise<void> {
  const jobs = seeds.flatMap((seed) =>
    Array.from({ length: Number(given.controls) }, (_, i) => ({
      title: `${kind} ${seed}.${i}`,
      job: { kind, seed, stream: STREAM[kind] + i },
    })),
  );
  const answers = await answerAll(jobs);
  console.log(`${title}: ${describeShare(answers.filter(isWrong).length, answers.length)}`);
}

function writeStrengths(): void {
  const known: Record<string, Strength> = JSON.parse(readFileSync(FILE, "utf8"));
  for (const each of cases.filter((one) => known[keyOf(one)] === undefined)) {
    const strength = calibrate(each);
    if (strength.lost === undefined) continue;
    known[keyOf(each)] = strength;
    console.log(keyOf(each), JSON.stringify(strength));
    const lines = Object.entries(known).map(([key, value]) => `${JSON.stringify(key)}: ${JSON.stringify(value, round)}`);
    writeFileSync(FILE, `{\n${lines.sort().join(",\n")}\n}\n`);
  }
}

function round(_: string, value: unknown): unknown {
  return typeof value === "number" ? Number(value.toPrecision(4)) : value;
}

if (given.calibrate) writeStrengths();
else {
  const started = performance.now();
  const isReport = seeds.every((seed) => REPORTED_SEEDS.includes(seed));
  console.log(`seeds ${seeds.join(", ")}: ${isReport ? "for reporting; tune nothing by these" : "for tuning"}`);
  const wanted = given.only.split(",");
  if (wanted.includes("planted")) await measurePlanted();
  if (wanted.includes("healthy"))
    await measureWithout("healthy", ({ named }) => named.length > 0, "false alarms, any cause named on a clean control");
  if (wanted.includes("permuted"))
    await measureWithout("permuted", ({ claims }) => claims, "false discoveries, anything but no-signal named first on permuted labels");
  console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
}
