// Networks as frameworks save them, through `import`: the probabilities of the framework itself within 1e-5, or the refusal that is expected.
// A suite's script writes the folder: cases.json, and for each case its file, X.npy and p.npy under the case's number.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNpy } from "../../shared/npy.ts";
import type { Padding } from "../../shared/sequence.ts";
import { readBeside } from "../../trainer/files/whole-files.ts";
import { readTorchDescription } from "../../trainer/import/torch/description.ts";
import { importBytes, scoreBytes } from "../fixtures/import/importing.ts";
import { EXPECTED_REFUSALS } from "./refusals.ts";

/** The kernel's float32 differs from the framework's by some 1e-7 (parity.test.ts); a misunderstood network by far more. */
const TOLERANCE = 1e-5;

interface ImportCase {
  /** What the network is and what wrote it: unique in its suite. */
  readonly name: string;
  /** Path from the folder. */
  readonly file: string;
  /** What a person says beside the file, as import's options take it. */
  readonly padding?: Padding;
  readonly torch?: string;
  readonly isLogit?: boolean;
  /** The file of a model's config, from the folder. */
  readonly layers?: string;
}

/** Declares a test for each case in `folder`, and one that this suite's lines of the table of refusals are cases. */
export function testImports(suite: keyof typeof EXPECTED_REFUSALS, folder: string): void {
  const cases: ImportCase[] = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
  const refusals = Object.entries(EXPECTED_REFUSALS[suite]).flatMap(([sentence, names]) => names.map((name) => [name, sentence] as const));
  const sentenceOf = new Map(refusals);
  const numbers = (name: string): Float64Array => Float64Array.from(readNpy(readFileSync(join(folder, name)), name).data as Float64Array);

  test.each(cases.map((ofCase, at) => ({ at, ...ofCase })))(
    "import: $name",
    async ({ at, name, file, padding, torch, isLogit, layers }) => {
      const sentence = sentenceOf.get(name);
      const path = join(folder, file);
      const said = {
        padding,
        torch: torch === undefined ? undefined : readTorchDescription(torch, "torch"),
        isLogit,
        layers: layers === undefined ? undefined : readFileSync(join(folder, layers), "utf8"),
      };
      const importing = importBytes(readFileSync(path), { said, beside: (location) => readBeside(path, location) });
      if (sentence !== undefined) {
        // read now? Then delete the case's line in refusals.ts
        await expect(importing).rejects.toThrow(sentence);
        return;
      }
      const [scores, expected] = [scoreBytes((await importing).bytes, numbers(`${at}.X.npy`)), numbers(`${at}.p.npy`)];
      expect(scores).toHaveLength(expected.length);
      expect(new Set(expected).size).toBeGreaterThan(expected.length / 2);
      for (const [n, p] of expected.entries()) expect(Math.abs(scores[n] - p), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
    },
  );

  test("every expected refusal is a case, once", () => {
    expect(sentenceOf.size).toBe(refusals.length);
    expect([...sentenceOf.keys()].filter((name) => !cases.some((ofCase) => ofCase.name === name))).toEqual([]);
  });
}
