// What is checked before anything is read or computed: where the output goes, and whether a file would be overwritten unasked.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-outputs-"));
const at = (name: string): string => join(folder, name);

function quickstep(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

const N = 120;

beforeAll(async () => {
  const { values, labels } = generateFx(N, 3);
  writeFileSync(at("fx.npz"), await encodeNpz({ X: { data: values, shape: [N, 10, 5] }, y: { data: labels, shape: [N] } }));
  writeFileSync(at("file"), "");
});
afterAll(() => rmSync(folder, { recursive: true }));

/** The data are missing in all of these: whoever reads them first says another thing. */
describe("before anything is read", () => {
  test.each<[argv: string[], message: RegExp]>([
    [["train", "none.npz", "--out", "m.bin"], /^quickstep: --out must end in \.safetensors, got m\.bin\nsee .* train --help\n$/],
    [
      ["train", "none.npz", "--out", "file/m.safetensors"],
      /^quickstep: file\/m\.safetensors: cannot be written: a part of its path is a file, not a folder\n$/,
    ],
    [["train", "none.npz", "--report", "m.pdf"], /^quickstep: --report must end in \.html or \.htm, got m\.pdf\n/],
    [["train", "none.npz", "--report", "file/x/m.html"], /^quickstep: file\/x\/m\.html: cannot be written: a part of its path is a file/],
    [["diagnose", "none.npz", "--report", "m.txt"], /^quickstep: --report must end in \.html or \.htm, got m\.txt\n/],
    [
      ["score", "none.safetensors", "none.npz", "--out", "q.txt"],
      /^quickstep: --out must end in \.csv, \.jsonl, \.parquet or \.npy, got q\.txt\n/,
    ],
    [["score", "none.safetensors", "none.npz", "--out", "file/q.csv"], /^quickstep: file\/q\.csv: cannot be written: a part of its path/],
    [["calibrate", "none.safetensors", "none.npz", "--out", "c.onnx"], /^quickstep: --out must end in \.safetensors, got c\.onnx\n/],
    [["import", "none.keras", "--out", "file/c.safetensors"], /^quickstep: file\/c\.safetensors: cannot be written/],
    [["export", "none.safetensors", "--onnx", "m.pb"], /^quickstep: --onnx must end in \.onnx, got m\.pb\n/],
    [
      ["export", "none.safetensors", "--safetensors-torch", "m.pt"],
      /^quickstep: --safetensors-torch must end in \.safetensors, got m\.pt\n/,
    ],
    [
      ["export", "none.safetensors", "--worker", "file"],
      /^quickstep: file\/wrangler\.toml: cannot be written: a part of its path is a file/,
    ],
    [["sample", "fx", "--out", "file"], /^quickstep: file\/fx\.npz: cannot be written: a part of its path is a file/],
  ])("%j is refused, and nothing is made", (argv, message) => {
    const before = readdirSync(folder).sort();
    const { status, stdout, stderr } = quickstep(...argv);
    expect(stderr).toMatch(message);
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(folder).sort()).toEqual(before);
  });
});

test("a default --out overwrites only with --force, an --out that is named overwrites, and the summary names the path", () => {
  const train = (...more: string[]) => quickstep("train", "fx.npz", "--recipe", "raw", "--units", "2", "--epochs", "1", ...more);
  const first = train();
  expect(first.stderr).toMatch(/\nwrote fx\.safetensors \(fx@[0-9a-f]{12}, \d+ bytes\) in \d+ s\n$/);
  expect(first.status).toBe(0);
  const bytes = readFileSync(at("fx.safetensors"));
  expect(train("--seed", "2")).toEqual({
    status: 2,
    stdout: "",
    stderr: "quickstep: fx.safetensors: exists already: choose another place with --out, or overwrite the file with --force\n",
  });
  expect(readFileSync(at("fx.safetensors")).equals(bytes)).toBe(true);
  expect(train("--seed", "2", "--force").status).toBe(0);
  expect(readFileSync(at("fx.safetensors")).equals(bytes)).toBe(false);
  expect(train("--out", "fx.safetensors").status).toBe(0);
  expect(readFileSync(at("fx.safetensors")).equals(bytes)).toBe(true);
});

test("sample overwrites what stands in its default folder only with --force", () => {
  const sample = (...more: string[]) => quickstep("sample", "fx", "--n", "100", ...more);
  expect(sample().stderr).toMatch(/^wrote out\/fx\.npz: 100 sequences, \d+\.\d % positive/);
  const bytes = readFileSync(at("out/fx.npz"));
  expect(sample("--seed", "2")).toMatchObject({ status: 2, stderr: expect.stringContaining("out/fx.npz: exists already") });
  expect(readFileSync(at("out/fx.npz")).equals(bytes)).toBe(true);
  expect(sample("--seed", "2", "--force").status).toBe(0);
  expect(sample("--out", "out").status).toBe(0);
  expect(readFileSync(at("out/fx.npz")).equals(bytes)).toBe(true);
});

describe("the first line says what was read", () => {
  const first = (...argv: string[]): string => quickstep(...argv).stderr.split("\n")[0];
  const line = /^read fx\.npz: 120 sequences, 10 steps × 5 features \(f0 … f4\), float64, label y, \d+\.\d % positive/;

  test.each([
    ["train", ["train", "fx.npz", "--recipe", "raw", "--units", "2", "--epochs", "1", "--out", "read.safetensors"]],
    ["diagnose", ["diagnose", "fx.npz"]],
    ["evaluate", ["evaluate", "fx.safetensors", "fx.npz"]],
    ["calibrate", ["calibrate", "fx.safetensors", "fx.npz", "--out", "read.safetensors"]],
  ])("%s", (_, argv) => {
    expect(first(...argv)).toMatch(line);
  });

  test("score, which looks at no labels", () => {
    expect(first("score", "fx.safetensors", "fx.npz")).toBe(
      "read fx.npz: 120 sequences, 10 steps × 5 features (f0 … f4), float64, array y left out, columns by position",
    );
  });

  test("of more sequences than are read at once, their number comes in the end", () => {
    const lines = Array.from({ length: 20_000 }, () => JSON.stringify([[1, 2, 3, 4, 5]]));
    writeFileSync(at("many.jsonl"), lines.join("\n"));
    const { stderr } = quickstep("score", "fx.safetensors", "many.jsonl", "--out", "q.npy");
    expect(stderr).toMatch(/^reading many\.jsonl: 1 step × 5 features \(f0 … f4\), columns by position\n/);
    expect(stderr).toMatch(/\nwrote q\.npy: 20,000 sequences scored by fx@[0-9a-f]{12}\n/);
  });
});

describe("results go to stdout", () => {
  test("evaluate's metrics, which leave it to the document of --json", () => {
    const plain = quickstep("evaluate", "fx.safetensors", "fx.npz");
    expect(plain.stdout).toMatch(/^fx@[0-9a-f]{12} on fx\.npz: 120 sequences, .*\n(.*\n)*always answering the base rate: log loss \d/);
    expect(plain.stderr).not.toContain("log loss");
    const { stdout, stderr } = quickstep("evaluate", "fx.safetensors", "fx.npz", "--json");
    expect(JSON.parse(stdout)).toMatchObject({ examples: 120 });
    expect(stderr).toContain(plain.stdout);
  });

  test("what diagnose finds", () => {
    const { stdout, stderr } = quickstep("diagnose", "fx.npz");
    expect(stdout).toContain("base rate");
    expect(stderr).not.toContain("base rate");
  });
});
