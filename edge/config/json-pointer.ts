// JSON Pointer (RFC 6901): a place in a document, written as text; as the configuration names it, and followed into a document.
import { describe, type Path } from "../../shared/errors.ts";
import { ConfigurationError, HEADER_NAME } from "./configuration.ts";

/** The pointer's reference tokens, unescaped. Undefined where `text` is no pointer. */
export function parsePointer(text: string): readonly string[] | undefined {
  if (text === "") return [];
  if (!text.startsWith("/") || /~(?![01])/.test(text)) return undefined;
  return text
    .slice(1)
    .split("/")
    .map((token) => token.replaceAll("~1", "/").replaceAll("~0", "~"));
}

/**
 * The value at `tokens` in `document`, undefined where there is none; with its path, indices as numbers. Only the document's own keys
 * count.
 */
export function followPointer(document: unknown, tokens: readonly string[]): { readonly value: unknown; readonly path: Path } {
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

/** The tokens of the pointer that stands at `path` of the configuration. Throws ConfigurationError, which reads `must be ${what}`. */
export function parsePointerAt(value: unknown, path: Path, what = "a JSON Pointer such as /data/ticker"): readonly string[] {
  const tokens = typeof value === "string" ? parsePointer(value) : undefined;
  if (tokens === undefined) throw new ConfigurationError(path, `must be ${what}`, describe(value));
  return tokens;
}

/** `header:x-device`; undefined for anything else. */
export function parseHeaderPlace(value: unknown): { readonly header: string } | undefined {
  const header = typeof value === "string" && value.startsWith("header:") ? value.slice("header:".length) : "";
  return HEADER_NAME.test(header) ? { header } : undefined;
}
