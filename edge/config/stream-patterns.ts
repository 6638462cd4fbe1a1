// Which streams a key or a source is bound to: `north-*` are all whose key begins so, `north-7` is one.

export interface StreamPattern {
  readonly text: string;
  /** Whether `text` is how the key begins, rather than all of it. */
  readonly isPrefix: boolean;
}

/** A star counts at the end alone. Undefined where `text` is empty or has a star elsewhere. */
export function parsePattern(text: string): StreamPattern | undefined {
  const isPrefix = text.endsWith("*");
  const rest = isPrefix ? text.slice(0, -1) : text;
  return text === "" || rest.includes("*") ? undefined : { text: rest, isPrefix };
}

/** Whether the stream of `key` is among `patterns`. */
export function isWithin(key: string, patterns: readonly StreamPattern[]): boolean {
  return patterns.some(({ text, isPrefix }) => (isPrefix ? key.startsWith(text) : key === text));
}
