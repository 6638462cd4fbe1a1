// The tags of a page, strictly: enough to hold what the report writes to its own rules. No parser for HTML at large.
import { expect } from "vitest";

export interface Tag {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
}

const VOID = ["meta", "link", "br"];

/** Opening tags in order. Throws where a tag is not closed, closes another, or holds an attribute without quotes. */
export function parseTags(page: string): Tag[] {
  const tags: Tag[] = [];
  const open: string[] = [];
  const body = page.replace(/<style>[^<]*<\/style>/, "").replace(/^<!doctype html>/, "");
  for (const [whole, closing, name, rest] of body.matchAll(/<(\/?)([^\s/>]*)([^>]*)>/g)) {
    expect(name, whole).toMatch(/^[a-z][a-z0-9]*$/);
    if (closing) {
      expect(open.pop(), `what ${whole} closes`).toBe(name);
      continue;
    }
    const attributes: Record<string, string> = {};
    const remains = rest.replace(/ ([a-z0-9:-]+)="([^"<]*)"/gi, (_, key, value) => {
      attributes[key] = value;
      return "";
    });
    expect(remains.trim(), whole).toMatch(/^\/?$/);
    tags.push({ name, attributes });
    if (!VOID.includes(name) && !remains.includes("/")) open.push(name);
  }
  expect(open).toEqual([]);
  return tags;
}
