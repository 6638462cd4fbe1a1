// A short crash: events, failing receivers, SIGKILL at random moments; nothing lost, nothing doubled, every bit as an offline scoring has it.
import { expect, test } from "vitest";
import { MEMORY, openRawWorkerd } from "./raw-workerd.ts";
import { crash } from "./run.ts";
import { isClean } from "./tally.ts";

test("800 events over 40 keys survive 5 SIGKILLs on raw workerd", { timeout: 180_000 }, async () => {
  const report = await crash({ events: 800, keys: 40, kills: 5, seed: 7, silence: false }, (receiver) => openRawWorkerd(receiver, MEMORY));
  expect(isClean(report), JSON.stringify(report)).toBe(true);
  expect(report).toMatchObject({ events: 800, kills: 5, forged: 0, undelivered: 0, replayed: report.listedDead });
  expect(report.delivered + report.dead).toBe(3 * report.scored + report.turns); // to the four that live; the fifth never answered:
  expect(report.dead + report.takenUnheard).toBe(report.listedDead);
  expect(report).toMatchObject({ deadGivenUp: 0, deadDropped: 0 });
  expect(report.deadAttempts).toBeGreaterThan(0);
  for (const count of [
    report.scored,
    report.turns,
    report.warming,
    report.late,
    report.requestsThatFailed,
    report.repeated,
    report.refused,
    report.batches,
  ])
    expect(count).toBeGreaterThan(0); // each thing happened
});
