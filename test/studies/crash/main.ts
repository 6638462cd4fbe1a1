// npm run crash [-- seed]: 10,000 events over 200 keys, 25 kills on raw workerd, and the tally.
import { openRawWorkerd } from "./raw-workerd.ts";
import { crash } from "./run.ts";
import { isClean } from "./tally.ts";

const seed = Number(process.argv[2] ?? 1);
const report = await crash({ events: 10_000, keys: 200, kills: 25, seed, silence: true }, openRawWorkerd);
for (const [name, value] of Object.entries(report)) console.log(`${name.padEnd(20)} ${Number.isInteger(value) ? value : value.toFixed(1)}`);
if (!isClean(report) || report.forged > 0 || report.undelivered > 0 || report.replayed !== report.listedDead) process.exit(1);
