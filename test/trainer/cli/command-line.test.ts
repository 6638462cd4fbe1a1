// A command line as the declared commands take it: values, help, and one sentence about what cannot be understood.
import { describe, expect, test } from "vitest";
import { UsageError } from "../../../shared/errors.ts";
import { choice, integer, names, pair, text } from "../../../trainer/cli/arguments.ts";
import { type Program, readCommandLine } from "../../../trainer/cli/command-line.ts";
import { declareCommand, flag, grouped, option, optionWithDefault, word, words } from "../../../trainer/cli/declaration.ts";

const fit = declareCommand({
  name: "fit",
  summary: "Fit a curve",
  words: { curve: word("kind of curve"), data: words("files") },
  options: {
    outFile: option("FILE", text, "where it goes", "<data>.txt"),
    degree: optionWithDefault("N", integer(0, 9), "degree of the polynomial", 3),
    exact: flag("through every point"),
    version: option("ID", text, "version of the curve", "the latest"),
    ...grouped("Reading:", { format: option("NAME", choice("csv", "npy"), "format of the files", "by their ending") }),
  },
  examples: ["fit spline a.csv", "fit line a.csv b.csv --degree 1"],
  run: () => {},
});
const show = declareCommand({
  name: "show",
  summary: "Show a curve",
  words: { curve: word("kind of curve") },
  options: {},
  examples: ["show line", "show spline"],
  run: () => {},
});
const hidden = declareCommand({ ...show, name: "debug", isHidden: true });

const PROGRAM: Program<unknown> = {
  commands: [fit, show, hidden],
  version: "1.2.3",
  summary: "Curves from points.",
  call: "npm run curves --",
  examples: ["fit spline a.csv", "show line"],
  footer: "Exit codes: 0 done.",
};
const read = (...argv: string[]) => readCommandLine(PROGRAM, argv);
const valuesOf = (...argv: string[]) => {
  const line = read(...argv);
  return line.kind === "command" ? line.values : line;
};

describe("values", () => {
  test("are the words by name, the options read, and the defaults of what is not given", () => {
    expect(valuesOf("fit", "line", "a.csv")).toEqual({
      curve: "line",
      data: ["a.csv"],
      outFile: undefined,
      degree: 3,
      exact: false,
      version: undefined,
      format: undefined,
    });
    expect(
      valuesOf("fit", "--exact", "line", "a.csv", "--out-file=x.txt", "b.csv", "--degree", "1", "-", "--format", "npy", "--version", "7"),
    ).toEqual({
      curve: "line",
      data: ["a.csv", "b.csv", "-"],
      outFile: "x.txt",
      degree: 1,
      exact: true,
      version: "7",
      format: "npy",
    });
  });

  test("the last of an option that is said twice counts; after -- everything is a word", () => {
    expect(valuesOf("fit", "line", "--degree", "1", "--degree", "2", "--", "--a.csv")).toMatchObject({ degree: 2, data: ["--a.csv"] });
  });
});

describe("help", () => {
  test.each([[[]], [["--help"]], [["-h"]], [["help"]]])("%j lists the commands, with two examples", (argv) => {
    const line = read(...argv);
    if (line.kind !== "text") throw new Error(`got ${JSON.stringify(line)}`);
    expect(line.text).toContain("Curves from points.");
    expect(line.text).toMatch(/^ {2}fit +Fit a curve$/m);
    expect(line.text).toMatch(/^ {2}show +Show a curve$/m);
    expect(line.text).not.toContain("debug");
    expect(line.text).toContain("  npm run curves -- fit spline a.csv\n  npm run curves -- show line\n");
    expect(line.text).toContain("Exit codes: 0 done.");
  });

  test.each([[["fit", "--help"]], [["help", "fit"]], [["fit", "line", "--degree", "x", "-h"]]])(
    "%j says what each word and option means, and its default",
    (argv) => {
      const line = read(...argv);
      if (line.kind !== "text") throw new Error(`got ${JSON.stringify(line)}`);
      const flat = line.text.replace(/\s+/g, " ");
      expect(flat).toContain("Usage: npm run curves -- fit <curve> <data>… [options] Fit a curve.");
      expect(flat).toContain("curve kind of curve data files");
      expect(flat).toContain("--out-file <FILE> where it goes (default: <data>.txt)");
      expect(flat).toContain("--degree <N> degree of the polynomial (default: 3)");
      expect(flat).toContain("--exact through every point (default: off)");
      expect(flat).toContain("Reading: --format <NAME> format of the files (default: by their ending)");
      expect(flat).toContain("Examples: npm run curves -- fit spline a.csv npm run curves -- fit line a.csv b.csv --degree 1");
    },
  );

  test("--version is the version", () => {
    expect(read("--version")).toEqual({ kind: "text", text: "1.2.3\n" });
    expect(read("-V")).toEqual({ kind: "text", text: "1.2.3\n" });
  });
});

test.each<[argv: string[], sentence: string, command?: string]>([
  [["fti", "line", "a.csv", "--degree", "1"], "unknown command fti; did you mean fit?", "fit"],
  [["sho", "--help"], "unknown command sho; did you mean show?", "show"],
  [["help", "sho"], "unknown command sho; did you mean show?", "show"],
  [["xyzzy"], "unknown command xyzzy"],
  [["debag"], "unknown command debag"],
  [["--verzion"], "unknown option --verzion; did you mean --version?"],
  [["fit", "line", "a.csv", "--degre", "1"], "unknown option --degre; did you mean --degree?", "fit"],
  [["fit", "line", "a.csv", "--xyzzy"], "unknown option --xyzzy", "fit"],
  [["fit", "line", "a.csv", "--exact=1"], "unknown option --exact=1; did you mean --exact?", "fit"],
  [["fit"], "<curve> is missing", "fit"],
  [["fit", "line"], "<data> is missing", "fit"],
  [["fit", "line", "a.csv", "--degree"], "--degree needs a value", "fit"],
  [["fit", "line", "a.csv", "--out-file", "--exact"], "--out-file needs a value", "fit"],
  [["fit", "line", "a.csv", "--degree", "-1"], "--degree must be a whole number from 0 to 9, got -1", "fit"],
  [["fit", "line", "a.csv", "--format", "xls"], "--format must be one of csv, npy, got xls", "fit"],
  [["show", "line", "spline"], "unexpected word spline", "show"],
])("%j is one sentence, and the help of %s", (argv, sentence, command) => {
  expect(read(...argv)).toEqual({ kind: "mistake", sentence, command });
});

describe("arguments", () => {
  test.each([
    ["integer", integer(1, 5), ["", " ", "1.5", "0", "6", "one", "1e9", "NaN"]],
    ["pair", pair, ["1", "1:", ":1", "0:1", "1:0", "-1:2", "1:2:3", "a:b", "Infinity:1", "1e308:1e308"]],
    ["choice", choice("a", "b"), ["", "c", "A"]],
    ["names", names(2), ["", "a,", "a,a", "a,b,c"]],
  ] as const)("%s refuses what does not fit, with the option's name and what came", (_, readText, bad) => {
    for (const value of bad) {
      const act = () => readText(value, "x");
      expect(act, value).toThrow(UsageError);
      expect(act, value).toThrow(new RegExp(`^--x must be .*, got ${value.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")}$`));
    }
  });

  test("and read what does", () => {
    expect(integer(1, 5)("3", "x")).toBe(3);
    expect(pair("1:2.5", "x")).toEqual([1, 2.5]);
    expect(choice("a", "b")("b", "x")).toBe("b");
    expect(names(2)(" a , b ", "x")).toEqual(["a", "b"]);
  });
});
