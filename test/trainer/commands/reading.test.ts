// One line says how data were read: the same on the terminal, in --json and in the card; and a model's meaning of 1 holds for later data.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-reading-"));
const at = (name: string): string => join(folder, name);
const N = 300;

function quickstep(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

/** Two steps of two features; `one` where they rise, mostly. Semicolons and decimal commas. */
function writeTable(name: string, one: string, zero: string): void {
  const random = createRandom(5);
  const lines = Array.from({ length: N }, () => {
    const x = [random.normal(), random.normal(), random.normal(), random.normal()];
    return [...x.map((value) => value.toFixed(3).replace(".", ",")), x[2] > x[0] ? one : zero].join(";");
  });
  writeFileSync(at(name), `\ufeffa_0;b_0;a_1;b_1;answer\n${lines.join("\n")}\n`);
}

const TRAIN = ["--recipe", "raw", "--units", "2", "--epochs", "1", "--batch", "32", "--label", "answer"];

beforeAll(() => {
  writeTable("words.csv", "falls", "rises"); // by alphabet the other one would be 1
  writeTable("numbers.csv", "1", "0");
});
afterAll(() => rmSync(folder, { recursive: true }));

const LINE = (rate: string): string =>
  `300 sequences, 2 steps × 2 features (a, b), label answer, 1 is "falls", 0 is "rises", ${rate} % positive, columns separated by semicolons, decimal commas`;

test("train, evaluate, calibrate and inspect say the same of the same data, with the model's meaning of 1", () => {
  const trained = quickstep("train", "words.csv", "--out", "m.safetensors", "--positive", "falls", "--json", ...TRAIN);
  expect(trained.status, trained.stderr).toBe(0);
  const [said] = trained.stderr.split("\n");
  const line = LINE(/, ([\d.]+) % positive/.exec(said)?.[1] ?? "");
  expect(said).toBe(`read words.csv: ${line}`);
  const { read } = JSON.parse(trained.stdout);
  expect(read).toMatchObject({ text: said, labels: { name: "answer", meaning: { one: "falls", zero: "rises" } } });
  const { card } = decodeArtifact(readFileSync(at("m.safetensors")));
  expect(card.data.read).toBe(`read words: ${line}`);
  const { text: _, ...facts } = read;
  expect(card.data.facts).toEqual({ ...facts, source: "words", notes: [{ ...facts.notes[0], files: ["words"] }] });

  const evaluated = quickstep("evaluate", "m.safetensors", "words.csv", "--label", "answer", "--json");
  expect(evaluated.stderr.split("\n")[0]).toBe(said);
  expect(JSON.parse(evaluated.stdout)).toMatchObject({ read: { text: said }, positiveRate: JSON.parse(trained.stdout).positiveRate });
  const calibrated = quickstep("calibrate", "m.safetensors", "words.csv", "--label", "answer", "--out", "n.safetensors", "--json");
  expect(calibrated.stderr.split("\n")[0]).toBe(said);
  expect(decodeArtifact(readFileSync(at("n.safetensors"))).card.calibrated?.data).toEqual(card.data);
  const inspected = quickstep("inspect", "words.csv", "--label", "answer", "--positive", "falls");
  expect(inspected.stdout.split("\n")[0]).toBe(said);
});

test("score and the report say what a probability is of", () => {
  quickstep("train", "words.csv", "--out", "r.safetensors", "--positive", "falls", "--report", "r.html", ...TRAIN);
  expect(readFileSync(at("r.html"), "utf8").includes("positive, where 1 is &quot;falls&quot;, 0 is &quot;rises&quot;")).toBe(true);
  const { stdout, stderr } = quickstep("score", "m.safetensors", "words.csv");
  expect(stderr).toContain('\neach probability is that of a 1, where 1 is "falls", 0 is "rises"\n');
  expect(stdout).not.toContain("falls");
});

test("labels that the model did not learn are refused, naming both, unless --positive says which is 1", () => {
  for (const more of [["evaluate"], ["calibrate", "--out", "o.safetensors"]]) {
    const [command, ...options] = more;
    const { status, stderr } = quickstep(command, "m.safetensors", "numbers.csv", "--label", "answer", ...options);
    expect(status).toBe(2);
    expect(stderr).toContain('the model learnt "rises", "falls", of which 1 is "falls": say which label is 1 with --positive');
    expect(stderr).toContain("numbers.csv: holds the labels 0, 1");
  }
  const said = quickstep("evaluate", "m.safetensors", "numbers.csv", "--label", "answer", "--positive", "1", "--json");
  const own = quickstep("evaluate", "m.safetensors", "words.csv", "--label", "answer", "--json");
  expect(JSON.parse(said.stdout).logLoss).toBe(JSON.parse(own.stdout).logLoss);
});

test("labels that stood some rows later in training do so for evaluate, which says it, unless --horizon says other", {
  timeout: 60_000,
}, () => {
  const random = createRandom(7);
  const rows = Array.from({ length: 400 }, (_, r) => `${r},${random.normal().toFixed(3)},${random.normal() > 0 ? 1 : 0}`);
  writeFileSync(at("rows.csv"), `at,a,answer\n${rows.join("\n")}\n`);
  const read = ["--window", "3", "--time", "at", "--label", "answer"];
  const trained = quickstep("train", "rows.csv", "--out", "later.safetensors", ...read, "--horizon", "2", ...TRAIN);
  expect(trained.status, trained.stderr).toBe(0);
  const ofHorizon = (...more: string[]) => {
    const { stdout, stderr } = quickstep("evaluate", "later.safetensors", "rows.csv", "--json", ...read, ...more);
    return { ...JSON.parse(stdout), said: stderr.split("\n")[0] };
  };
  const [untold, two, none] = [ofHorizon(), ofHorizon("--horizon", "2"), ofHorizon("--horizon", "0")];
  expect(untold).toEqual(two);
  expect(untold.examples).toBe(396);
  expect(untold.said).toContain("a window's label 2 rows behind its last (--horizon)");
  expect(none.examples).toBe(398);
  expect(none.said).not.toContain("horizon");
});

test("rows are read for evaluate with the time format and the longest gap of training, and in its order", { timeout: 60_000 }, () => {
  const random = createRandom(8);
  const rows = Array.from({ length: 300 }, (_, r) => {
    const [day, hour] = [String(1 + Math.floor(r / 24)).padStart(2, "0"), String(r % 24).padStart(2, "0")];
    return `p,${day}/02/2024 ${hour}:00,${random.normal().toFixed(3)},${random.normal() > 0 ? "up" : "down"}`;
  });
  writeFileSync(at("dated.csv"), `pump,at,a,answer\n${rows.filter((_, r) => r % 50 > 2).join("\n")}\n`);
  const read = ["--key", "pump", "--time", "at", "--label", "answer"];
  const further = ["--time-format", "%d/%m/%Y %H:%M", "--max-gap", "2h"];
  const trained = quickstep("train", "dated.csv", "--out", "dated.safetensors", ...read, "--window", "3", ...further, ...TRAIN);
  expect(trained.status, trained.stderr).toBe(0);
  const evaluate = (...options: string[]) => quickstep("evaluate", "dated.safetensors", "dated.csv", "--json", ...options);
  const untold = evaluate("--key", "pump", "--time", "at");
  expect(untold.status, untold.stderr).toBe(0);
  expect(JSON.parse(untold.stdout)).toEqual(JSON.parse(evaluate(...read, ...further).stdout));
  expect(JSON.parse(untold.stdout).examples).toBe(282 - 6 * 2); // six runs
  expect(evaluate().stderr).toContain("so say as in training --key pump --time at\n");
  const unordered = evaluate("--key", "pump");
  expect(unordered.status).toBe(2);
  expect(unordered.stderr).toContain('has the column "at", in whose order training read rows: say --time at, or --id at to leave it out');
  expect(evaluate("--key", "pump", "--id", "at").status).toBe(0);
  expect(evaluate("--window", "3", "--time", "at").stderr).toContain(
    'has the column "pump", which named the series of training: say --key pump',
  );
});

test("a wide table is read with the names of training's columns, and the column that ordered it is left out", () => {
  const random = createRandom(9);
  const days = Array.from({ length: 120 }, (_, n) => `${1 + (n % 28)}.${1 + Math.floor(n / 28)}.2024`);
  const lines = days.map(
    (day) => `${Array.from({ length: 6 }, () => random.normal().toFixed(3)).join()},${day},${random.normal() > 0 ? 1 : 0}`,
  );
  writeFileSync(at("odd.csv"), `a/0/v,a/1/v,a/2/v,b/0/v,b/1/v,b/2/v,day,answer\n${lines.join("\n")}\n`);
  const read = ["--columns", "{feature}/{step}/v", "--time", "day", "--time-format", "%d.%m.%Y", "--label", "answer"];
  const trained = quickstep("train", "odd.csv", "--out", "odd.safetensors", ...read, ...TRAIN);
  expect(trained.status, trained.stderr).toBe(0);
  const { status, stderr } = quickstep("evaluate", "odd.safetensors", "odd.csv");
  expect(status, stderr).toBe(0);
  expect(stderr).toContain("3 steps × 2 features (a, b), label answer");
  expect(stderr).toContain('"day" left out (no feature in training; --id day writes it beside the scores)');
});
