// argv → the declared command and its values, or a text to print, or one sentence about what cannot be understood. Parsing, help
// and suggestions are commander's.
import { Command, CommanderError, Option as ParserOption } from "commander";
import { UsageError } from "../../shared/errors.ts";
import { type AnyCommand, type Option, optionName } from "./declaration.ts";

export type CommandLine<D> =
  | { readonly kind: "command"; readonly command: AnyCommand<D>; readonly values: Readonly<Record<string, unknown>> }
  | { readonly kind: "text"; readonly text: string }
  | {
      readonly kind: "mistake";
      readonly sentence: string;
      /** The command whose help says more; undefined: the program's. */
      readonly command?: string;
    };

export interface Program<D> {
  readonly commands: readonly AnyCommand<D>[];
  readonly version: string;
  /** What it does, in one line. */
  readonly summary: string;
  /** How it is called here, as `npx quickstep`. */
  readonly call: string;
  /** Two command lines, without the program's name. */
  readonly examples: readonly string[];
  /** What ends the help. */
  readonly footer: string;
}

/** Reads a command line; `argv` holds neither Node nor the program. What cannot be understood is a mistake, and no error. */
export function readCommandLine<D>(program: Program<D>, argv: readonly string[]): CommandLine<D> {
  const chosen: { readonly command: AnyCommand<D>; readonly parsed: Command }[] = [];
  const printed: string[] = [];
  const parser = createParser(program, printed, (command, parsed) => {
    chosen.push({ command, parsed });
  });
  try {
    parser.parse(simplify(program, argv), { from: "user" });
    const { command, parsed } = chosen[0];
    return { kind: "command", command, values: readValues(command, parsed.args, parsed.opts()) };
  } catch (error) {
    const command = chosen[0]?.command.name ?? program.commands.find(({ name }) => name === argv[0])?.name;
    if (error instanceof UsageError) return { kind: "mistake", sentence: error.message, command };
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "text", text: printed.join("") };
    const { sentence, suggestion } = describeMistake(error);
    const nearest = program.commands.find(({ name }) => name === suggestion)?.name;
    return { kind: "mistake", sentence, command: command ?? nearest };
  }
}

/** `help train` is `train --help`; nothing is `--help`; of an unknown command nothing but its name matters. */
function simplify<D>({ commands }: Pick<Program<D>, "commands">, argv: readonly string[]): readonly string[] {
  const [first, ...rest] = argv;
  if (first === undefined) return ["--help"];
  if (first === "help") return rest.length === 0 ? ["--help"] : simplify({ commands }, [rest[0], "--help"]);
  return first.startsWith("-") || commands.some(({ name }) => name === first) ? argv : [first];
}

/** A parser of all declared commands that ends no process: help goes to `printed`, a command that was said to `onCommand`. */
function createParser<D>(
  { commands, version, summary, call, examples, footer }: Program<D>,
  printed: string[],
  onCommand: (command: AnyCommand<D>, parsed: Command) => void,
): Command {
  const parser = new Command(call)
    .description(summary)
    .usage("<command> …")
    .version(version, "-V, --version", "print the version")
    .helpOption("-h, --help", "print this help")
    .helpCommand(false)
    .enablePositionalOptions() // the program's --version goes before a command, which may have one of its own
    .exitOverride()
    .configureOutput({ writeOut: (text) => printed.push(text), writeErr: () => {} })
    .configureHelp({ subcommandTerm: (sub) => sub.name() })
    .addHelpText("after", `\n${describeExamples(call, examples)}\n\n${footer}\n\n${call} <command> --help says more.`);
  for (const command of commands) {
    const sub = parser
      .command(command.name, { hidden: command.isHidden ?? false })
      .summary(command.summary)
      .description(`${command.summary}.`)
      .usage(
        `${Object.entries(command.words)
          .map(([name, { isRepeated }]) => `<${name}>${isRepeated ? "…" : ""}`)
          .join(" ")} [options]`.trim(),
      )
      .allowExcessArguments()
      .addHelpText("after", `\n${describeExamples(call, command.examples)}`)
      .action((...parts: unknown[]) => onCommand(command, parts.at(-1) as Command));
    for (const [name, { help, isRepeated }] of Object.entries(command.words)) sub.argument(`<${name}${isRepeated ? "..." : ""}>`, help);
    for (const [key, declared] of Object.entries(command.options)) sub.addOption(toParserOption(key, declared));
  }
  return parser;
}

function describeExamples(call: string, examples: readonly string[]): string {
  return `Examples:\n${examples.map((example) => `  ${call} ${example}`).join("\n")}`;
}

function toParserOption(key: string, { placeholder, help, defaultText, group }: Option<unknown>): ParserOption {
  const flags = `--${optionName(key)}${placeholder === undefined ? "" : ` <${placeholder}>`}`;
  return new ParserOption(flags, `${help} (default: ${defaultText})`).helpGroup(group);
}

/** The words and options by their declared names, each option's text read. Throws UsageError. */
function readValues<D>(command: AnyCommand<D>, args: readonly string[], given: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const values: Record<string, unknown> = {};
  const declared = Object.entries(command.words);
  declared.forEach(([name, { isRepeated }], i) => {
    values[name] = isRepeated ? args.slice(i) : args[i];
  });
  const isEndless = declared.at(-1)?.[1].isRepeated ?? false;
  if (!isEndless && args.length > declared.length) throw new UsageError(`unexpected word ${args[declared.length]}`);
  for (const [key, option] of Object.entries(command.options)) {
    const text = given[key];
    if (typeof text === "string" && text.startsWith("--")) throw new UsageError(`--${optionName(key)} needs a value`);
    values[key] = text === undefined ? option.defaultValue : option.read(String(text), optionName(key));
  }
  return values;
}

/** commander's message as a sentence of ours, and the nearest word where it knows one. Its codes are public, its wording is pinned by a test. */
function describeMistake({ code, message }: CommanderError): { readonly sentence: string; readonly suggestion?: string } {
  const named = /'([^']*)'/.exec(message)?.[1] ?? "";
  const suggestion = /\(Did you mean (?:one of )?([^,?]+)/.exec(message)?.[1];
  const hint = suggestion === undefined ? "" : `; did you mean ${suggestion}?`;
  switch (code) {
    case "commander.unknownCommand":
      return { sentence: `unknown command ${named}${hint}`, suggestion };
    case "commander.unknownOption":
      return { sentence: `unknown option ${named}${hint}`, suggestion };
    case "commander.missingArgument":
      return { sentence: `<${named}> is missing` };
    case "commander.optionMissingArgument":
      return { sentence: `${named.split(" ")[0]} needs a value` };
    default:
      return { sentence: message.replace(/^error: /, "") };
  }
}
