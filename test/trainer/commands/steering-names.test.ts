// Names in files and artifacts come from anybody: none of them begins a line of its own on a terminal, in any command.
import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parquetWriteBuffer } from "hyparquet-writer";
import { afterAll, beforeAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { describeRead } from "../../../trainer/readers/describe.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-steering-"));
const at = (name: string): string => join(folder, name);
const NAME = "open\nFORGED\u2028FORGED\r\n\u001b[2JFORGED";
const PLAIN = "open FORGED FORGED [2JFORGED";
const N = 120;

/** No line of what is said begins with the name's second line. */
function expectPlain(text: string): void {
  expect(text.split(/[\n\r\u2028]/).filter((line) => line.startsWith("FORGED") || line.includes("\u001b"))).toEqual([]);
}

const value = (n: number, c: number): number => ((n * 37 + c * 11) % 101) + 1;

beforeAll(async () => {
  const wide = ['"NAME_0"', "b_0", '"NAME_1"', "b_1", "y"].join(",").replaceAll("NAME", NAME);
  const lines = Array.from({ length: N }, (_, n) =>
    [0, 1, 2, 3]
      .map((c) => value(n, c))
      .concat(n % 2)
      .join(","),
  );
  writeFileSync(at("wide.csv"), `${wide}\n${lines.join("\n")}\n`);
  writeFileSync(at("other.csv"), `${wide.replaceAll("b_", "c_")}\n${lines.join("\n")}\n`);
  writeFileSync(at("left.csv"), `${wide.replace("y", `"${NAME}"`)}\n${lines.join("\n")}\n`);
  const rows = Array.from({ length: N }, (_, n) => [value(n, 0), value(n, 1), n % 2].join(","));
  writeFileSync(at("rows.csv"), `"${NAME}",b,y\n${rows.join("\n")}\n`);
  const records = Array.from({ length: N }, (_, n) => JSON.stringify({ [NAME]: value(n, 0), b: value(n, 1), y: n % 2 }));
  writeFileSync(at("rows.jsonl"), records.join("\n"));
  const X = { data: Float64Array.from({ length: N * 4 }, (_, i) => value(i >> 2, i & 3)), shape: [N, 2, 2] };
  const y = { data: Uint8Array.from({ length: N }, (_, n) => n % 2), shape: [N] };
  writeFileSync(at("named.npz"), await encodeNpz({ X, y, features: { data: [NAME, "b"], shape: [2] } }));
  const columnData = [`${NAME}_0`, "b_0", `${NAME}_1`, "b_1"].map((name, c) => ({
    name,
    data: Array.from({ length: N }, (_, n) => value(n, c)),
    type: "DOUBLE" as const,
  }));
  writeFileSync(at("wide.parquet"), new Uint8Array(parquetWriteBuffer({ columnData })));
  writeFileSync(at("hostile.safetensors"), encodeArtifact(makeModel(kernel, { name: NAME, features: [NAME, "b", "c", "d", "e"] })));
});
afterAll(() => rmSync(folder, { recursive: true }));

test.each([
  ["wide.csv", {}],
  ["rows.csv", { window: 3 }],
  ["rows.jsonl", { window: 3 }],
  ["named.npz", {}],
  ["wide.parquet", {}],
])("%s: the name is one line", async (name, options) => {
  const { features, facts } = await readDataset([at(name)], options);
  expect(features).toEqual([PLAIN, "b"]);
  expectPlain(describeRead(facts));
  await expect(readDataset([at(name)], { ...options, target: { timesteps: 2, features: ["b", PLAIN] } })).resolves.toMatchObject({
    features: ["b", PLAIN],
  });
});

test("two names that are the same on one line are refused", async () => {
  writeFileSync(at("twice.csv"), '"a\n_0","a _0","y"\n1,2,0\n');
  await expect(readDataset([at("twice.csv")], {})).rejects.toThrow(/two columns/);
});

const SMALL = ["--recipe", "raw", "--units", "2", "--epochs", "1", "--out", at("made.safetensors"), "--force"];

test.each<[string[], number]>([
  [["inspect", at("wide.csv")], 0],
  [["inspect", at("left.csv")], 2],
  [["inspect", at("hostile.safetensors")], 0],
  [["train", at("wide.csv"), ...SMALL], 0],
  [["score", at("made.safetensors"), at("wide.csv")], 0],
  [["evaluate", at("made.safetensors"), at("wide.parquet")], 2],
  [["evaluate", at("made.safetensors"), at("other.csv")], 2],
  [["score", at("hostile.safetensors"), at("other.csv")], 2],
  [["calibrate", at("made.safetensors"), at("wide.csv"), "--out", at("again.safetensors")], 0],
  [["diagnose", at("wide.csv"), "--tried", "epochs=1,units=2"], 0],
])("%j", (argv, status) => {
  const result = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  expect(result.status, result.stderr).toBe(status);
  expectPlain(result.stderr);
  expectPlain(result.stdout);
});
