// npm run swap [-- RATE]: 20 swaps at 2,000 requests a second, or RATE, on raw workerd, with the bucket of bucket.ts behind workerd's own
// R2 binding. npm run swap -- --wrangler: 20 swaps under `wrangler dev`, with R2's own conditions, at half the rate that it sustains.
import { openRawWorkerd } from "./deployment.ts";
import { swap } from "./run.ts";
import { openWranglerDev } from "./wrangler-dev.ts";

const [word] = process.argv.slice(2);
const report =
  word === "--wrangler"
    ? await swap(openWranglerDev, { swaps: 20, everyMs: 3000 })
    : await swap(openRawWorkerd, { rate: Number(word ?? 2000), swaps: 20, everyMs: 500 });
for (const [name, value] of Object.entries(report)) console.log(`${name.padEnd(14)} ${Number.isInteger(value) ? value : value.toFixed(2)}`);
console.log(`p99 under fire is ${(report.firedP99Ms / report.quietP99Ms).toFixed(2)} of quiet`);
if (report.errors > 0 || report.wrongBits > 0 || report.firedP99Ms > 2 * report.quietP99Ms) process.exit(1);
