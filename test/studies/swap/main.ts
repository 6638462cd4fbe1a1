// npm run swap: 2,000 requests a second and 20 swaps on raw workerd, with the bucket of bucket.ts behind workerd's own R2 binding.
import { swap } from "./run.ts";

const report = await swap({ rate: 2000, swaps: 20, everyMs: 500 });
for (const [name, value] of Object.entries(report)) console.log(`${name.padEnd(14)} ${Number.isInteger(value) ? value : value.toFixed(2)}`);
console.log(`p99 under fire is ${(report.firedP99Ms / report.quietP99Ms).toFixed(2)} of quiet`);
if (report.errors > 0 || report.wrongBits > 0 || report.firedP99Ms > 2 * report.quietP99Ms) process.exit(1);
