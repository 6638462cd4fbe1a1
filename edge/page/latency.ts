// How long receivers took: a dot for each listed delivery's last attempt, by when it began, on a scale of decades, each even in itself.
import { quiet, svg } from "./elements.ts";

const [WIDTH, HEIGHT, MARGIN] = [600, 110, 6];

/** As GET /v1/deliveries has it. */
export interface Attempted {
  readonly attempted: string | null;
  readonly ms: number | null;
  readonly status: number | null;
}

/** Whether the receiver took it. */
const isTaken = ({ status }: Pick<Attempted, "status">): boolean => status !== null && status >= 200 && status < 300;

/** The number below which the share `q` of them lies; of an empty list undefined. */
function quantile(values: readonly number[], q: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))];
}

/** Milliseconds as people say them. */
export const duration = (ms: number): string => (ms < 1000 ? `${ms} ms` : `${(ms / 1000).toFixed(1)} s`);

/** 0 for 1 ms and less, 1 for 10 ms, 2 for 100 ms. */
function decadeOf(ms: number): number {
  let [decade, rest] = [0, Math.max(1, ms)];
  for (; rest >= 10; decade++) rest /= 10;
  return decade + (rest - 1) / 9;
}

/** Draws them into `place`; nothing where no attempt was made. */
export function drawLatency(place: HTMLElement, deliveries: readonly Attempted[]): void {
  const made = deliveries.flatMap(({ attempted, ms, status }) =>
    attempted === null || ms === null ? [] : [{ at: Date.parse(attempted), ms, taken: isTaken({ status }) }],
  );
  place.hidden = made.length === 0;
  if (made.length === 0) return;
  const times = made.map(({ ms }) => ms);
  const [first, last] = [Math.min(...made.map(({ at }) => at)), Math.max(...made.map(({ at }) => at))];
  const decades = Math.max(1, Math.ceil(decadeOf(Math.max(...times))));
  const heightOf = (ms: number): number => (decadeOf(ms) / decades) * (HEIGHT - 2 * MARGIN);
  const failed = made.filter(({ taken }) => !taken).length;
  const said = `Last attempts: half within ${duration(quantile(times, 0.5))}, 95 % within ${duration(quantile(times, 0.95))}; ${failed} of ${made.length} failed`;
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": said });
  for (let ms = 10, decade = 1; decade <= decades; ms *= 10, decade++) {
    const y = HEIGHT - MARGIN - heightOf(ms);
    const label = svg("text", { x: 4, y: y + 11, class: "tick" });
    label.textContent = duration(ms);
    picture.append(svg("line", { x1: 0, x2: WIDTH, y1: y, y2: y, class: "decade" }), label);
  }
  for (const { at, ms, taken } of made) {
    const x = MARGIN + (WIDTH - 2 * MARGIN) * (last > first ? (at - first) / (last - first) : 1);
    const y = HEIGHT - MARGIN - heightOf(ms);
    // shape tells what colour cannot to everybody
    picture.append(
      taken
        ? svg("circle", { cx: x, cy: y, r: 3.5, class: "delivered" })
        : svg("path", { d: `M${x - 4} ${y - 4}l8 8m0-8l-8 8`, class: "failed" }),
    );
  }
  place.replaceChildren(picture, quiet(`${said}. Dots were taken, crosses failed.`));
}
