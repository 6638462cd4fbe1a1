// Networks trained elsewhere on a recipe's channels: what export --channels writes, the script of tfjs that trains on it, and the artifact that
// import --recipe makes of the network.

import { execFile } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import * as tf from "@tensorflow/tfjs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { instantiateKernel } from "../../../shared/engine.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { encodeNpz, openNpz } from "../../../trainer/readers/npz.ts";
import { scoreBytes } from "../../fixtures/import/importing.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../../fixtures/model.ts";

const root = fileURLToPath(new URL("../../../", import.meta.url));
const run = promisify(execFile);
const quickstep = (...argv: string[]) => run(process.execPath, [join(root, "trainer/main.ts"), ...argv], { cwd: folder });

/** Below the repository, so that the script finds tfjs. */
mkdirSync(join(root, "out"), { recursive: true });
const folder = mkdtempSync(join(root, "out", "channels-"));
afterAll(() => rmSync(folder, { recursive: true }));

const model = makeModel(kernel, { padding: "leading" });
const { timesteps: T, features, channels } = model.recipe;
const [N, C] = [300, channels.length];
const values = makeSequences(N, T, features.length, 21, 1);

beforeAll(async () => {
  writeFileSync(join(folder, "from.safetensors"), encodeArtifact(model));
  const labels = Uint8Array.from({ length: N }, (_, n) =>
    Number(values[((n + 1) * T - 1) * features.length] > values[((n + 1) * T - 1) * features.length + 1]),
  );
  writeFileSync(
    join(folder, "data.npz"),
    await encodeNpz({ X: { shape: [N, T, features.length], data: values }, y: { shape: [N], data: labels } }),
  );
  await quickstep("export", "from.safetensors", "--channels", "channels", "--data", "data.npz");
}, 60_000);

test("export --channels writes the channels that the recipe makes, left-aligned, with labels, lengths and parts", async () => {
  const npz = await openNpz(readFileSync(join(folder, "channels/channels.npz")), "channels.npz");
  const [X, lengths, parts] = [await npz.read("X"), await npz.read("lengths"), await npz.read("parts")];
  const expected = applyRecipe(model.recipe, values, instantiateKernel(kernel).log);
  expect(X.shape).toEqual([N, T, C]);
  expect([...(X.data as Float64Array)]).toEqual([...expected.channels]);
  expect([...(lengths.data as Float64Array)]).toEqual([...expected.lengths]);
  const counts = [0, 1, 2, 3].map((part) => [...(parts.data as Float64Array)].filter((one) => one === part).length);
  expect(counts[0]).toBeGreaterThan(counts[1]);
  expect(counts[3]).toBeGreaterThan(0);
});

describe("what the script of tfjs trains", () => {
  beforeAll(async () => {
    await run(process.execPath, ["train_tfjs.mjs", "1"], { cwd: join(folder, "channels") });
    await quickstep("import", "channels/network-tfjs", "--recipe", "from.safetensors", "--out", "network.safetensors");
  }, 120_000);

  test("becomes an artifact that scores raw sequences as tfjs scores their channels", async () => {
    const json = JSON.parse(readFileSync(join(folder, "channels/network-tfjs/model.json"), "utf8"));
    const weightData = new Uint8Array(readFileSync(join(folder, "channels/network-tfjs/weights.bin"))).buffer;
    const network = await tf.loadLayersModel(
      tf.io.fromMemory({ modelTopology: json.modelTopology, weightSpecs: json.weightsManifest[0].weights, weightData }),
    );
    const { channels: X, lengths } = applyRecipe(model.recipe, values, instantiateKernel(kernel).log);
    const masked = X.map((x, at) => (Math.floor(at / C) % T < lengths[Math.floor(at / (T * C))] ? x : -99));
    const expected = (network.predict(tf.tensor3d(masked, [N, T, C])) as tf.Tensor).dataSync();
    const bytes = readFileSync(join(folder, "network.safetensors"));
    const scores = scoreBytes(bytes, values);
    for (let n = 0; n < N; n++) expect(Math.abs(scores[n] - expected[n]), `sequence ${n}`).toBeLessThanOrEqual(1e-5);
    expect(new Set(lengths).size).toBeGreaterThan(3);
    expect(decodeArtifact(bytes).recipe).toEqual(model.recipe);
  });

  test("calibrates and serves like any artifact", async () => {
    const { stderr } = await quickstep("calibrate", "network.safetensors", "data.npz", "--out", "calibrated.safetensors");
    expect(stderr).toContain("wrote calibrated.safetensors");
  });

  test("and is refused without the recipe's number of channels, or where padding is read as data", async () => {
    writeFileSync(join(folder, "other.safetensors"), encodeArtifact(makeModel(kernel, { channels: channels.slice(1) })));
    const refused = (...argv: string[]): Promise<string> =>
      quickstep(...argv).then(
        () => "imported",
        (error: { stderr: string }) => error.stderr,
      );
    expect(await refused("import", "channels/network-tfjs", "--recipe", "other.safetensors", "--out", "x.safetensors")).toMatch(
      new RegExp(`takes ${C} numbers a step, but the recipe of other.safetensors makes ${C - 1} channels`),
    );
    const path = join(folder, "channels/network-tfjs/model.json");
    const unmasked = readFileSync(path, "utf8").replace(/\{"class_name":"Masking".*?\}\},/, "");
    const input = unmasked.replace('"class_name":"LSTM","config":{', `"class_name":"LSTM","config":{"batch_input_shape":[null,${T},${C}],`);
    writeFileSync(path, input);
    expect(await refused("import", "channels/network-tfjs", "--recipe", "from.safetensors", "--out", "x.safetensors")).toContain(
      "reads all rows of a sequence, padding among them, which the recipe passes over",
    );
  }, 60_000);
});

test("--channels asks for data, and writes into no folder that holds something else", async () => {
  const refused = (...argv: string[]): Promise<string> =>
    quickstep(...argv).then(
      () => "written",
      (error: { stderr: string }) => error.stderr,
    );
  expect(await refused("export", "from.safetensors", "--channels", "more")).toContain("--channels needs --data FILE");
  expect(await refused("export", "from.safetensors", "--channels", ".", "--data", "data.npz")).toMatch(
    /holds .*: name a folder that is new/,
  );
  expect(await refused("export", "from.safetensors", "--channels", "more", "--worker", "w")).toContain("export needs --onnx FILE");
}, 60_000);
