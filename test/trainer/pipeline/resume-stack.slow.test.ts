// A stack's run that is left at any fold of any learner, and taken up from what is on disk then, ends in the bytes of one that was not.
import { expect, test } from "vitest";
import type { FoldPlace } from "../../../trainer/pipeline/cross-fit.ts";
import { createJournal, decodeJournal, encodeJournal } from "../../../trainer/training/journal.ts";
import { LINEAR, makeData, runStack } from "../../fixtures/stack-runs.ts";

const small = makeData({ N: 60, T: 2, F: 1 }, LINEAR);

/** Runs with what `bytes` hold, and is left where `isLeft` says so; what is on disk then. */
async function runFrom(bytes: Uint8Array | undefined, threads: number, isLeft: (place: FoldPlace, places: number) => boolean) {
  let run = "";
  const entries = new Map<string, unknown>();
  let kept: Uint8Array | undefined;
  let places = 0;
  const attempt = runStack(small, {}, threads, {
    openJournal(named) {
      run = named;
      if (bytes) for (const [name, value] of decodeJournal(bytes, run, "kept")) entries.set(name, value);
      return createJournal(entries, () => {
        kept = encodeJournal(entries, run);
      });
    },
    onFold(place) {
      if (isLeft(place, places++)) throw new Error("left");
    },
  });
  return {
    ended: attempt.then(
      ({ trained }) => trained.bytes,
      (error: Error) => error.message,
    ),
    keptBytes: () => kept,
    places: () => places,
  };
}

test("left in the lstm, in a fold of the trees and twice in the nested cross-validation", { timeout: 240_000 }, async () => {
  const whole = await runFrom(undefined, 1, () => false);
  const bytes = await whole.ended;
  const stops: ((place: FoldPlace, places: number) => boolean)[] = [
    ({ learner, fold, outer }) => outer === undefined && learner === "lstm" && fold === 4,
    ({ learner, fold, outer }) => outer === undefined && learner === "trees" && fold === 3,
    ({ learner, fold, outer }) => outer === 1 && learner === "quantile trees" && fold === 1,
    ({ learner, outer }) => outer === 4 && learner === "lstm",
  ];
  let kept: Uint8Array | undefined;
  let walked = 0;
  for (const [attempt, isLeft] of stops.entries()) {
    const run = await runFrom(kept, 1 + (attempt % 2), isLeft);
    expect(await run.ended).toBe("left");
    kept = run.keptBytes();
    walked += run.places();
  }
  const last = await runFrom(kept, 2, () => false);
  expect(await last.ended).toEqual(bytes);
  walked += last.places();
  // folds are passed again where a learner was left, and no learner is fitted anew that had ended
  expect(walked).toBeLessThan(1.3 * whole.places());
});
