// What columns say that a network does not: the reason is found, few columns suffice, and the lines for scikit-learn compute these columns
// and reach what they promise.
import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { studyColumns } from "../../../trainer/diagnosis/columns/study.ts";
import { describeColumnsFinding } from "../../../trainer/diagnosis/columns-sentences.ts";
import { MAX_LINES } from "../../../trainer/diagnosis/script.ts";
import { blind, everyColumn, GENERATED, generate, inputOf } from "../../fixtures/columns.ts";

interface Ran {
  readonly lines: string[];
  /** Log loss, by the trainer's own learners and by scikit-learn on a fifth of 20,000 sequences. */
  readonly promised?: number;
  readonly reached: number;
  /** Of the first 20 sequences, as the lines leave it. */
  readonly V: (number | null)[][];
}

// Made by test/fixtures/columns.py, which runs the lines.
const ran: Record<string, Ran> = JSON.parse(readFileSync(new URL("../../fixtures/columns.json", import.meta.url), "utf8"));

test.each(Object.entries(GENERATED))("%s is found, and said with its numbers", { timeout: 120_000 }, async (name, generated) => {
  const finding = (await studyColumns(blind(generate(generated, 1500, 3))))!;
  const { reason, table } = finding;
  expect(reason.kind).toBe(generated.kind);
  expect(finding.learner).toBe(generated.kind === "linear" ? "linear" : "trees");
  const { evidence, fix } = describeColumnsFinding(finding);
  const said = {
    threshold: /pressure, last row is 101[567](\.\d+)? or less, \d+(\.\d)?\s% are positive; of the others [78]\d/,
    values: /hour, last row, whole numbers as of an hour of the day, but is high where the column is 7 to 9 \(.*\), 16 to 18 \(/,
    interaction: /a, last row \(up to -?0\.\d+, or above\) and b, last row \(up to -?0\.\d+, or above\). Positive are [78]\d/,
    linear:
      /straight line: up with p, 5 rows before the last, down with s, 5 rows before the last, up with q, last row, down with u, last row/,
  }[generated.kind];
  expect(evidence, name).toMatch(said);
  expect(fix).toContain("the lines for scikit-learn");
  for (const v of finding.columns) expect(table.names[v]).toBeDefined();
});

describe("nothing is said", () => {
  test("where the network says the truth", { timeout: 60_000 }, async () => {
    const generated = GENERATED["two columns together"];
    const data = generate(generated, 900, 4);
    const size = 3 * data.shape.timesteps;
    const truth = (n: number): number => {
      const rows = Array.from({ length: data.shape.timesteps }, (_, t) => [
        ...data.values.subarray(n * size + 3 * t, n * size + 3 * t + 3),
      ]);
      return generated.probability(rows);
    };
    expect(await studyColumns(inputOf(data, truth))).toBeUndefined();
  });

  test("where nothing tells the label, and of features that do not move", { timeout: 60_000 }, async () => {
    const data = generate({ ...GENERATED["two columns together"], probability: () => 0.4 }, 600, 5);
    expect(await studyColumns(blind(data))).toBeUndefined();
    expect(await studyColumns({ ...blind(data), moving: [] })).toBeUndefined();
  });
});

describe("the lines for scikit-learn", () => {
  test("reach what they promise within .02", () => {
    for (const name of Object.keys(GENERATED)) expect(Math.abs(ran[name].reached - ran[name].promised!), name).toBeLessThan(0.02);
  });

  test.each(["leading", "any"] as const)("compute every column as the trainer does, padding %s", (padding) => {
    const { view, chosen, lines } = everyColumn(padding);
    const { lines: written, V } = ran[`every column, padding ${padding}`];
    expect(lines).toEqual(written);
    const width = view.columnNames.length;
    V.forEach((row, n) => {
      row.forEach((value, i) => {
        const v = chosen[i];
        const own = view.columns[n * width + v];
        if (value === null) expect(own, `${view.columnNames[v]} of sequence ${n}`).toBeNaN();
        else expect(Math.abs(own - value), `${view.columnNames[v]} of sequence ${n}`).toBeLessThan(1e-9);
      });
    });
  });

  test("are few, and import numpy and scikit-learn alone", () => {
    for (const [name, { lines }] of Object.entries(ran)) {
      const imported = lines.flatMap((line) => [...line.matchAll(/(?:^|; )(?:from|import) (\w+)/g)].map(([, what]) => what));
      expect(new Set(imported)).toEqual(new Set(["numpy", "sklearn"]));
      if (name in GENERATED) expect(lines.length).toBeLessThanOrEqual(MAX_LINES);
      expect(lines.join("").includes("\n")).toBe(false);
    }
  });
});
