#!/usr/bin/env node
// argv → command. The only place that touches process.argv, exit codes and the console, and that chooses implementations.
import { availableParallelism } from "node:os";
import { isQuickstepError } from "../shared/errors.ts";
import { VERSION } from "../shared/version.ts";
import { type Program, readCommandLine } from "./cli/command-line.ts";
import type { AnyCommand } from "./cli/declaration.ts";
import type { Dependencies } from "./cli/dependencies.ts";
import { createTerminal } from "./cli/terminal.ts";
import { calibrateCommand } from "./commands/calibrate.ts";
import { diagnoseCommand } from "./commands/diagnose.ts";
import { createDocsCommand } from "./commands/docs.ts";
import { driftCommand } from "./commands/drift.ts";
import { evaluateCommand } from "./commands/evaluate.ts";
import { exportCommand } from "./commands/export.ts";
import { hooksCommand } from "./commands/hooks.ts";
import { importCommand } from "./commands/import.ts";
import { inspectCommand } from "./commands/inspect.ts";
import { compareCommand, modelsCommand, publishCommand, rollbackCommand } from "./commands/registry.ts";
import { sample, sampleCommand } from "./commands/sample.ts";
import { scoreCommand } from "./commands/score.ts";
import { serve, serveCommand } from "./commands/serve.ts";
import { createStartCommand } from "./commands/start.ts";
import { train, trainCommand } from "./commands/train.ts";
import { verifyCommand } from "./commands/verify.ts";
import { discardUnfinished } from "./files/whole-files.ts";
import { openHost } from "./library/host.ts";
import { Interrupted } from "./training/checkpoint.ts";

const COMMANDS: readonly AnyCommand<Dependencies>[] = [
  createStartCommand({
    sample: (out, { terminal }) => sample({ kind: "sp500", out, force: true, n: 0, seed: 0, json: false }, terminal),
    train: (data, out, resume, dependencies) => train({ data: [data], out, resume }, dependencies),
    serve: (artifact, port, dependencies) => serve({ artifact, port }, dependencies),
  }),
  sampleCommand,
  trainCommand,
  diagnoseCommand,
  evaluateCommand,
  scoreCommand,
  driftCommand,
  inspectCommand,
  importCommand,
  calibrateCommand,
  exportCommand,
  serveCommand,
  verifyCommand,
  publishCommand,
  rollbackCommand,
  modelsCommand,
  compareCommand,
  hooksCommand,
  createDocsCommand(() => COMMANDS),
];

const PROGRAM: Program<Dependencies> = {
  commands: COMMANDS,
  version: VERSION,
  summary: "Learn to classify short numeric sequences on this machine; score new ones at the edge, the same to the last bit.",
  // Node runs TypeScript in the repository, and JavaScript in the published form.
  call: import.meta.url.endsWith(".ts") ? "npm run quickstep --" : "npx quickstep",
  examples: ["start", "train mine.npz --report mine.html"],
  footer: "Exit codes: 0 done, 1 internal error, 2 bad usage or bad data (nothing is written), 130 interrupted.",
};

/** What waits for the signal comes to an orderly end; whatever does not has this long. */
const GRACE_MS = 3000;

let interrupt: AbortSignal | undefined;

/**
 * A signal that aborts at Ctrl-C, from the first time that something asks for it: before that, while files are read, Ctrl-C ends the
 * process as the system does, in the midst of a read that does not come back too. So does a second Ctrl-C.
 */
function abortAtInterrupt(): AbortSignal {
  if (interrupt) return interrupt;
  const controller = new AbortController();
  for (const name of ["SIGINT", "SIGTERM"] as const)
    process.once(name, () => {
      process.exitCode = 130;
      controller.abort();
      setTimeout(() => {
        discardUnfinished();
        process.kill(process.pid, name); // a thread that waits for a pipe would hold up an exit
      }, GRACE_MS).unref();
    });
  interrupt = controller.signal;
  return interrupt;
}

const terminal = createTerminal(process.stdout, process.stderr);

const dependencies: Dependencies = {
  ...openHost(terminal.say),
  terminal,
  get signal() {
    return abortAtInterrupt();
  },
  cores: availableParallelism(),
  key: process.env.QUICKSTEP_KEY,
};

/** One sentence, and where the help is; no page of usage. */
function sayMistake(sentence: string, command: string | undefined): void {
  terminal.say(`quickstep: ${sentence}\nsee ${PROGRAM.call} ${command === undefined ? "" : `${command} `}--help`);
  process.exitCode = 2;
}

function sayError(error: unknown, command: string): void {
  if (isQuickstepError(error)) {
    if (error.kind === "usage") sayMistake(error.message, command);
    else terminal.say(`quickstep: ${error.message}`);
    process.exitCode = 2;
  } else if (error instanceof Interrupted) {
    terminal.say(`quickstep: ${error.message}`);
    process.exitCode = 130;
  } else {
    terminal.say(`quickstep: internal error: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    process.exitCode = 1;
  }
}

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // whoever read has enough
  throw error;
});

const line = readCommandLine(PROGRAM, process.argv.slice(2));
if (line.kind === "text") terminal.print(line.text.trimEnd());
else if (line.kind === "mistake") sayMistake(line.sentence, line.command);
else
  try {
    await line.command.run(line.values, dependencies);
  } catch (error) {
    sayError(error, line.command.name);
  }
