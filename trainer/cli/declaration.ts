// What a command is: its words and options, each with its help and its default, two examples, and what it does.
// Knows neither a command nor the parser.

/** A word that follows the command's name. */
export interface Word {
  readonly help: string;
  /** Whether it may be said more than once; only the last word of a command may. */
  readonly isRepeated: boolean;
}

export interface Option<T> {
  /** What stands for the value in the help, as `N` or `FILE`; undefined where the option takes no value. */
  readonly placeholder?: string;
  readonly help: string;
  /** What happens where the option is not given, in words. */
  readonly defaultText: string;
  /** The value where the option is not given. */
  readonly defaultValue: T;
  /** The heading that the help lists the option under. */
  readonly group: string;
  /** Text → value, for the option `--name`. Throws UsageError. */
  read(text: string, name: string): T;
}

export type Words = Readonly<Record<string, Word>>;
export type Options = Readonly<Record<string, Option<unknown>>>;

/** What the words and options of a command line became. */
export type Values<W, O> = {
  readonly [K in keyof W]: W[K] extends { readonly isRepeated: true } ? readonly string[] : string;
} & { readonly [K in keyof O]: O[K] extends Option<infer T> ? T : never };

/** A declared command. `D` is what it needs of the machine. Keys of words and options are camelCase; `testLabels` is `--test-labels`. */
export interface Command<W extends Words, O extends Options, D> {
  readonly name: string;
  /** What it does, in one line. */
  readonly summary: string;
  readonly words: W;
  readonly options: O;
  /** Two command lines, without the program's name. */
  readonly examples: readonly string[];
  /** Left out of the list of commands. */
  readonly isHidden?: boolean;
  run(values: Values<W, O>, dependencies: D): void | Promise<void>;
}

/** Any command, for whoever lists and starts them. */
export interface AnyCommand<D> extends Omit<Command<Words, Options, D>, "run"> {
  run(values: Readonly<Record<string, unknown>>, dependencies: D): void | Promise<void>;
}

/** A command as it is written down: the types of its values follow from its words and options. */
export function declareCommand<const W extends Words, const O extends Options, D>(command: Command<W, O, D>): Command<W, O, D> {
  return command;
}

/** A word that must follow the command's name. */
export function word(help: string): { readonly help: string; readonly isRepeated: false } {
  return { help, isRepeated: false };
}

/** One word or more, the last of a command. */
export function words(help: string): { readonly help: string; readonly isRepeated: true } {
  return { help, isRepeated: true };
}

type Read<T> = (text: string, name: string) => T;

export const MAIN_GROUP = "Options:";

/** An option that may be left out, undefined then; `defaultText` says what happens in that case. */
export function option<T>(placeholder: string, read: Read<T>, help: string, defaultText: string): Option<T | undefined> {
  return { placeholder, read, help, defaultText, defaultValue: undefined, group: MAIN_GROUP };
}

/** An option that has the value `defaultValue` where it is not given. */
export function optionWithDefault<T extends string | number>(
  placeholder: string,
  read: Read<T>,
  help: string,
  defaultValue: NoInfer<T>,
): Option<T> {
  return { placeholder, read, help, defaultText: String(defaultValue), defaultValue, group: MAIN_GROUP };
}

/** An option without a value: true where it is given. */
export function flag(help: string): Option<boolean> {
  return { read: () => true, help, defaultText: "off", defaultValue: false, group: MAIN_GROUP };
}

/** The same options under a heading of their own. */
export function grouped<const O extends Options>(group: string, options: O): O {
  return Object.fromEntries(Object.entries(options).map(([key, declared]) => [key, { ...declared, group }])) as unknown as O;
}

/** `testLabels` → `test-labels`. */
export function optionName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}
