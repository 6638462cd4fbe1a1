// docs: the page docs/cli.md, from the declared commands.
import { type AnyCommand, declareCommand, type Option, optionName } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";

/** The command, for the commands that `list` gives. */
export function createDocsCommand(list: () => readonly AnyCommand<Dependencies>[]) {
  return declareCommand({
    name: "docs",
    summary: "Print docs/cli.md",
    words: {},
    options: {},
    examples: ["docs", "docs > docs/cli.md"],
    isHidden: true,
    run: (_: unknown, { terminal }: Dependencies) => terminal.print(renderPage(list().filter(({ isHidden }) => !isHidden)).trimEnd()),
  });
}

const HEAD = `# Commands

This page is written by \`npm run docs:cli\` from the declared commands in \`trainer/commands/\`.

\`quickstep\` stands for \`npm run quickstep --\` in the repository and for \`npx quickstep\` where the package is installed.
\`quickstep --help\` and \`quickstep <command> --help\` print the same.

Progress and prose go to stderr. Results go to stdout; with \`--json\` the result is one JSON document.
npm writes two lines of its own to stdout: \`npm run --silent quickstep --\` leaves them out, for results that go to a file or another program.

| exit code | meaning |
|---|---|
| 0 | done |
| 1 | internal error |
| 2 | bad usage or bad data; nothing is written |
| 130 | interrupted |
`;

/** Markdown: one section a command, its options in tables by their headings. */
function renderPage(commands: readonly AnyCommand<Dependencies>[]): string {
  const list = commands.map(({ name, summary }) => `| [\`${name}\`](#${name}) | ${cell(summary)} |`);
  return [HEAD, "| command | what it does |", "|---|---|", ...list, "", ...commands.flatMap(renderCommand)].join("\n");
}

function renderCommand({ name, summary, words, options, examples }: AnyCommand<Dependencies>): string[] {
  const usage = [
    "quickstep",
    name,
    ...Object.entries(words).map(([word, { isRepeated }]) => `<${word}>${isRepeated ? "…" : ""}`),
    "[options]",
  ];
  const names = new Set(Object.values(options).map(({ group }) => group));
  const groups = Array.from(names, (name) => [name, Object.entries(options).filter(([, { group }]) => group === name)] as const);
  return [
    `## ${name}`,
    "",
    `${summary}.`,
    "",
    "```sh",
    usage.join(" "),
    "```",
    "",
    ...(Object.keys(words).length === 0
      ? []
      : ["| word | meaning |", "|---|---|", ...Object.entries(words).map(([word, { help }]) => `| \`<${word}>\` | ${cell(help)} |`), ""]),
    ...Array.from(groups, ([group, declared]) => [
      `${group}`,
      "",
      "| option | meaning | default |",
      "|---|---|---|",
      ...declared.map(renderOption),
      "",
    ]).flat(),
    "Examples:",
    "",
    "```sh",
    ...examples.map((example) => `quickstep ${example}`),
    "```",
    "",
  ];
}

function renderOption([key, { placeholder, help, defaultText }]: readonly [string, Option<unknown>]): string {
  return `| \`--${optionName(key)}${placeholder === undefined ? "" : ` ${placeholder}`}\` | ${cell(help)} | ${cell(defaultText)} |`;
}

/** A cell of a Markdown table: text that looks like a tag is code, a bar is a bar. */
function cell(text: string): string {
  return text.replace(/<[^>]+>(?:\S*[\w>])?/g, "`$&`").replaceAll("|", "\\|");
}
