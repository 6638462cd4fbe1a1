// The verdict at the top of a page: a code or title, one sentence, and key numbers.
import { html, type Markup } from "./html.ts";

export interface VerdictContent {
  readonly isGood: boolean;
  readonly title: string;
  readonly text: string;
  /** What to do next; none where undefined. */
  readonly next?: string;
  readonly keys: readonly (readonly [name: string, value: string, note: string])[];
}

/** One section, without a heading: everything on the page follows from it. */
export function verdictSection({ isGood, title, text, next, keys }: VerdictContent): Markup {
  return html`
    <section class="verdict ${isGood ? "learned" : "failed"}" aria-label="Verdict">
      <p class="code">${title}</p>
      <p class="text">${text}</p>
      ${next === undefined ? null : html`<p>${next}</p>`}
      <dl class="key">${keys.map(([name, value, note]) => html`<div><dt>${name}</dt><dd>${value}<small>${note}</small></dd></div>`)}</dl>
    </section>`;
}
