// npm run crash [-- seed [events]]: 10,000 events over 200 keys, 25 kills on raw workerd, and the tally; fewer events: as many fewer of both.
import { openRawWorkerd } from "./raw-workerd.ts";
import { crash } from "./run.ts";
import { isClean } from "./tally.ts";

const seed = Number(process.argv[2] ?? 1);
const events = Number(process.argv[3] ?? 10_000);
const options = { events, keys: 5 * Math.ceil(events / 250), kills: Math.ceil(events / 400), seed, silence: true };
const report = await crash(options, openRawWorkerd);
for (const [name, value] of Object.entries(report))
  console.log(`${name.padEnd(20)} ${name === "seconds" ? report.seconds.toFixed(1) : value}`);
if (
  !isClean(report) ||
  report.forged > 0 ||
  report.undelivered > 0 ||
  report.replayed !== report.listedDead ||
  report.dead + report.takenUnheard !== report.listedDead
)
  process.exit(1);
