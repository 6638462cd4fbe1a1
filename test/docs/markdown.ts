// The documentation's pages, taken apart as far as tests need it. Knows no program.
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's folder. */
export const root = fileURLToPath(new URL("../../", import.meta.url));

/** All pages, as paths from the root. */
export const PAGES = ["", "docs/"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".md"))
    .map((name) => `${folder}${name}`),
);

/** The text without fenced code. */
export function proseOf(text: string): string {
  return text.replace(/^( *)```.*\n[\s\S]*?^\1```$/gm, "");
}

/** Targets of links and pictures. */
export function linksOf(text: string): string[] {
  return [...proseOf(text).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link);
}

/** The anchors of a page's headings, as GitHub makes them. */
export function headings(text: string): string[] {
  return [...proseOf(text).matchAll(/^#+ (.+)$/gm)].map(([, title]) =>
    title
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, "")
      .replace(/\s/g, "-"),
  );
}

export interface Table {
  readonly head: string;
  readonly rows: readonly string[];
  /** From the last heading to the table, code included. */
  readonly section: string;
}

/** Every table of a page. */
export function tablesOf(text: string): Table[] {
  const tables: Table[] = [];
  const lines = text.split("\n");
  let heading = 0;
  for (let i = 0; i < lines.length; i++) {
    if (/^#+ /.test(lines[i])) heading = i;
    if (!/^\s*\|/.test(lines[i]) || !/^\s*\|[-| ]+\|$/.test(lines[i + 1] ?? "")) continue;
    let end = i + 2;
    while (/^\s*\|/.test(lines[end] ?? "")) end++;
    tables.push({ head: lines[i], rows: lines.slice(i + 2, end), section: lines.slice(heading, i + 1).join("\n") });
    i = end;
  }
  return tables;
}

/** Every command line of a fenced block of shell, lines that end in a backslash joined. */
export function commandLinesOf(text: string): string[] {
  const blocks = [...text.matchAll(/^( *)```sh\n([\s\S]*?)^\1```$/gm)].map(([, , block]) => block);
  return blocks.flatMap((block) =>
    block
      .replace(/\\\n\s*/g, "")
      .split("\n")
      .map((line) => line.trim())
      .filter((line) => line !== ""),
  );
}
