// HTML text in which everything is escaped unless it says it is markup already. Knows no page.

/** HTML that is safe to place as it is. */
export class Markup {
  readonly text: string;
  constructor(text: string) {
    this.text = text;
  }
}

type Piece = Markup | string | number | null | undefined | readonly Piece[];

/** Template tag: strings and numbers are escaped, Markup and lists of it are placed as they are, null and undefined are nothing. */
export function html(strings: TemplateStringsArray, ...pieces: readonly Piece[]): Markup {
  return new Markup(strings.reduce((text, next, i) => text + textOf(pieces[i - 1]) + next));
}

function textOf(piece: Piece): string {
  if (piece === null || piece === undefined) return "";
  if (piece instanceof Markup) return piece.text;
  if (typeof piece === "object") return piece.map(textOf).join("");
  return escapeHtml(String(piece));
}

const ENTITIES: Readonly<Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#39;" };

/** For text and quoted attributes. */
export function escapeHtml(text: string): string {
  return cleanText(text).replace(/[&<>"']/g, (character) => ENTITIES[character]);
}

/**
 * Text as a page may hold it: control characters, lone surrogates and the marks that reverse the direction of what follows
 * (Unicode's bidirectional formatting) become U+FFFD. Line breaks and tabs become spaces.
 */
export function cleanText(text: string): string {
  return text
    .replace(/[\t\n\r]/g, " ")
    .toWellFormed()
    .replace(/[\p{Cc}\u200e\u200f\u202a-\u202e\u2066-\u2069\ufffe\uffff]/gu, "\ufffd");
}
