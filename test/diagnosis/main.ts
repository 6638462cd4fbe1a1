// npm run diagnosis [-- --seeds 101,102 --only planted,healthy,permuted --plants movement-tiny,… --calibrate --verbose]: how often
// diagnose is right on data whose one cause is known, how often it cries wolf where there is none, and how often it claims a signal
// where labels were permuted. Seeds 1 to 5 are for reporting, 101 on (the default) for tuning: never look at the former while rules
// are tuned. --calibrate finds strengths for the seeds that strengths.json does not have, and adds them.
import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { type DiagnosisHost, diagnose } from "../../trainer/diagnosis/diagnosis.ts";
import { parseTried } from "../../trainer/diagnosis/tried.ts";
import { createTrainingStep } from "../../trainer/step.ts";
import { type Planted, plantHealthy, plantPermuted } from "./planted.ts";
import { kernel } from "./recovery.ts";
import { type Answer, claimsSignal, confusionMatrix, describeShare, topOf } from "./score.ts";
import { type Case, calibrate, casesOf, FILE, keyOf, make, RANGES, SHARES, type Strength, strengthsOf } from "./strengths.ts";

const REPORTED_SEEDS = [1, 2, 3, 4, 5];
/** Data sets of each kind without a planted cause, a seed. */
const CONTROLS = 20;
const STREAM = { healthy: 1000, permuted: 2000 };
/** A remedy that recovers less of what can be learnt proves nothing: such a case is not scored. */
const LEAST_RECOVERED = 0.05;

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
const controls = seeds.flatMap((seed) => Array.from({ length: Number(given.controls) }, (_, i) => ({ seed, i })));

const host: DiagnosisHost = {
  log: kernel.log,
  createStepper: (data, options) => createTrainingStep(data, options),
  breathe: async () => {},
};

/** The answer, after a line about it. */
async function ask(title: string, planted: Planted, seed: number): Promise<{ top: Answer; claims: boolean; named: string[] }> {
  const started = performance.now();
  const diagnosis = await diagnose(planted.data, { tried: parseTried(planted.tried), seed }, host);
  const seconds = (performance.now() - started) / 1000;
  const named = diagnosis.causes.map(({ code, certainty }) => `${code} (${certainty})`);
  const isRight = topOf(diagnosis) === planted.code;
  if (given.verbose || !isRight)
    console.log(
      `${isRight ? "  " : "! "}${title.padEnd(44)} ${seconds.toFixed(1)} s  ${named.join(", ") || "healthy"}  [${planted.tried}]`,
    );
  return { top: topOf(diagnosis), claims: claimsSignal(diagnosis), named };
}

function isScored({ tried, cured }: Strength): boolean {
  return tried === undefined || cured === undefined || cured - tried >= LEAST_RECOVERED;
}

function writeStrengths(): void {
  const known: Record<string, Strength> = JSON.parse(readFileSync(FILE, "utf8"));
  for (const each of cases.filter((one) => known[keyOf(one)] === undefined)) {
    const strength = calibrate(each);
    if (strength.lost === undefined) continue;
    known[keyOf(each)] = strength;
    console.log(keyOf(each), JSON.stringify(strength));
    writeFileSync(FILE, `${JSON.stringify(known, null, 1).replace(/\{\n\s+"strength"[^}]*\}/g, (text) => text.replace(/\s+/g, " "))}\n`);
  }
}

async function measurePlanted(): Promise<void> {
  const strengths = strengthsOf(cases);
  const pairs: { planted: Answer; answer: Answer; of: Case; lost: number | undefined }[] = [];
  let discarded = 0;
  for (const [each, strength] of strengths) {
    if (!isScored(strength)) {
      discarded++;
      continue;
    }
    const planted = make(each, strength);
    const lost = strength.lost === undefined ? "" : `, ${(100 * strength.lost).toFixed(0)} % lost`;
    const { top } = await ask(`${keyOf(each)}${lost}`, planted, each.seed);
    pairs.push({ planted: planted.code, answer: top, of: each, lost: strength.lost });
  }
  const hits = (of: typeof pairs): string => describeShare(of.filter(({ planted, answer }) => planted === answer).length, of.length);
  console.log(`\n${confusionMatrix(pairs)}\n`);
  for (const share of SHARES) {
    const own = pairs.filter((pair) => pair.of.share === share && RANGES[pair.of.name] !== undefined);
    const lost = own.map((pair) => pair.lost!).sort((a, b) => a - b);
    if (own.length > 0)
      console.log(`where ${100 * share} % are to be lost (median ${(100 * lost[lost.length >> 1]).toFixed(0)} %): ${hits(own)}`);
  }
  console.log(`top cause right: ${hits(pairs)}; ${discarded} discarded, their remedy recovers less than ${100 * LEAST_RECOVERED} %`);
}

async function measureControls(): Promise<void> {
  let alarms = 0;
  for (const { seed, i } of controls) {
    const { named } = await ask(`healthy ${seed}.${i}`, plantHealthy(seed, STREAM.healthy + i), seed);
    if (named.length > 0) alarms++;
  }
  console.log(`false alarms, any cause named on a clean control: ${describeShare(alarms, controls.length)}\n`);
}

async function measurePermuted(): Promise<void> {
  let claims = 0;
  for (const { seed, i } of controls)
    if ((await ask(`permuted ${seed}.${i}`, plantPermuted(seed, STREAM.permuted + i), seed)).claims) claims++;
  console.log(`false discoveries, anything but no-signal said first of permuted labels: ${describeShare(claims, controls.length)}\n`);
}

if (given.calibrate) writeStrengths();
else {
  const started = performance.now();
  const isReport = seeds.every((seed) => REPORTED_SEEDS.includes(seed));
  console.log(`seeds ${seeds.join(", ")}: ${isReport ? "for reporting; tune nothing by these" : "for tuning"}`);
  const wanted = given.only.split(",");
  if (wanted.includes("planted")) await measurePlanted();
  if (wanted.includes("healthy")) await measureControls();
  if (wanted.includes("permuted")) await measurePermuted();
  console.log(`${((performance.now() - started) / 60_000).toFixed(1)} minutes`);
}
