// JSON Pointer (RFC 6901): a place in a document, written as text.
import type { Path } from "../../shared/errors.ts";

/** The pointer's reference tokens, unescaped. Undefined where `text` is no pointer. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === "") return [];
  if (!text.startsWith("/") || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/** What stands there, undefined where nothing does; with its path, indices as numbers. Only the document's own keys count. */
export function follow(document: unknown, tokens: readonly string[]): { readonly value: unknown; readonly path: Path } {
  let value = document;
  const path: (string | number)[] = [];
  for (const token of tokens) {
    const isIndex = Array.isArray(value) && /^(0|[1-9]\d*)$/.test(token);
    path.push(isIndex ? Number(token) : token);
    if (typeof value !== "object" || value === null || (Array.isArray(value) ? !isIndex : !Object.hasOwn(value, token))) value = undefined;
    else value = (value as Record<string, unknown>)[token];
  }
  return { value, path };
}
