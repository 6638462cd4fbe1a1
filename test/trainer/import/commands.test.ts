// import, calibrate and export --safetensors-torch as a shell sees them: exit codes, words, files.
import { spawnSync } from "node:child_process";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const GOOD = fileURLToPath(new URL("../../fixtures/import/good/", import.meta.url));
const BAD = fileURLToPath(new URL("../../fixtures/import/bad/", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "quickstep-import-"));
const at = (name: string): string => join(folder, name);

function quickstep(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { cwd: folder, encoding: "utf8" });
  return { status, stdout, stderr };
}

beforeAll(async () => {
  const { values, labels } = generateFx(1500, 3);
  writeFileSync(at("data.npz"), await encodeNpz({ X: { data: values, shape: [1500, 10, 5] }, y: { data: labels, shape: [1500] } }));
  writeFileSync(at("scaler.json"), JSON.stringify({ mean_: [1.25, 1, 3, 1, 1], scale_: [0.01, 0.01, 1, 0.5, 0.5] }));
  const scale = Float64Array.of(1, 1, 1, 1, 1);
  writeFileSync(at("scaler.npz"), await encodeNpz({ mean_: { data: scale, shape: [5] }, scale_: { data: scale, shape: [5] } }));
});
afterAll(() => rmSync(folder, { recursive: true }));

test("a Keras file becomes an artifact that scores, calibrates, exports and comes back", () => {
  const imported = quickstep(
    "import",
    join(GOOD, "masked-batchnorm.h5"),
    "--out",
    at("m.safetensors"),
    "--features",
    "a,b,c,d,e",
    "--scaler",
    at("scaler.json"),
    "--json",
  );
  expect(imported.status, imported.stderr).toBe(0);
  expect(imported.stderr).toContain("Masking(0) → BatchNormalization → LSTM(7) → Dense(1, sigmoid) on 5 features; Dropout ignored");
  expect(imported.stderr).toMatch(/parity: on 64 random sequences .* differ by at most \d\.\de-\d/);
  expect(JSON.parse(imported.stdout)).toMatchObject({ units: 7, padding: "any", timesteps: 10, features: ["a", "b", "c", "d", "e"] });
  expect(quickstep("inspect", at("m.safetensors")).stdout).toContain("imported   from masked-batchnorm.h5");
  expect(quickstep("score", at("m.safetensors"), at("data.npz"), "--out", at("q.npy")).status).toBe(0);

  const calibrated = quickstep("calibrate", at("m.safetensors"), at("data.npz"), "--out", at("c.safetensors"), "--json");
  expect(calibrated.status, calibrated.stderr).toBe(0);
  const document = JSON.parse(calibrated.stdout);
  expect(document.examples.calibration + document.examples.validation + document.examples.test).toBeLessThanOrEqual(1500);
  expect(document.test.logLoss).toBeGreaterThan(0);
  expect(quickstep("inspect", at("c.safetensors")).stdout).toContain("calibrated on data");

  expect(quickstep("export", at("c.safetensors"), "--safetensors-torch", at("t.safetensors"), "--onnx", at("t.onnx")).status).toBe(0);
  for (const name of ["t.safetensors", "t.onnx"]) {
    expect(quickstep("import", at(name), "--out", at("back.safetensors")).status).toBe(0);
    expect(quickstep("score", at("back.safetensors"), at("data.npz")).stdout).toBe(
      quickstep("score", at("c.safetensors"), at("data.npz")).stdout,
    );
  }
}, 60_000);

/** What a state dict does not hold. */
const FORWARD = ["--torch", "lstm last linear", "--padding", "none"];

test("outputs of the model itself prove an import, and say how many steps it takes; another model's are refused, and nothing is written", async () => {
  const model = join(GOOD, "torch.safetensors");
  const X = new Float64Array(4 * 10 * 5).map((_, at) => (Math.floor(at / 50) - 1.5) * (1 + Math.sin(at)));
  expect(quickstep("import", model, "--out", at("known.safetensors"), ...FORWARD).status).toBe(0);
  writeFileSync(at("x.npz"), await encodeNpz({ X: { data: X, shape: [4, 10, 5] } }));
  const p = Float64Array.from(quickstep("score", at("known.safetensors"), at("x.npz")).stdout.trim().split("\n").slice(1), (line) =>
    Number(line.split(",")[0]),
  );
  expect(p.length).toBe(4);
  const pairs = async (name: string, said: Float64Array): Promise<string> => {
    writeFileSync(at(name), await encodeNpz({ X: { data: X, shape: [4, 10, 5] }, p: { data: said, shape: [4] } }));
    return at(name);
  };
  const proved = quickstep("import", model, "--out", at("proved.safetensors"), "--check", await pairs("pairs.npz", p), "--padding", "none");
  expect(proved.status, proved.stderr).toBe(0);
  expect(proved.stderr).toMatch(/check: on 4 pairs of .*pairs\.npz the model and the artifact differ by at most \d/);
  const refused = quickstep(
    "import",
    model,
    "--out",
    at("other.safetensors"),
    "--check",
    await pairs(
      "others.npz",
      p.map((value) => 1 - value),
    ),
    "--padding",
    "none",
  );
  expect([refused.status, existsSync(at("other.safetensors"))]).toEqual([2, false]);
  expect(refused.stderr).toContain("the model computes something else than was read, and nothing is written");
});

