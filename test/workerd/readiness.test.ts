// A Worker whose artifact cannot be trusted says so, and never scores.
import { describe, expect, test } from "vitest";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import type { Model } from "../../shared/model.ts";
import { type App, openApp, postScore } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";

const model = makeModel(kernel);
const artifact = encodeArtifact(model);
const headerEnd = 8 + Number(new DataView(artifact.buffer).getBigUint64(0, true));
const header: Record<string, { data_offsets: [number, number] }> = JSON.parse(new TextDecoder().decode(artifact.subarray(8, headerEnd)));

async function reasonOf(app: App): Promise<string> {
  const ready = await app.request("/health/ready");
  expect(ready.status).toBe(503);
  const { detail }: { detail: string } = await ready.json();
  return detail;
}

async function expectUnready(app: App): Promise<string> {
  const reason = await reasonOf(app);
  const live = await app.request("/health/live");
  expect([live.status, await live.json()]).toEqual([200, { live: true }]);
  const score = await postScore(app, JSON.stringify({ sequence: [[1, 2, 3, 4, 5]] }));
  for (const response of [score, await app.request("/v1/model"), await app.request("/health/ready")]) {
    expect(response.status).toBe(503);
    expect(response.headers.get("content-type")).toBe("application/problem+json");
    expect(response.headers.get("x-quickstep-model")).toMatch(/^[0-9a-f]{64}$/);
    const problem = await response.json();
    expect(problem).toEqual({ type: "urn:quickstep:problem:artifact", title: "No usable model is deployed", status: 503, detail: reason });
  }
  expect((await app.request("/nowhere")).status).toBe(404);
  return reason;
}

function flipped(at: number, mask: number): Uint8Array<ArrayBuffer> {
  const bytes = artifact.slice();
  bytes[at] ^= mask;
  return bytes;
}

test("the artifact as it was written is ready", async () => {
  const app = openApp(kernel, artifact);
  expect((await app.request("/health/ready")).status).toBe(200);
});

describe("a corrupt artifact is unready", () => {
  test.each<[string, Uint8Array<ArrayBuffer>, RegExp]>([
    ["no bytes", new Uint8Array(), /the file has 0 bytes/],
    ["text", new TextEncoder().encode("not found, not found"), /no safetensors file/],
    ["cut in half", artifact.slice(0, artifact.length / 2), /cut short/],
    ["one byte short", artifact.slice(0, -1), /cut short/],
    ["a flipped byte of the header's length", flipped(1, 0x40), /artifact/],
    ["a flipped byte of the header", flipped(8, 0x40), /artifact: the header is not JSON/],
  ])("%s", async (_, bytes, reason) => {
    expect(await expectUnready(openApp(kernel, bytes))).toMatch(reason);
  });

  test("an exponent bit flipped in any number that scores", async () => {
    const names = Object.keys(header).filter((name) => /^(recipe\.(mean|scale)|member0\..*)$/.test(name));
    expect(names).toHaveLength(7);
    for (const name of names) {
      const [from, to] = header[name].data_offsets;
      const width = name.startsWith("recipe.") ? 8 : 4;
      for (let at = from + width; at <= to; at += width)
        await expectUnready(openApp(kernel, flipped(headerEnd + at - 1, 0x40))).catch((cause) => {
          throw new Error(`${name} at ${at - width - from}`, { cause });
        });
    }
  });
});

describe("a model that does not reproduce its golden vectors is unready", () => {
  test("a golden probability one bit away", async () => {
    const probabilities = model.golden.probabilities.slice();
    new Uint32Array(probabilities.buffer)[17] ^= 1;
    const wrong: Model = { ...model, golden: { ...model.golden, probabilities } };
    expect(await expectUnready(openApp(kernel, encodeArtifact(wrong)))).toBe(
      `golden vector 17 scored ${model.golden.probabilities[17]}, expected ${probabilities[17]}: ` +
        "this wasm engine does not compute what the trainer computed; rebuild the kernel or retrain",
    );
  });

  test("another calibration", async () => {
    const wrong: Model = { ...model, calibration: { ...model.calibration, intercept: model.calibration.intercept + 1e-6 } };
    expect(await expectUnready(openApp(kernel, encodeArtifact(wrong)))).toMatch(/^golden vector \d+ scored/);
  });

  test("another padding", async () => {
    const wrong: Model = { ...model, recipe: { ...model.recipe, padding: "any" } };
    expect(await expectUnready(openApp(kernel, encodeArtifact(wrong)))).toMatch(/^golden vector \d+ scored/);
  });

  test("a golden vector of nothing but padding", async () => {
    const wrong: Model = { ...model, golden: { ...model.golden, inputs: new Float64Array(model.golden.inputs.length) } };
    expect(await expectUnready(openApp(kernel, encodeArtifact(wrong)))).toMatch(/^golden\[0\] must have at least one row/);
  });
});
