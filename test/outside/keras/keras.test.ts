// Keras 3: what it saves is imported and scores as its predict does; an artifact's tensors are its layers' weights.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { PARITY_CASES, parityModel, paritySequences } from "../../fixtures/parity.ts";
import { trainAndImport } from "../channels.ts";
import { describeOutside } from "../environment.ts";
import { testImports } from "../imports.ts";

/** As parity.test.ts argues. */
const PARITY = 2e-6;

describeOutside("keras", async (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-keras-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  await python.run("save.py", [folder]);
  testImports("keras", folder);

  test("Keras trains on exported channels, and its network gets their recipe", () =>
    trainAndImport(python, folder, "train_keras.py", "p = model.predict(X, verbose=0)", "network.keras"));

  test("safetensors loads an artifact, and Keras' LSTM with its tensors gives the kernel's probabilities on the recipe's channels", async () => {
    const ofCase = PARITY_CASES.find(({ units, padding }) => units === 32 && padding === "leading")!;
    const model = parityModel(kernel, ofCase);
    const { channels, lengths } = applyRecipe(model.recipe, paritySequences(ofCase), instantiateKernel(kernel).log);
    const at = (name: string): string => join(folder, name);
    writeFileSync(at("artifact.safetensors"), encodeArtifact(model));
    writeFileSync(at("channels.npy"), encodeNpy(channels, [lengths.length, model.recipe.timesteps, model.recipe.channels.length]));
    writeFileSync(at("lengths.npy"), encodeNpy(Float64Array.from(lengths), [lengths.length]));
    const logits: number[] = JSON.parse(await python.run("load.py", ["artifact.safetensors", "channels.npy", "lengths.npy"].map(at)));
    const { slope, intercept } = model.calibration;
    const expected = createWasmEngine(kernel, model).probabilities({ channels, lengths });
    expect(logits).toHaveLength(expected.length);
    for (const [n, logit] of logits.entries())
      expect(Math.abs(1 / (1 + Math.exp(-(slope * logit + intercept))) - expected[n]), `sequence ${n}`).toBeLessThanOrEqual(PARITY);
  });
});
