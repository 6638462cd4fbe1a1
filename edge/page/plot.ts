// A sequence as lines, one a feature, each between its own smallest and largest number: SVG, made here.
import { quiet, svg } from "./elements.ts";

const [WIDTH, HEIGHT, MARGIN] = [600, 160, 8];
/** More lines than these nobody reads. */
const MAX_LINES = 8;
/** Told apart in light and dark, and by their dashes where colours are not. */
const COLOURS = ["#0b7285", "#c2570c", "#7048e8", "#2b8a3e", "#c2255c", "#5c7cfa", "#846358", "#868e96"];

/** The path of a line through the numbers among `values`, with gaps where there is none; 0 to 1 across and up. */
function linePath(values: readonly unknown[], low: number, high: number): string {
  let isOpen = false;
  return values
    .map((value, t) => {
      if (typeof value !== "number" || !Number.isFinite(value)) {
        isOpen = false;
        return "";
      }
      const x = MARGIN + ((WIDTH - 2 * MARGIN) * t) / Math.max(1, values.length - 1);
      const y = HEIGHT - MARGIN - (HEIGHT - 2 * MARGIN) * (high > low ? (value - low) / (high - low) : 0.5);
      const command = isOpen ? "L" : "M";
      isOpen = true;
      return `${command}${x.toFixed(1)} ${y.toFixed(1)}`;
    })
    .join("");
}

/** Draws the columns of `rows` into `place`, by their names; nothing where there is no number. */
export function drawSequence(place: HTMLElement, rows: readonly (readonly unknown[])[], names: readonly string[]): void {
  const lines = Array.from({ length: Math.max(0, ...rows.map((row) => row.length)) }, (_, f) => rows.map((row) => row[f]))
    .map((values, f) => ({ values, name: names[f] ?? `number ${f + 1}`, numbers: values.filter((value) => typeof value === "number") }))
    .filter(({ numbers }) => numbers.length > 0)
    .slice(0, MAX_LINES);
  place.hidden = lines.length === 0;
  const said = lines.map(({ name, numbers }) => `${name} from ${Math.min(...numbers)} to ${Math.max(...numbers)}`).join(", ");
  const picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, role: "img", "aria-label": `The sequence: ${said}` });
  const legend = quiet("");
  for (const [i, { values, name, numbers }] of lines.entries()) {
    const stroke = { stroke: COLOURS[i], "stroke-dasharray": i % 2 === 1 ? "7 4" : "" };
    const d = linePath(values, Math.min(...numbers), Math.max(...numbers));
    picture.append(svg("path", { ...stroke, d, fill: "none", "stroke-width": 2.5, "stroke-linecap": "round" }));
    const mark = svg("svg", { viewBox: "0 0 24 8", width: 24, height: 8, "aria-hidden": "true" });
    mark.append(svg("path", { ...stroke, d: "M0 4L24 4", "stroke-width": 3 }));
    legend.append(mark, ` ${name}  `);
  }
  place.replaceChildren(picture, legend);
}
