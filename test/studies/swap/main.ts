// npm run swap [-- RATE …]: 20 swaps on raw workerd, with the bucket of bucket.ts behind workerd's own R2 binding, at each RATE in requests a
// second; without one at 60 % of what the Worker sustains, and at 2,000. npm run swap -- --wrangler: 20 swaps under `wrangler dev`,
// with R2's own conditions, at half of what that sustains, within the rate limit of one key (100 requests a second).
import { openRawWorkerd } from "./deployment.ts";
import { type SwapOptions, swap } from "./run.ts";
import { openWranglerDev } from "./wrangler-dev.ts";

// An isolate looks every 10 s unless it is told otherwise, and swaps no more often; here it swaps four times as often.

/** Beyond what it sustains a queue grows, and times say nothing of swaps. */
const MAX_PART_OF_ASKED = 0.98;

const words = process.argv.slice(2);
const start = performance.now();
const say = (line: string): void => console.error(`${((performance.now() - start) / 1000).toFixed(0).padStart(4)} s  ${line}`);
const isWrangler = words[0] === "--wrangler";
const rates = words.map(Number);
if (!isWrangler && rates.some((rate) => !(rate > 0))) {
  console.error("npm run swap [-- RATE …] or npm run swap -- --wrangler: RATE is a number of requests a second");
  process.exit(2);
}
const common = { swaps: 20, say };
const runs: readonly SwapOptions[] = isWrangler
  ? [{ ...common, rate: { part: 0.5, most: 75 }, everyMs: 1500, warmMs: 5000, quietMs: 20_000 }]
  : (rates.length > 0 ? rates : [{ part: 0.6, most: Number.POSITIVE_INFINITY }, 2000]).map((rate) => ({
      ...common,
      rate,
      everyMs: 2500,
      warmMs: 8000,
      quietMs: 20_000,
    }));
let isGood = true;
for (const options of runs) {
  const report = await swap(isWrangler ? openWranglerDev : openRawWorkerd, options);
  for (const [name, value] of Object.entries(report))
    console.log(`${name.padEnd(14)} ${Number.isInteger(value) ? value : value.toFixed(2)}`);
  const ratio = report.firedP99Ms / report.quietP99Ms;
  const isSustained = report.quietRate >= MAX_PART_OF_ASKED * report.askedRate;
  console.log(
    `p99 while models are swapped is ${ratio.toFixed(2)} of quiet${isSustained ? "" : ": the Worker does not sustain the rate, so this says nothing of swaps"}\n`,
  );
  isGood &&= report.errors === 0 && report.wrongBits === 0 && (!isSustained || isWrangler || ratio <= 2);
}
if (!isGood) process.exit(1);