test("the name of a file does not matter, its bytes do; a scaler may be an .npz", () => {
  copyFileSync(join(GOOD, "torch.safetensors"), at("weights.bin"));
  expect(
    quickstep("import", at("weights.bin"), "--out", at("w.safetensors"), "--scaler", at("scaler.npz"), "--timesteps", "7", ...FORWARD)
      .status,
  ).toBe(0);
});

describe("bad input: one sentence, exit 2, nothing written", () => {
  const model = join(GOOD, "torch.safetensors");
  const scaler = (content: unknown): string => {
    writeFileSync(at("bad.json"), typeof content === "string" ? content : JSON.stringify(content));
    return at("bad.json");
  };
  test.each<[string, () => string[], RegExp]>([
    ["no --out", () => ["import", model], /import needs --out FILE/],
    [
      "a state dict of which the forward pass is not said",
      () => ["import", model, "--out", at("n.safetensors"), "--padding", "none"],
      /is a state dict, which does not hold the forward pass: say --torch "lstm last linear"/,
    ],
    [
      "a state dict of which the padding is not said",
      () => ["import", model, "--out", at("n.safetensors"), "--torch", "lstm last linear"],
      /does not say what all-zero rows are: say --padding/,
    ],
    [
      "no such file",
      () => ["import", at("nothing.h5"), "--out", at("n.safetensors")],
      /nothing\.h5: cannot be read: there is no such file/,
    ],
    [
      "a pickle",
      () => ["import", join(BAD, "model.pt"), "--out", at("n.safetensors")],
      /model\.pt: is a PyTorch file with a pickle in it; quickstep never reads a pickle, since a pickle can run code/,
    ],
    [
      "an artifact",
      () => ["import", fileURLToPath(new URL("../../../edge/model.safetensors", import.meta.url)), "--out", at("n.safetensors")],
      /is already an artifact of quickstep/,
    ],
    [
      "too few names",
      () => ["import", model, "--out", at("n.safetensors"), "--features", "a,b", ...FORWARD],
      /takes 5 features, but --features names 2 \(a, b\)/,
    ],
    [
      "a name twice",
      () => ["import", model, "--out", at("n.safetensors"), "--features", "a,a"],
      /--features must be up to 64 different names separated by commas/,
    ],
    [
      "steps that the file denies",
      () => ["import", join(GOOD, "keras1.h5"), "--out", at("n.safetensors"), "--timesteps", "12"],
      /takes 10 steps, but --timesteps says 12/,
    ],
    [
      "a scaler for other features",
      () => ["import", model, "--out", at("n.safetensors"), "--scaler", scaler({ mean_: [0], scale_: [1] }), ...FORWARD],
      /takes 5 features, but the scaler has 1/,
    ],
    [
      "a scale of 0",
      () => [
        "import",
        model,
        "--out",
        at("n.safetensors"),
        "--scaler",
        scaler({ mean_: [0, 0, 0, 0, 0], scale_: [1, 1, 0, 1, 1] }),
        ...FORWARD,
      ],
      /bad\.json: scale_\[2\] is 0, expected a number above 0/,
    ],
    [
      "a scaler without scales",
      () => ["import", model, "--out", at("n.safetensors"), "--scaler", scaler({ mean_: [0] }), ...FORWARD],
      /bad\.json: has no scale_/,
    ],
    [
      "a scaler that is a pickle",
      () => ["import", model, "--out", at("n.safetensors"), "--scaler", scaler("\u0080\u0004cposix"), ...FORWARD],
      /bad\.json: is neither JSON .* a pickle is never read/,
    ],
    [
      "an export of nothing",
      () => ["export", at("m.safetensors")],
      /export needs --onnx FILE, --safetensors-torch FILE, --tfjs DIR, or --worker DIR or --channels DIR alone/,
    ],
    ["calibrate without labels", () => ["calibrate", at("m.safetensors"), at("q.npy"), "--out", at("n.safetensors")], /q\.npy/],
    ["calibrate without --out", () => ["calibrate", at("m.safetensors"), at("data.npz")], /calibrate needs --out FILE/],
  ])("%s", (_, argv, message) => {
    const words = argv();
    const before = readdirSync(folder).sort();
    const { status, stdout, stderr } = quickstep(...words);
    const complaint = stderr.split("\n").filter((line) => line.startsWith("quickstep: "));
    expect(complaint.join("\n")).toMatch(message);
    expect(complaint.length).toBe(1);
    expect(stderr).not.toMatch(/\n {4}at /);
    expect([status, stdout]).toEqual([2, ""]);
    expect(readdirSync(folder).sort()).toEqual(before);
  });

  test("hard sigmoids have no place in a state dict of PyTorch: the file that stood there stands there still", () => {
    expect(quickstep("import", join(GOOD, "keras1.h5"), "--out", at("k.safetensors")).status).toBe(0);
    writeFileSync(at("old.safetensors"), "old");
    const { status, stderr } = quickstep(
      "export",
      at("k.safetensors"),
      "--safetensors-torch",
      at("old.safetensors"),
      "--onnx",
      at("new.onnx"),
    );
    expect([status, stderr]).toEqual([
      2,
      expect.stringContaining("has hard sigmoids: a state dict of PyTorch cannot hold hard sigmoids; export with --onnx"),
    ]);
    expect(readFileSync(at("old.safetensors"), "utf8")).toBe("old");
    expect(existsSync(at("new.onnx"))).toBe(false);
  });
});
