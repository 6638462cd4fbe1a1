// Where JSON breaks, for the errors of which the runtime names the character alone. Knows no other error of JSON.

/** A text's first quote, a sign of structure, or what else stands between white space. */
const TOKEN = /"|[[\]{},:]|[^\s"[\]{},:]+/g;
const LITERAL = /^(?:["[{\d-]|(?:true|false|null)$)/;

/**
 * ` (line 2 column 7)`, counted from 1, as V8 writes it: of the first token that is no value where one must stand. Empty where there is
 * none.
 */
export function placeOfUnexpected(text: string): string {
  let last = ",";
  TOKEN.lastIndex = 0;
  for (let match = TOKEN.exec(text); match !== null; match = TOKEN.exec(text)) {
    const [token] = match;
    const isValueDue = "[{,:".includes(last) && !["[]", "{}"].includes(last + token);
    if (isValueDue && !LITERAL.test(token)) {
      const lines = text.slice(0, match.index).split("\n");
      return ` (line ${lines.length} column ${lines.at(-1)!.length + 1})`;
    }
    if (token === '"') TOKEN.lastIndex = endOfText(text, match.index);
    last = token;
  }
  return "";
}

/** The index behind the quote that ends the text which begins at `start`. */
function endOfText(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== '"') i += text[i] === "\\" ? 2 : 1;
  return i + 1;
}
