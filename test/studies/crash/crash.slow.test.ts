// The whole crash, and the same through `wrangler dev`; and as many keys as nobody should have at once.
import { execFileSync } from "node:child_process";
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
  expect(report.dead + report.takenUnheard).toBe(report.listedDead);
}

test("10,000 events over 200 keys survive 25 SIGKILLs on raw workerd", { timeout: 600_000 }, async () => {
  const report = await crash({ events: 10_000, keys: 200, kills: 25, seed: 1, silence: true }, inMemory);
  expectWhole(report);
  expect(report.breakerOpened).toBe(true);
});

/** 10,000 if this machine can hold so many open: workerd ends itself when it is out of files, and a live object has three (measured). */
function manyKeys(): number {
  const files = Number(execFileSync("sh", ["-c", "ulimit -n"], { encoding: "utf8" })); // NaN where there is no limit
  return files < 33_000 ? Math.floor(files / 3.3) : 10_000;
}

test("one event each of as many keys as fit, at most 10,000, survives 5 SIGKILLs, and all keys are listed", {
  timeout: 600_000,
}, async () => {
  const keys = manyKeys();
  const report = await crash({ events: keys, keys, kills: 5, seed: 2, silence: false }, (receiver) => openRawWorkerd(receiver, MEMORY));
  expectWhole(report);
  expect(report.keysListed).toBe(keys);
});

test("1,000 events over 40 keys survive 3 kills of wrangler dev's whole process group", { timeout: 600_000 }, async () => {
  expectWhole(await crash({ events: 1000, keys: 40, kills: 3, seed: 3, silence: false }, openWranglerDev));
});
