// quickstep drift: new sequences held against an artifact's reference, from the file to the page.
import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { root } from "../../docs/markdown.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { drawSequences, makeWatchedModel } from "../../studies/drift/streams.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-drift-"));
const artifact = join(folder, "watched.safetensors");

function drift(...words: string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [join(root, "trainer/main.ts"), "drift", ...words], { encoding: "utf8" });
  return { status, stdout, stderr };
}

function write(name: string, values: Float64Array): string {
  const path = join(folder, name);
  writeFileSync(path, encodeNpy(values, [values.length / 15, 5, 3]));
  return path;
}

beforeAll(() => {
  const model = makeWatchedModel(kernel, 2000, 950_000);
  writeFileSync(artifact, encodeArtifact(model));
});

test("tells a shift from none, and names what shifted", { timeout: 60_000 }, () => {
  const values = drawSequences(1500, createRandom(950_001));
  const quiet = JSON.parse(drift(artifact, write("quiet.npy", values), "--json").stdout);
  expect(quiet).toMatchObject({ basis: "sequences", alarm: false, sequences: 1500, given: 1500 });
  const shifted = values.map((x, i) => (i % 3 === 1 ? x + 1 : x));
  const { status, stdout } = drift(artifact, write("shifted.npy", shifted), "--report", join(folder, "drift.html"));
  expect(status).toBe(0);
  expect(stdout).toContain("the alarm came after");
  expect(stdout).toContain("Most of the evidence is in b.");
  const page = readFileSync(join(folder, "drift.html"), "utf8");
  expect(page).toContain("Evidence of drift over 1500 sequences");
  expect(page.match(/Shares of /g)?.length).toBe(8); // six channels, length and score; the model has no gaps
  expect(page).toMatch(/it reached the alarm, 1,000, after \d+ sequences: that stands/);
  expect(page).toContain("Bars are the new sequences, grey lines the reference.");
  expect(page).not.toMatch(/NaN|undefined|<script/);
});

test("of sequences that share rows, takes those that share none", { timeout: 60_000 }, () => {
  const series = drawSequences(200, createRandom(950_002));
  const windows = Float64Array.from({ length: 900 * 15 }, (_, i) => series[Math.floor(i / 15) * 3 + (i % 15)]);
  expect(JSON.parse(drift(artifact, write("windows.npy", windows), "--json").stdout)).toMatchObject({ given: 900, sequences: 180 });
});

test("of an artifact of format 1 compares shares, and says that its reference allows no test", { timeout: 60_000 }, () => {
  const old = join(root, "test/fixtures/format-1/plain.safetensors");
  const path = join(folder, "old.npy");
  writeFileSync(
    path,
    encodeNpy(
      Float64Array.from({ length: 200 * 50 }, (_, i) => ((i * 7919) % 1000) / 500 + 0.1),
      [200, 10, 5],
    ),
  );
  const { stdout } = drift(old, path);
  expect(stdout).toContain("The model is of format 1: its reference allows no test.");
});
