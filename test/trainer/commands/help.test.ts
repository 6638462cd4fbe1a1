// What a stranger sees: the help of every command, the nearest word after a mistake, and the page that lists all options.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";

const MAIN = fileURLToPath(new URL("../../../trainer/main.ts", import.meta.url));
const PAGE = readFileSync(new URL("../../../docs/cli.md", import.meta.url), "utf8");

function quickstep(...argv: string[]): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...argv], { encoding: "utf8" });
  return { status, stdout, stderr };
}

const COMMANDS = Array.from(PAGE.matchAll(/^## (\S+)$/gm), ([, name]) => name);

test("docs/cli.md is what npm run docs:cli writes", () => {
  expect(PAGE).toBe(quickstep("docs").stdout);
  expect(COMMANDS).toEqual(expect.arrayContaining(["train", "diagnose", "evaluate", "score", "inspect", "sample", "import", "calibrate"]));
  expect(COMMANDS).toEqual(expect.arrayContaining(["export", "serve", "verify", "start"]));
});

test("quickstep --help exits 0 and lists every command; so does nothing at all; --version is the package's", () => {
  const help = quickstep("--help");
  expect([help.status, help.stderr]).toEqual([0, ""]);
  for (const name of COMMANDS) expect(help.stdout).toMatch(new RegExp(`^ {2}${name} +[A-Z]`, "m"));
  expect(help.stdout.match(/^ {2}npm run quickstep -- /gm)?.length).toBe(2);
  expect(quickstep()).toEqual(help);
  const { version } = JSON.parse(readFileSync(new URL("../../../package.json", import.meta.url), "utf8"));
  expect(quickstep("--version")).toEqual({ status: 0, stdout: `${version}\n`, stderr: "" });
});

describe.each(COMMANDS)("%s --help", (name) => {
  test("exits 0 and says every word and option with its default, and two examples that start with the command", () => {
    const { status, stdout, stderr } = quickstep(name, "--help");
    expect([status, stderr]).toEqual([0, ""]);
    const section = PAGE.split(/^## /m).find((text) => text.startsWith(`${name}\n`)) ?? "";
    const flat = stdout.replace(/\s+/g, " ");
    const rows = Array.from(section.matchAll(/^\| `(--\S+)(?: ([^`]+))?` \| (.*?) \| (.*?) \|$/gm));
    for (const [, option, value, help, fallback] of rows) {
      const plain = (text: string): string => text.replaceAll("`", "").replaceAll("\\|", "|");
      expect(flat).toContain(`${option}${value ? ` <${value}>` : ""} ${plain(help)} (default: ${plain(fallback)})`);
    }
    expect(stdout.match(/ --[a-z-]+/g)?.length).toBeGreaterThanOrEqual(rows.length);
    const examples = stdout.match(/^ {2}npm run quickstep -- .*$/gm) ?? [];
    expect(examples.length).toBe(2);
    for (const example of examples) expect(example).toContain(`-- ${name}`);
  });
});

test.each([
  [["trian", "mine.npz"], "unknown command trian; did you mean train?", "train --help"],
  [["train", "mine.npz", "--epoch", "3"], "unknown option --epoch; did you mean --epochs?", "train --help"],
  [["score", "m.safetensors", "new.csv", "--oout", "q.csv"], "unknown option --oout; did you mean --out?", "score --help"],
  [["sample", "sp5000"], "the sample must be sp500 or fx, got sp5000", "sample --help"],
  [["qwertyuiop"], "unknown command qwertyuiop", "--help"],
])("%j is one sentence and where the help is, no page of usage", (argv, sentence, help) => {
  const see = `see npm run quickstep -- ${help}`;
  expect(quickstep(...argv)).toEqual({ status: 2, stdout: "", stderr: `quickstep: ${sentence}\n${see}\n` });
});
