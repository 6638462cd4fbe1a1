// What became of deliveries over time: bars of the listed ones by when they were made, and what share of them arrived.
import { percent, quiet, svg } from "./elements.ts";

const BARS = 24;
const [WIDTH, HEIGHT] = [600, 110];
/** From the ground up. */
const STATES = ["delivered", "pending", "dead"] as const;

/** Numbers of each state in equal parts of the time from the first to the last: `[part][state]`. */
function countByTime(deliveries: readonly { readonly created: string; readonly state: string }[]): readonly (readonly number[])[] {
  const times = deliveries.map(({ created }) => Date.parse(created));
  const [first, last] = [Math.min(...times), Math.max(...times)];
  const counts = Array.from({ length: BARS }, () => STATES.map(() => 0));
  for (const [i, { state }] of deliveries.entries()) {
    const part = last > first ? Math.min(BARS - 1, Math.floor((BARS * (times[i] - first)) / (last - first))) : BARS - 1;
    const s = STATES.indexOf(state as (typeof STATES)[number]);
    if (s >= 0) counts[part][s]++;
  }
  return counts;
}

/** Draws them into `place`; nothing where there are none. */
export function drawOutcomes(place: HTMLElement, deliveries: readonly { readonly created: string; readonly state: string }[]): void {
  place.hidden = deliveries.length === 0;
  if (deliveries.length === 0) return;
  const counts = countByTime(deliveries);
  const highest = Math.max(...counts.map((states) => states.reduce((sum, count) => sum + count, 0)));
  const delivered = deliveries.filter(({ state }) => state === "delivered").length;
  const said = `${deliveries.length} deliveries by the time they were made, ${percent(delivered / deliveries.length)} of them delivered`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said });
  for (const [part, states] of counts.entries()) {
    let ground = HEIGHT;
    for (const [s, count] of states.entries()) {
      const height = (HEIGHT * count) / highest;
      ground -= height;
      picture.append(svg("rect", { x: (part * WIDTH) / BARS + 1, y: ground, width: WIDTH / BARS - 2, height, class: STATES[s] }));
    }
  }
  place.replaceChildren(picture, quiet(`${said}. `));
}
