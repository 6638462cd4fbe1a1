// A table that scrolls by itself where it is wider than the page, by keyboard as well. Knows no cell.
import { html, type Markup } from "./html.ts";

/** `table` in a frame that takes the focus, so that arrow keys scroll it. */
export function wideTable(table: Markup): Markup {
  return html`<div class="wide" tabindex="0" role="group" aria-label="table">${table}</div>`;
}
