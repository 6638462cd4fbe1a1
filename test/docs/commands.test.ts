// Every command line in a fenced block of the documentation: commands, scripts and options that exist. Wrangler's own are held
// against its help by wrangler-lines.slow.test.ts.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { commandLinesOf, PAGES, root } from "./markdown.ts";

const LINES = PAGES.flatMap((page) => commandLinesOf(readFileSync(join(root, page), "utf8")).map((line) => ({ page, line })));
const { scripts } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as { scripts: Record<string, string> };

const helps = new Map<string, string>();
/** What `quickstep <words> --help` prints; it must exit with 0. */
function helpOf(...words: string[]): string {
  const key = words.join(" ");
  const known = helps.get(key);
  if (known !== undefined) return known;
  const { status, stdout } = spawnSync(process.execPath, [join(root, "trainer/main.ts"), ...words, "--help"], { encoding: "utf8" });
  const help = status === 0 ? stdout : "";
  helps.set(key, help);
  return help;
}

/** Whether `help` declares the option, and whether with a value: `--out <FILE>`, `-V, --version`. */
function declares(help: string, option: string): "value" | "flag" | undefined {
  const [, value] = new RegExp(`^ +(?:-\\w, )?${option}( <[^>]+>)?(?= |$)`, "m").exec(help) ?? [];
  return new RegExp(`^ +(?:-\\w, )?${option}(?= |$)`, "m").test(help) ? (value === undefined ? "flag" : "value") : undefined;
}

/** What is wrong with the words behind `quickstep`, or undefined. */
function faultOf(words: readonly string[]): string | undefined {
  const [command, ...rest] = words;
  if (command.startsWith("-")) return ["--help", "--version"].includes(command) ? undefined : `there is no ${command}`;
  const help = helpOf(command);
  if (help === "") return `there is no command ${command}`;
  for (const [i, word] of rest.entries()) {
    if (!/^--?[a-z]/.test(word) || word === "--help") continue;
    const [option, given] = word.split("=", 2);
    const kind = declares(help, option);
    if (kind === undefined) return `${command} has no option ${option}`;
    const hasValue = given !== undefined || (rest[i + 1] !== undefined && !rest[i + 1].startsWith("--"));
    if (kind === "value" && !hasValue) return `${command} ${option} needs a value`;
  }
  return undefined;
}

/** The words behind `quickstep` in a line, undefined where the line calls something else. */
function wordsOf(line: string): string[] | undefined {
  const plain = line.replace(/^(?:[A-Z_]+=\S+ )+/, "");
  if (/^npm start\b/.test(plain)) return ["start", ...plain.split(/\s+/).slice(3)];
  const [, words] = /(?:^|\s)(?:npm run (?:--silent )?quickstep --|npx quickstep) (.+)$/.exec(plain) ?? [];
  return words?.split(/\s+/);
}

const calls = LINES.flatMap(({ page, line }) => {
  const words = wordsOf(line);
  return words === undefined ? [] : [{ page, line, words }];
});

test("every quickstep line names a command and options that exist", { timeout: 60_000 }, () => {
  expect(calls.length).toBeGreaterThan(20);
  expect(calls.flatMap(({ page, line, words }) => (faultOf(words) === undefined ? [] : [`${page}: ${line}: ${faultOf(words)}`]))).toEqual(
    [],
  );
});

test("a word that does not exist is found", () => {
  expect(faultOf(["trian", "mine.npz"])).toBe("there is no command trian");
  expect(faultOf(["train", "mine.npz", "--epoch", "3"])).toBe("train has no option --epoch");
  expect(faultOf(["train", "mine.npz", "--out"])).toBe("train --out needs a value");
});

test("every npm line names a script that exists", () => {
  const named = LINES.flatMap(({ line }) => [...line.matchAll(/npm run (?:--silent )?([\w:-]+)/g)].map(([, script]) => script));
  expect(named.filter((script) => scripts[script] === undefined)).toEqual([]);
});

test("a curl that writes a file fails where the Worker refuses", () => {
  expect(LINES.filter(({ line }) => /\bcurl\b.* -o /.test(line) && !/ --fail/.test(line))).toEqual([]);
});

test("a wrangler line that deploys names its environment", () => {
  const deploys = LINES.filter(({ line }) => /wrangler (versions )?(deploy|upload)\b|wrangler rollback\b/.test(line));
  expect(deploys.length).toBeGreaterThan(5);
  expect(deploys.filter(({ line }) => !/ --env(=""| onnx)/.test(line))).toEqual([]);
});
