// What surrounds a figure: caption, keys to lines and classes.
import { html, type Markup } from "./html.ts";
import { BLUE, LINE_STYLES, ORANGE } from "./palette.ts";

/** A figure with its caption below it, and a legend between them. */
export function frame(svg: Markup, caption: Markup, legend: Markup | null = null): Markup {
  return html`<figure>${svg}${legend}<figcaption>${caption}</figcaption></figure>`;
}

/** Names of the lines in the order of LINE_STYLES. */
export function lineLegend(names: readonly string[]): Markup {
  return html`<ul class="legend">${names.map((name, i) => {
    const { color, strokeWidth, strokeDash } = LINE_STYLES[i % LINE_STYLES.length];
    return html`<li><svg viewBox="0 0 26 10" aria-hidden="true"><line x1="0" x2="26" y1="5" y2="5" stroke="${color}" stroke-width="${strokeWidth}" stroke-dasharray="${strokeDash.join(" ")}"/></svg>${name}</li>`;
  })}</ul>`;
}

/** The two classes as class-layers.ts draws them. */
export function classLegend(): Markup {
  const swatch = (colour: string, opacity: number): Markup =>
    html`<svg viewBox="0 0 26 10" aria-hidden="true"><rect x="1" y="1" width="24" height="8" fill="${colour}" fill-opacity="${opacity}" stroke="${colour}"/></svg>`;
  return html`<ul class="legend"><li>${swatch(BLUE.light, 0.28)}label 0</li><li>${swatch(ORANGE.light, 0.16)}label 1</li></ul>`;
}
