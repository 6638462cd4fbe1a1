// Sources as GET /v1/metrics has them: how many of each outcome in the last hour and day, a picture of the day, and the last events.
import { $, fillTable, moment, svg } from "./elements.ts";

const OUTCOMES = ["taken", "replayed", "late", "refused", "ignored"] as const;
type Outcome = (typeof OUTCOMES)[number];
const HOURS = 24;
const HOUR_MS = 3_600_000;
const [WIDTH, HEIGHT] = [120, 24];

/** One source. */
export interface Source {
  readonly name: string;
  readonly hours: readonly (Readonly<Record<Outcome, number>> & { readonly from: string })[];
  readonly last: readonly { readonly at: string; readonly outcome: Outcome; readonly reason: string }[];
}

/** Shows them; nothing where none is configured. */
export function showSources(sources: readonly Source[]): void {
  $("sources-part").hidden = sources.length === 0;
  const rows = sources.map((source) => [
    source.name,
    ...OUTCOMES.map((outcome) => `${source.hours.reduce((sum, hour) => sum + hour[outcome], 0)}`),
    rateOf(source),
    pictureOf(source),
  ]);
  fillTable("sources", "Sources, the last day", ["name", ...OUTCOMES, "a minute", "by the hour"], rows, false);
  const events = sources
    .flatMap(({ name, last }) => last.map((event) => ({ name, ...event })))
    .sort((a, b) => (a.at < b.at ? 1 : -1))
    .map(({ name, at, outcome, reason }) => [moment(at), name, outcome, reason]);
  fillTable("source-events", "Last events of each outcome", ["time", "source", "outcome", "reason"], events, false);
}

/** Webhooks a minute, of this hour and the one before. */
function rateOf({ hours }: Source): string {
  const now = Date.now();
  const first = (Math.floor(now / HOUR_MS) - 1) * HOUR_MS;
  const counts = hours.filter(({ from }) => Date.parse(from) >= first).flatMap((hour) => OUTCOMES.map((outcome) => hour[outcome]));
  return ((60_000 * counts.reduce((sum, count) => sum + count, 0)) / (now - first)).toFixed(2);
}

/** A bar an hour, up to now: what was refused on top. */
function pictureOf({ name, hours }: Source): SVGElement {
  const now = Math.floor(Date.now() / HOUR_MS);
  const totals = hours.map((hour) => OUTCOMES.reduce((sum, outcome) => sum + hour[outcome], 0));
  const highest = Math.max(1, ...totals);
  const said = `${name}: at most ${Math.max(0, ...totals)} an hour, refused ones on top`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: WIDTH, height: HEIGHT, role: "img", "aria-label": said });
  for (const [h, hour] of hours.entries()) {
    const place = HOURS - 1 - (now - Date.parse(hour.from) / HOUR_MS);
    if (place < 0 || place >= HOURS) continue;
    const [x, width] = [(place * WIDTH) / HOURS, WIDTH / HOURS - 1];
    const [refused, rest] = [hour.refused, totals[h] - hour.refused].map((count) => (HEIGHT * count) / highest);
    picture.append(
      svg("rect", { x, y: HEIGHT - rest, width, height: rest, class: "delivered" }),
      svg("rect", { x, y: HEIGHT - rest - refused, width, height: refused, class: "dead" }),
    );
  }
  return picture;
}
