// What a run of many stages keeps: each value once, what went before it dropped, nothing of another run.
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { createJournal, decodeJournal, encodeJournal, openJournalFile } from "../../../trainer/training/journal.ts";

const folder = mkdtempSync(join(tmpdir(), "quickstep-journal-"));
afterAll(() => rmSync(folder, { recursive: true }));

const RUN = JSON.stringify({ data: "1".repeat(64), seed: 1, costs: undefined });

test("what was come to is not computed again, and what was noted on the way to it is dropped", async () => {
  const entries = new Map<string, unknown>();
  const journal = createJournal(entries, () => {});
  let computed = 0;
  const come = () =>
    journal.once("trees", async (inner) => {
      inner.record("fold 0").save({ losses: [1] });
      expect(inner.record("fold 0").from).toEqual({ losses: [1] });
      expect(journal.record("fold 0").from).toBeUndefined();
      await inner.once("fold 1", async () => 2);
      return ++computed;
    });
  expect([await come(), await come(), computed]).toEqual([1, 1, 1]);
  expect([...entries]).toEqual([["trees", 1]]);
});

test("a journal comes back bit for bit, and with any byte changed is refused", () => {
  const state = { losses: Float64Array.of(0.1, Number.NaN, -0), trees: [{ edge: Uint16Array.of(7, 0x8001) }], step: undefined };
  const bytes = encodeJournal(new Map([["lstm/setting 0, fold 1", state]]), RUN);
  expect(decodeJournal(bytes, RUN, "file")).toEqual(new Map([["lstm/setting 0, fold 1", state]]));
  for (let i = 0; i < bytes.length; i++) {
    const damaged = bytes.slice();
    damaged[i] ^= 0x10;
    expect(() => decodeJournal(damaged, RUN, "file")).toThrow("is not a checkpoint, or is damaged");
  }
});

test.each([
  [{ seed: 2 }, "seed: 1, here 2"],
  [{ data: "2".repeat(64) }, "data: 111111111111…, here 222222222222…"],
  [{ costs: { falsePositive: 1 } }, 'costs: none, here {"falsePositive":1}'],
  [{ version: "2" }, "version: none, here 2"],
])("a journal of another run is refused by what differs: %j", (other, said) => {
  const bytes = encodeJournal(new Map(), RUN);
  expect(() => decodeJournal(bytes, JSON.stringify({ ...JSON.parse(RUN), ...other }), "file")).toThrow(
    `file: belongs to another run (${said}): give the data and options it had, or train without --resume`,
  );
});

test("the file is written after the interval and when asked for, whole, and only where there is news", () => {
  const path = join(folder, "run.checkpoint");
  let time = 0;
  const open = (isResuming: boolean) => openJournalFile({ path, isResuming, run: RUN, now: () => time, intervalMs: 1000 });
  const { journal, flush } = open(false);
  expect(flush()).toBe(false);
  journal.record("a").save(1);
  expect(existsSync(path)).toBe(false);
  time = 1000;
  journal.record("b").save(2);
  expect(decodeJournal(readFileSync(path), RUN, path)).toEqual(
    new Map([
      ["a", 1],
      ["b", 2],
    ]),
  );
  journal.record("c").save(3);
  expect(flush()).toBe(true);
  const again = open(true);
  expect(["a", "b", "c"].map((name) => again.journal.record(name).from)).toEqual([1, 2, 3]);
  writeFileSync(path, "not touched where nothing is new");
  expect(again.flush()).toBe(true);
  expect(readFileSync(path, "utf8")).toBe("not touched where nothing is new");
});
