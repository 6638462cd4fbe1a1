// Networks as frameworks save them, through `import`: the probabilities of the framework itself within 1e-5, or the refusal that is expected.
// A suite's script writes the folder: cases.json, and for each case its file, X.npy and p.npy under the case's number.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { readNpy } from "../../shared/npy.ts";
import { scoreBytes } from "../fixtures/import/importing.ts";
import { quickstep } from "./quickstep.ts";
import { EXPECTED_REFUSALS } from "./refusals.ts";

/** The kernel's float32 differs from the framework's by some 1e-7 (parity.test.ts); a misunderstood network by far more. */
const TOLERANCE = 1e-5;

interface ImportCase {
  /** What the network is and what wrote it: unique in its suite. */
  readonly name: string;
  /** Of the folder. */
  readonly file: string;
  /** What `import` is told beside the file. */
  readonly options?: readonly string[];
}

/** Declares a test for each case in `folder`, and one that this suite's lines of the table of refusals are cases. */
export function testImports(suite: string, folder: string): void {
  const cases: ImportCase[] = JSON.parse(readFileSync(join(folder, "cases.json"), "utf8"));
  const keyOf = ({ name }: ImportCase): string => `${suite}: ${name}`;

  test.each(cases.map((ofCase, at) => ({ at, ...ofCase })))("import: $name", async ({ at, ...ofCase }) => {
    const refusal = EXPECTED_REFUSALS[keyOf(ofCase)];
    const out = join(folder, `${at}.safetensors`);
    const { status, stderr } = await quickstep("import", join(folder, ofCase.file), "--out", out, ...(ofCase.options ?? []));
    if (refusal !== undefined) {
      expect(status, "is read now: delete its line in refusals.ts").not.toBe(0);
      expect(stderr).toContain(refusal);
      return;
    }
    expect(status, stderr).toBe(0);
    const numbers = (name: string): Float64Array =>
      Float64Array.from(readNpy(readFileSync(join(folder, `${at}.${name}.npy`)), name).data as Float64Array);
    const [scores, expected] = [scoreBytes(readFileSync(out), numbers("X")), numbers("p")];
    expect(scores).toHaveLength(expected.length);
    expect(new Set(expected).size).toBeGreaterThan(expected.length / 2);
    for (const [n, p] of expected.entries()) expect(Math.abs(scores[n] - p), `sequence ${n}`).toBeLessThanOrEqual(TOLERANCE);
  });

  test("every expected refusal is a case", () => {
    const expected = Object.keys(EXPECTED_REFUSALS).filter((key) => key.startsWith(`${suite}: `));
    expect(expected.filter((key) => !cases.some((ofCase) => keyOf(ofCase) === key))).toEqual([]);
  });
}
