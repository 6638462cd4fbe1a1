// How an error shows what stands in a file: names and cells in quotes, and never more than a glance.

/** Control characters, line separators of Unicode, and what turns the direction of writing. */
export const STEERING = /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu;

/** A name of one line: what would break or steer a line is a space. A header of Excel's may have line feeds. */
export function plainName(name: string): string {
  return name.search(STEERING) < 0 ? name : name.replace(STEERING, " ").replace(/ +/g, " ").trim();
}

/** Up to four columns by name. */
export function list(header: readonly string[] | null, columns: readonly number[]): string {
  const names = columns.slice(0, 4).map((i) => show(header?.[i] ?? ""));
  return names.join(", ") + (columns.length > 4 ? ", …" : "");
}

/** As an error names a column. */
export function nameColumn(header: readonly string[] | null, i: number): string {
  return header ? `column ${show(header[i])}` : `column ${i + 1}`;
}

/** A text as an error shows it: in quotes, at most 40 characters. */
export function show(text: string): string {
  return JSON.stringify(text.length > 40 ? `${text.slice(0, 39)}…` : text);
}

/** A first column without a name, as pandas calls it and options name it. */
export const UNNAMED = "Unnamed: 0";

/** A name as a shell takes it for one word. */
export function quoteWord(name: string): string {
  return /^[\w.-]+$/.test(name) ? name : JSON.stringify(name);
}
