// A framework trains on what `export --channels` writes, by the script beside it; `import --recipe` makes an artifact of its network, which scores raw
// sequences as the framework scores their channels.
import { mkdtempSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect } from "vitest";
import { encodeArtifact } from "../../shared/artifact/artifact.ts";
import { readNpy } from "../../shared/npy.ts";
import { encodeNpz } from "../../trainer/readers/npz.ts";
import { scoreBytes } from "../fixtures/import/importing.ts";
import { kernel } from "../fixtures/kernel.ts";
import { makeModel, makeSequences } from "../fixtures/model.ts";
import { type Environment, execute } from "./environment.ts";
import { quickstepPrints } from "./quickstep.ts";

const [N, T, F] = [300, 10, 5];
/** As imports.ts argues. */
const TOLERANCE = 1e-5;

/** `script` trains; `predict`, lines of Python behind it in the same process, leaves the framework's probabilities of all channels as p. */
export async function trainAndImport(
  { python }: Environment,
  folder: string,
  script: string,
  predict: string,
  network: string,
  ...said: string[]
): Promise<void> {
  const home = mkdtempSync(join(folder, "channels-"));
  const at = (name: string): string => join(home, name);
  const values = makeSequences(N, T, F, 21, 1);
  const labels = Uint8Array.from({ length: N }, (_, n) => Number(values[((n + 1) * T - 1) * F] > values[((n + 1) * T - 1) * F + 1]));
  writeFileSync(at("from.safetensors"), encodeArtifact(makeModel(kernel, { padding: "leading" })));
  writeFileSync(at("data.npz"), await encodeNpz({ X: { shape: [N, T, F], data: values }, y: { shape: [N], data: labels } }));
  await quickstepPrints("export", at("from.safetensors"), "--channels", at("channels"), "--data", at("data.npz"));
  const path = at(`channels/${script}`);
  writeFileSync(path, `${readFileSync(path, "utf8")}\n${predict}\nnp.save("p.npy", np.asarray(p, np.float64).reshape(-1))\n`);
  await execute(python, [path], undefined, at("channels"));
  await quickstepPrints(
    "import",
    at(`channels/${network}`),
    "--recipe",
    at("from.safetensors"),
    "--out",
    at("network.safetensors"),
    ...said,
  );
  const expected = readNpy(readFileSync(at("channels/p.npy")), "p.npy").data as Float64Array;
  const scores = scoreBytes(readFileSync(at("network.safetensors")), values);
  expect(expected).toHaveLength(N);
  for (const [n, p] of expected.entries()) expect(Math.abs(scores[n] - p), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
}
