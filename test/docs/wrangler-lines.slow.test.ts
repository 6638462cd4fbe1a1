// Every wrangler line of the documentation, held against the help of the wrangler that is installed.
import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { PAGES, root } from "./markdown.ts";

const COMMANDS = [
  "versions upload",
  "versions deploy",
  "versions list",
  "secret put",
  "r2 object put",
  "deploy",
  "dev",
  "rollback",
  "tail",
];

test("every wrangler line names a command and options that exist", { timeout: 120_000 }, () => {
  const text = PAGES.map((page) => readFileSync(join(root, page), "utf8")).join("\n");
  const lines = [...text.matchAll(/wrangler ([a-z][^`\n|;]*)/g)].map(([, words]) => words.trim());
  const called = lines.filter((words) => /--|^(versions|secret)/.test(words));
  expect(called.length).toBeGreaterThan(10);
  const helps = new Map<string, string>();
  const faults = called.flatMap((words) => {
    const command = COMMANDS.find((known) => words.startsWith(known));
    if (command === undefined) return [`${words}: not one of ${COMMANDS.join(", ")}`];
    if (!helps.has(command)) {
      const wrangler = join(root, "node_modules/wrangler/bin/wrangler.js");
      const { stdout } = spawnSync(process.execPath, [wrangler, ...command.split(" "), "--help"], { encoding: "utf8" });
      helps.set(command, stdout);
    }
    const options = [...words.matchAll(/(?<= )--([a-z-]+)/g)].map(([, option]) => option);
    return options.filter((option) => !new RegExp(`--${option}\\b`).test(helps.get(command)!)).map((option) => `${words}: no --${option}`);
  });
  expect(faults).toEqual([]);
});
