// The suites of test/outside, as far as they can be held without Python: locks with hashes, no address of any index, and the table in
// docs/architecture.md that says whose library proves what, in which version.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { root, tablesOf } from "./markdown.ts";

const FOLDER = join(root, "test", "outside");
const SUITES = readdirSync(FOLDER, { withFileTypes: true }).flatMap((entry) =>
  entry.isDirectory() && entry.name !== "modules" ? [entry.name] : [],
);
/** One package a line, as pip-compile writes them: the name and version, then hashes on lines that a backslash continues. */
const packagesOf = (text: string): string[] =>
  text
    .replace(/\\\n/g, " ")
    .split("\n")
    .map((line) => line.replace(/#.*/, "").trim())
    .filter((line) => line !== "");

describe.each(SUITES)("test/outside/%s", (suite) => {
  const read = (name: string): string => readFileSync(join(FOLDER, suite, name), "utf8");
  const isNode = existsSync(join(FOLDER, suite, "package.json"));

  test.runIf(existsSync(join(FOLDER, suite, "requirements.lock")))("locks every package to a version and hashes", () => {
    const locked = packagesOf(read("requirements.lock"));
    for (const line of locked) expect(line).toMatch(/^[\w.-]+==\S+( +--hash=sha256:[0-9a-f]{64})+$/);
    const versions = locked.map((line) => line.split(" ")[0].toLowerCase());
    for (const pin of packagesOf(read("requirements.in"))) expect(versions).toContain(pin.toLowerCase());
  });

  test("names no address of an index", () => {
    for (const name of readdirSync(join(FOLDER, suite)).filter((name) => name.startsWith("requirements")))
      expect(read(name)).not.toMatch(/:\/\/|--(extra-)?index-url|--find-links|--trusted-host/);
    if (isNode) expect(read("package-lock.json")).not.toContain('"resolved"');
  });

  test("has a row in docs/architecture.md, which names each library and its version", () => {
    const tables = tablesOf(readFileSync(join(root, "docs/architecture.md"), "utf8"));
    const { rows } = tables.find(({ section }) => section.includes("## Proved with other people's libraries"))!;
    const row = rows.find((text) => text.startsWith(`| \`${suite}\` |`));
    expect(row, `a row of \`${suite}\``).toBeDefined();
    if (existsSync(join(FOLDER, suite, "requirements.in")))
      for (const pin of packagesOf(read("requirements.in"))) expect(row).toContain(pin.replace("==", " "));
    if (isNode)
      for (const [name, version] of Object.entries(JSON.parse(read("package.json")).dependencies))
        expect(row).toContain(`${name} ${version}`);
  });
});
