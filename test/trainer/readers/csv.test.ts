// What a line of CSV costs.
import { expect, test } from "vitest";
import { readHistory } from "../../../trainer/diagnosis/training-log.ts";
import type { Wanted } from "../../../trainer/readers/batch.ts";
import { readCsv } from "../../../trainer/readers/csv.ts";
import { throwIssue } from "../../../trainer/readers/issues.ts";

const DIGITS = "1".repeat(1_000_000);
const wanted: Wanted = { labels: true, label: undefined, parts: true, columns: [], statics: [], rows: undefined, onIssue: throwIssue };

test("a cell of a million digits that is no number is refused in the time of its length, in data and in a training curve", async () => {
  const started = performance.now();
  const read = async (): Promise<void> => {
    const lines = `a_0,b_0,label\n1,${DIGITS}x,0\n`;
    for await (const _ of readCsv(
      (async function* () {
        yield new TextEncoder().encode(lines);
      })(),
      "data.csv",
      wanted,
    ));
  };
  await expect(read()).rejects.toThrow(/^data\.csv: line 2.*number/);
  const curve = new TextEncoder().encode(`epoch,loss\n0,${DIGITS}x\n`);
  expect(() => readHistory(curve, "log.csv")).toThrow(/^log\.csv: line 2/);
  expect(performance.now() - started).toBeLessThan(5000); // some ten minutes where each digit may fit two places
}, 60_000);
