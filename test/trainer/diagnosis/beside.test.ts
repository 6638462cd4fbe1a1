// What diagnose says beside its causes: the user's own curve, copies in the test part, and the lines that fix the user's script.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { instantiateKernel } from "../../../shared/engine.ts";
import { diagnose } from "../../../trainer/commands/diagnose.ts";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import { encodeNpz } from "../../../trainer/readers/npz.ts";
import { generateFx } from "../../../trainer/sample/fx.ts";
import { createTrainingStep } from "../../../trainer/training/step.ts";
import { kernel } from "../../fixtures/kernel.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-beside-"));
const at = (name: string): string => join(folder, name);
afterAll(() => rmSync(folder, { recursive: true }));

const N = 2000;
const TEST = 400;
const T = 10;
const F = 5;

async function run(history: string | undefined): Promise<{ said: string; document: Record<string, never> }> {
  const said: string[] = [];
  const printed: string[] = [];
  await diagnose(
    { data: [at("fx.npz")], read: {}, tried: "", seed: 1, json: true, history, report: at("page.html") },
    {
      log: instantiateKernel(kernel).log,
      createStepper: (data, options) => createTrainingStep(data, { ...options, threads: 1 }),
      createTrees: (options) => createTrees({ ...options, threads: 1 }),
    },
    { isWatched: false, say: (text) => said.push(text), progress: () => {}, print: (text) => printed.push(text) },
    new AbortController(),
  );
  return { said: said.join("\n"), document: JSON.parse(printed.join("")) };
}

beforeAll(async () => {
  const { values, labels } = generateFx(N, 3);
  const copied = values.slice(0, TEST * T * F);
  copied.set(generateFx(TEST / 2, 4).values); // half of the test part is new
  writeFileSync(
    at("fx.npz"),
    await encodeNpz({
      X: { data: values, shape: [N, T, F] },
      y: { data: labels, shape: [N] },
      X_test: { data: copied, shape: [TEST, T, F] },
      y_test: { data: labels.slice(0, TEST), shape: [TEST] },
    }),
  );
});

test("compares the curve with guessing, counts copies in the test part, and prints lines that fix the script", async () => {
  writeFileSync(
    at("log.csv"),
    "epoch,accuracy,loss,val_accuracy,val_loss\n0,0.74,0.5721,0.75,0.571\n1,0.746,0.5693,0.75,0.5701\n2,0.746,0.569,0.75,0.5699\n",
  );
  const { said, document } = await run(at("log.csv"));
  const { history, script, causes } = document as unknown as {
    history: { code: string; accuracyIsMajority: boolean };
    script: string[];
    causes: { code: string; evidence: string }[];
  };
  expect(history.code).toBe("flat");
  expect(history.accuracyIsMajority).toBe(true);
  expect(said).toContain("Your validation loss never left the base rate");
  expect(causes.find(({ code }) => code === "leak")?.evidence).toMatch(/^200 of 400 test sequences .* stand in the training data/);
  expect(script.length).toBeLessThanOrEqual(15);
  expect(script.some((line) => line.includes("D(f[0])") && line.includes("D(f[1])"))).toBe(true);
  for (const line of script) expect(said).toContain(line);
  const page = readFileSync(at("page.html"), "utf8");
  expect(page).toContain("D = lambda a: np.diff(a, axis=1, prepend=np.nan)");
  expect(page).toContain("Your validation loss never left the base rate");
  expect(page).toContain(
    "Your own curve over 3 epochs: validation loss from 0.5710 to 0.5699, training loss from 0.5721 to 0.5690; base rate 0.5",
  );
  expect(page).toMatch(/<button type="button" class="copy" hidden>Copy<\/button>/);
}, 120_000);

test("a curve that cannot be read is one sentence that names the line, before anything is trained or written", async () => {
  rmSync(at("page.html"), { force: true });
  writeFileSync(at("bad.csv"), "epoch,loss\n0,0.57\n1,oops\n");
  await expect(run(at("bad.csv"))).rejects.toThrow(`${at("bad.csv")}: line 3: loss is "oops", expected a number`);
  await expect(run(at("none.csv"))).rejects.toThrow("there is no such file");
  expect(existsSync(at("page.html"))).toBe(false);
});
