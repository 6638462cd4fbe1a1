// The commands as a shell sees them: exit codes, what is on stdout and stderr, what is on disk afterwards.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { encodeArtifact } from "../../shared/artifact.ts";
import { readNpy } from "../../shared/npy.ts";
import { encodeNpz } from "../../trainer/readers/npz.ts";
import { generateFx } from "../../trainer/sample/fx.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel } from "../fixtures/model.ts";

const MAIN = fileURLToPath(new URL("../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-cli-"));
const at = (name: string): string => join(folder, name);

function quickstep(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

const N = 400;
const T = 10;
const F = 5;

async function writeData(name: string, edit: (X: Float64Array, y: Uint8Array) => void = () => {}, count = N): Promise<string> {
  const { values, labels } = generateFx(count, 3);
  edit(values, labels);
  writeFileSync(at(name), await encodeNpz({ X: { data: values, shape: [count, T, F] }, y: { data: labels, shape: [count] } }));
  return at(name);
}

beforeAll(async () => {
  await writeData("good.npz");
  writeFileSync(at("model.safetensors"), encodeArtifact(makeModel(kernel)));
});
afterAll(() => rmSync(folder, { recursive: true }));

describe("diagnose", () => {
  it("says what is wrong with bad numbers and labels instead of refusing them, and writes a page", async () => {
    await writeData("gaps.npz", (X) => X.fill(Number.NaN, 60, 62));
    const { status, stdout, stderr } = quickstep("diagnose", at("gaps.npz"), "--report", at("gaps.html"), "--json");
    expect([status, stderr.split(":")[0]]).toEqual([0, "non-finite"]);
    const document = JSON.parse(stdout);
    expect(document.verdict).toEqual({ code: "non-finite", text: expect.stringContaining("X[1][2][0] (NaN)") });
    expect(Object.keys(document.causes[0])).toEqual(expect.arrayContaining(["code", "evidence", "remedy", "certainty"]));
    expect(readFileSync(at("gaps.html"), "utf8")).toContain("X[1][2][0] (NaN)");

    writeFileSync(at("strange.csv"), `a_0,b_0,label\n${"1,nan,2\n3,4,0\n".repeat(60)}`);
    const strange = JSON.parse(quickstep("diagnose", at("strange.csv"), "--json").stdout);
    expect(strange.causes.map(({ code }: { code: string }) => code)).toEqual(["non-finite", "labels-invalid"]);
  }, 60_000);

  it.each([
    [["--tried", "sgd"], "sgd"],
    [["--tried", "lr=fast"], "lr"],
    [["--nonsense"], "--nonsense"],
  ])("refuses %s with exit code 2 and the word", (words, name) => {
    const { status, stdout, stderr } = quickstep("diagnose", at("good.npz"), "--report", at("never.html"), ...words);
    expect([status, stdout]).toEqual([2, ""]);
    expect(stderr).toContain(name);
    expect(readdirSync(folder)).not.toContain("never.html");
  });
});

describe("train", () => {
  it("writes an artifact, the same bytes twice and for any number of threads, and one JSON document", async () => {
    const run = (out: string, threads: string) =>
      quickstep("train", at("good.npz"), "--out", at(out), "--units", "6", "--epochs", "3", "--threads", threads, "--json");
    const first = run("a.safetensors", "2");
    expect(first.stderr).toContain("base rate");
    expect(first.status).toBe(0);
    expect(run("b.safetensors", "1").status).toBe(0);
    expect(readFileSync(at("a.safetensors")).equals(readFileSync(at("b.safetensors")))).toBe(true);
    const document = JSON.parse(first.stdout);
    expect(Object.keys(document)).toEqual(
      expect.arrayContaining([
        "artifact",
        "model",
        "examples",
        "positiveRate",
        "test",
        "epochs",
        "examplesPerSecond",
        "seconds",
        "verdict",
      ]),
    );
    expect(Object.keys(document.test)).toEqual(
      expect.arrayContaining(["logLoss", "baseRateLogLoss", "accuracy", "majorityAccuracy", "auc", "prAuc", "brier", "ece"]),
    );
    const { train, validation, calibration, test } = document.examples;
    expect(train + validation + calibration + test).toBe(N);
  });

  it("takes another seed as another model", () => {
    quickstep("train", at("good.npz"), "--out", at("s1.safetensors"), "--units", "4", "--epochs", "1", "--seed", "1");
    quickstep("train", at("good.npz"), "--out", at("s2.safetensors"), "--units", "4", "--epochs", "1", "--seed", "2");
    expect(readFileSync(at("s1.safetensors")).equals(readFileSync(at("s2.safetensors")))).toBe(false);
  });
});

describe("evaluate, score, inspect, export", () => {
  it("evaluate prints the figures of the design", () => {
    const { status, stdout } = quickstep("evaluate", at("model.safetensors"), at("good.npz"), "--json");
    expect(status).toBe(0);
    const figures = JSON.parse(stdout);
    expect(figures.examples).toBe(N);
    expect(Object.keys(figures)).toEqual(
      expect.arrayContaining(["logLoss", "baseRateLogLoss", "accuracy", "majorityAccuracy", "auc", "prAuc", "brier", "ece"]),
    );
  });

  it("score writes the same probabilities as float64 .npy, as .csv and to stdout", () => {
    for (const out of ["q.npy", "q.csv"])
      expect(quickstep("score", at("model.safetensors"), at("good.npz"), "--out", at(out)).status).toBe(0);
    const { data, shape } = readNpy(readFileSync(at("q.npy")), "q.npy");
    expect(shape).toEqual([N]);
    const [header, ...lines] = readFileSync(at("q.csv"), "utf8").trimEnd().split("\n");
    expect(header).toBe("probability");
    expect(lines.map(Number)).toEqual(Array.from(data as Float64Array));
    expect(quickstep("score", at("model.safetensors"), at("good.npz")).stdout).toBe(readFileSync(at("q.csv"), "utf8"));
  });

  it("inspect shows the recipe, for people and as JSON", () => {
    expect(quickstep("inspect", at("model.safetensors")).stdout).toContain("channels");
    expect(JSON.parse(quickstep("inspect", at("model.safetensors"), "--json").stdout).timesteps).toBe(10);
  });

  it("export writes an ONNX file", () => {
    expect(quickstep("export", at("model.safetensors"), "--onnx", at("m.onnx")).status).toBe(0);
    expect(readFileSync(at("m.onnx")).length).toBeGreaterThan(1000);
  });
});

describe("bad input: one sentence, exit 2, nothing written", () => {
  const cases: [title: string, argv: () => Promise<string[]> | string[], message: RegExp][] = [
    ["no such command", () => ["frain"], /unknown command frain/],
    ["no data", () => ["train"], /<data> is missing/],
    ["an unknown option", () => ["train", at("good.npz"), "--unit", "5"], /unknown option --unit/],
    [
      "a number that is none",
      () => ["train", at("good.npz"), "--units", "many"],
      /--units must be a whole number from 1 to 1024, got many/,
    ],
    ["a choice that is none", () => ["train", at("good.npz"), "--padding", "left"], /--padding must be one of leading, any, none/],
    ["a missing file", () => ["train", at("nothing.npz")], /nothing\.npz: cannot be read: there is no such file/],
    ["a missing artifact", () => ["score", at("nothing.safetensors"), at("good.npz")], /nothing\.safetensors: cannot be read/],
    ["an artifact that is none", () => ["inspect", at("good.npz")], /good\.npz: artifact/],
    ["a format nobody reads", () => ["train", at("model.safetensors")], /extension \.safetensors, expected/],
    [
      "a truncated npz",
      () => {
        writeFileSync(at("cut.npz"), readFileSync(at("good.npz")).subarray(0, 5000));
        return ["train", at("cut.npz")];
      },
      /cut\.npz: /,
    ],
    [
      "NaN, with its place",
      async () => ["train", await writeData("nan.npz", (X) => (X[3 * 50 + 2 * 5 + 4] = Number.NaN))],
      /X\[3\]\[2\]\[4\] is NaN/,
    ],
    [
      "Infinity, with its place",
      async () => ["evaluate", at("model.safetensors"), await writeData("inf.npz", (X) => (X[7] = Infinity))],
      /X\[0\]\[1\]\[2\] is Infinity/,
    ],
    ["a label of 2", async () => ["train", await writeData("two.npz", (_, y) => (y[5] = 2))], /y\[5\] is 2/],
    ["one class only", async () => ["train", await writeData("one.npz", (_, y) => y.fill(1))], /holds only the label 1/],
    ["too few sequences", async () => ["train", await writeData("few.npz", undefined, 99)], /holds 99 sequences, expected at least 100/],
    [
      "a file of nothing but padding",
      async () => ["train", await writeData("zero.npz", (X) => X.fill(0))],
      /zero\.npz: all 400 sequences are nothing but padding/,
    ],
    ["constant features only", async () => ["train", await writeData("flat.npz", (X) => X.fill(1))], /constant/],
    [
      "a sequence without a valid row, to score",
      async () => ["score", at("model.safetensors"), await writeData("gap.npz", (X) => X.fill(0, 50, 100))],
      /\[1\]/,
    ],
    ["labels that do not fit", () => ["evaluate", at("model.safetensors"), at("good.npz"), "--labels", at("q.npy")], /q\.npy/],
    [
      "an output nobody writes",
      () => ["score", at("model.safetensors"), at("good.npz"), "--out", at("q.parquet")],
      /--out must end in \.npy or \.csv/,
    ],
    [
      "a folder in the way of --out",
      () => ["train", at("good.npz"), "--units", "2", "--epochs", "1", "--out", folder],
      /cannot be written/,
    ],
    ["a file where a folder should be", () => ["sample", "sp500", "--out", at("good.npz")], /cannot be written/],
    ["a group nobody knows", () => ["train", at("good.npz"), "--group", "customer"], /customer/],
  ];
  it.each(cases)("%s", async (_, argv, message) => {
    const words = await argv();
    const before = readdirSync(folder).sort();
    const { status, stdout, stderr } = quickstep(...words);
    const complaint = stderr.split("\n").filter((line) => line.startsWith("quickstep: "));
    expect(complaint.join("\n")).toMatch(message);
    expect(complaint.length).toBe(1);
    expect(stderr).not.toMatch(/\n {4}at /); // no stack
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  it("a disk that is full in the middle of a write leaves neither the file nor a temporary one", () => {
    // A limit on the size of files stands in for the disk: the write fails after some bytes, as it does there.
    const command = 'ulimit -f 1; exec "$0" "$@"';
    const argv = [process.execPath, MAIN, "score", at("model.safetensors"), at("good.npz"), "--out", at("full.npy")];
    const before = readdirSync(folder).sort();
    const { status, stderr } = spawnSync("sh", ["-c", command, ...argv], { cwd: folder, encoding: "utf8" });
    expect(stderr).toContain("full.npy: cannot be written");
    expect(status).toBe(2);
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});
