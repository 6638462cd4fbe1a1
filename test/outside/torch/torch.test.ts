// PyTorch: what its two ONNX exporters and safetensors write is imported and scores as the module does; it loads the state dict that we export.
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { encodeNpy } from "../../../shared/npy.ts";
import { applyRecipe } from "../../../shared/recipe/apply.ts";
import { encodeTorch } from "../../../trainer/export/torch.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { PARITY_CASES, parityModel, paritySequences } from "../../fixtures/parity.ts";
import { trainAndImport } from "../channels.ts";
import { describeOutside } from "../environment.ts";
import { testImports } from "../imports.ts";

/** As parity.test.ts argues. */
const PARITY = 2e-6;

describeOutside("torch", async (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-torch-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  await python.run("save.py", [folder]);
  testImports("torch", folder);

  test("PyTorch trains on exported channels, and its state dict gets their recipe", () =>
    trainAndImport(
      python,
      folder,
      "train_torch.py",
      "from safetensors.torch import load_file; net.load_state_dict(load_file('network-torch.safetensors')); p = torch.sigmoid(logits(np.arange(len(X)))).detach().numpy()",
      "network-torch.safetensors",
      "--torch",
      "lstm state linear",
    ));

  test("safetensors.torch loads `export --safetensors-torch`, and nn.LSTM gives the kernel's probabilities on the recipe's channels", async () => {
    const ofCase = PARITY_CASES.find(({ units, padding }) => units === 32 && padding === "none")!;
    const model = parityModel(kernel, ofCase);
    const { channels, lengths } = applyRecipe(model.recipe, paritySequences(ofCase), instantiateKernel(kernel).log);
    const [state, inputs] = [join(folder, "state.safetensors"), join(folder, "channels.npy")];
    writeFileSync(state, encodeTorch(model));
    writeFileSync(inputs, encodeNpy(channels, [lengths.length, model.recipe.timesteps, model.recipe.channels.length]));
    const logits: number[] = JSON.parse(await python.run("load.py", [state, inputs]));
    const { slope, intercept } = model.calibration;
    const expected = createWasmEngine(kernel, model).probabilities({ channels, lengths });
    expect(logits).toHaveLength(expected.length);
    for (const [n, logit] of logits.entries())
      expect(Math.abs(1 / (1 + Math.exp(-(slope * logit + intercept))) - expected[n]), `sequence ${n}`).toBeLessThanOrEqual(PARITY);
  });
});
