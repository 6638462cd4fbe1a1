// The whole crash, and the same through `wrangler dev`; and as many keys as nobody should have at once.
import { expect, test } from "vitest";
import { MEMORY, openRawWorkerd } from "./raw-workerd.ts";
import type { Receiver } from "./receiver.ts";
import { crash, type Report } from "./run.ts";
import { isClean } from "./tally.ts";
import { openWranglerDev } from "./wrangler-dev.ts";

const inMemory = (receiver: Receiver) => openRawWorkerd(receiver, MEMORY); // npm run crash does it on disk

function expectWhole(report: Report): void {
  expect(isClean(report), JSON.stringify(report)).toBe(true);
  expect(report).toMatchObject({ forged: 0, undelivered: 0, replayed: report.listedDead });
}

test("10,000 events over 200 keys survive 25 SIGKILLs on raw workerd", { timeout: 600_000 }, async () => {
  expectWhole(await crash({ events: 10_000, keys: 200, kills: 25, seed: 1, silence: true }, inMemory));
});

test("one event each of 10,000 keys survives 5 SIGKILLs, and all keys are listed", { timeout: 600_000 }, async () => {
  const report = await crash({ events: 10_000, keys: 10_000, kills: 5, seed: 2, silence: false }, (receiver) =>
    openRawWorkerd(receiver, MEMORY),
  );
  expectWhole(report);
  expect(report.keysListed).toBe(10_000);
});

test("1,000 events over 40 keys survive 3 kills of wrangler dev's whole process group", { timeout: 600_000 }, async () => {
  expectWhole(await crash({ events: 1000, keys: 40, kills: 3, seed: 3, silence: false }, openWranglerDev));
});
