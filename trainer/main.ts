#!/usr/bin/env node
// argv → command. The only place that touches process.argv, exit codes and the console, and that chooses implementations.
import { existsSync, readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createWasmEngine, instantiateKernel } from "../shared/engine.ts";
import { isQuickstepError, UsageError } from "../shared/errors.ts";
import { MAX_TIMESTEPS, PADDINGS } from "../shared/sequence.ts";
import type { Engines } from "./artifact/artifact-file.ts";
import { choice, integer, pair, parseOptions, text } from "./cli/arguments.ts";
import type { Terminal } from "./cli/terminal.ts";
import { calibrate } from "./commands/calibrate.ts";
import { diagnose } from "./commands/diagnose.ts";
import { evaluate } from "./commands/evaluate.ts";
import { exportModel, exportWorker } from "./commands/export.ts";
import { importModel } from "./commands/import.ts";
import { inspect } from "./commands/inspect.ts";
import { sample } from "./commands/sample.ts";
import { scoreFile } from "./commands/score.ts";
import { serve } from "./commands/serve.ts";
import { type TrainCommand, train } from "./commands/train.ts";
import { verify } from "./commands/verify.ts";
import { RECIPES, type TrainDependencies } from "./pipeline/train.ts";
import { isLong, READ_OPTIONS, READ_USAGE, type ReadOptions } from "./readers/options.ts";
import { stem } from "./readers/source.ts";
import type { SplitMethod } from "./split/split.ts";
import { Interrupted } from "./training/checkpoint.ts";
import { createTrainingStep } from "./training/step.ts";

/** Node runs TypeScript in the repository, and JavaScript in the published form. */
const CALL = import.meta.url.endsWith(".ts") ? "npm run quickstep --" : "npx quickstep";

const USAGE = `${CALL} <command> …

  train    <data>… [--out FILE] [--report FILE] [--test FILE [--test-labels FILE]]
           [--units N] [--epochs N] [--batch N] [--seed N]
           [--split auto|random|time|group] [--horizon N] [--padding leading|any|none]
           [--costs FALSE_1:FALSE_0] [--recipe auto|raw] [--threads N] [--strict] [--resume]
           [--json]
  diagnose <data>… [--test FILE [--test-labels FILE]] [--tried scaled,mask,adam,lr=N,batch=N,units=N,epochs=N] [--history FILE]
           [--report FILE] [--seed N] [--json]     why the loss does not fall, with proof, and what cures it
  evaluate <artifact> <data>… [--threads N] [--json]
  score    <artifact> <data>… [--out q.csv|q.jsonl|q.parquet|q.npy] [--threads N] [--json]
  inspect  <artifact> [--json]
  sample   sp500|fx [--out DIR] [--n N] [--seed N] [--json]
  import   <model> --out FILE [--scaler FILE] [--features a,b,…] [--timesteps N] [--json]     Keras .keras or .h5, ONNX, PyTorch safetensors
  calibrate <artifact> <data>… --out FILE [--split auto|random|time|group] [--horizon N] [--seed N] [--json]
           calibration, operating points, figures and drift reference, from labelled sequences
  export   <artifact> --onnx FILE [--preprocessing]      with the recipe in the graph: raw float64 sequences to probabilities
  export   <artifact> --safetensors-torch FILE
  export   <artifact> --worker DIR                       a Worker of its own, for npx wrangler deploy
  serve    <artifact> [--port 8787]
  verify   <url> [--artifact FILE] [--json]     the key, where one is needed: in the variable QUICKSTEP_KEY

${READ_USAGE}

Exit codes: 0 done, 2 bad usage or bad data (nothing written), 1 our fault.`;

/** What `wrangler deploy` deploys from the folder one stands in: this repository, or what `export --worker` wrote. */
const DEPLOYED_MODELS = ["edge/model.safetensors", "model.safetensors"];
const SAMPLE_MODEL = "out/sp500.safetensors";
const MAX_SEED = 2 ** 32 - 1;
const seed = integer(0, MAX_SEED);
const threads = integer(1, 64);

/** A line that overwrites itself needs a terminal; its leftovers are cleared before anything else is said. */
function createTerminal(): Terminal {
  const isWatched = process.stderr.isTTY === true;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) process.stderr.write("\r\x1b[K");
    isDrawn = false;
  };
  return {
    say(line) {
      clear();
      process.stderr.write(`${line}\n`);
    },
    progress(line) {
      if (!isWatched) return;
      process.stderr.write(`\r\x1b[K${line.slice(0, Math.max(20, (process.stderr.columns ?? 80) - 1))}`);
      isDrawn = true;
    },
    print(line) {
      clear();
      process.stdout.write(`${line}\n`);
    },
  };
}

function loadEngines(): Engines {
  const module = new WebAssembly.Module(readFileSync(new URL("../shared/kernel/inference.wasm", import.meta.url)));
  return {
    kernel: instantiateKernel(module),
    module,
    createEngine: (network, calibration) => createWasmEngine(module, network, calibration),
  };
}

function trainOn(command: TrainCommand & { threads?: number; strict?: boolean }, terminal: Terminal, signal: AbortSignal): Promise<void> {
  const { threads, strict } = command;
  const createStepper: TrainDependencies["createStepper"] = (data, options) =>
    createTrainingStep(data, { ...options, threads, strict, warn: terminal.say });
  return train(command, { ...loadEngines(), createStepper, node: process.versions.node }, terminal, signal);
}

async function run(argv: readonly string[], terminal: Terminal, signal: AbortSignal): Promise<void> {
  const [name, ...rest] = argv;
  switch (name) {
    case "train": {
      const { words, options } = parseOptions(rest, ["<data>…"], {
        ...READ_OPTIONS,
        out: text,
        report: text,
        test: text,
        "test-labels": text,
        units: integer(1, 1024),
        epochs: integer(1, 10_000),
        batch: integer(1, 1_000_000),
        seed,
        split: choice("auto", "random", "time", "group"),
        padding: choice(...PADDINGS),
        costs: pair,
        recipe: choice(...RECIPES),
        threads,
        strict: "flag",
        resume: "flag",
        json: "flag",
      });
      const out = `${stem(words[0])}.safetensors`;
      const read = { ...options, testLabels: options["test-labels"] };
      const { costs: given, ...own } = options;
      const costs = given && { falsePositive: given[0], falseNegative: given[1] };
      const command = { ...TRAIN_DEFAULTS, out, resume: false, json: false, ...own, split: splitMethod(options), costs, data: words, read };
      return trainOn(command, terminal, signal);
    }
    case "diagnose": {
      const { words, options } = parseOptions(rest, ["<data>…"], {
        ...READ_OPTIONS,
        test: text,
        "test-labels": text,
        tried: text,
        history: text,
        report: text,
        seed,
        json: "flag",
      });
      const read = { ...options, testLabels: options["test-labels"] };
      const command = { tried: "", seed: 1, json: false, ...options, data: words, read };
      const { log } = loadEngines().kernel;
      // Short runs of small networks: a second thread would wait more than it helps (measured).
      const createStepper: TrainDependencies["createStepper"] = (data, how) =>
        createTrainingStep(data, { ...how, threads: 1, warn: terminal.say });
      return diagnose(command, { log, createStepper }, terminal, signal);
    }
    case "evaluate": {
      const { words, options } = parseOptions(rest, ["<artifact>", "<data>…"], { ...READ_OPTIONS, threads, json: "flag" });
      const [artifact, ...data] = words;
      const command = { artifact, data, read: options, threads: options.threads ?? availableParallelism(), json: options.json ?? false };
      return evaluate(command, loadEngines(), terminal);
    }
    case "score": {
      const { words, options } = parseOptions(rest, ["<artifact>", "<data>…"], { ...READ_OPTIONS, out: text, threads, json: "flag" });
      const [artifact, ...data] = words;
      const command = { artifact, data, read: options, threads: options.threads ?? availableParallelism(), json: options.json ?? false };
      return scoreFile({ ...command, out: options.out }, loadEngines(), terminal);
    }
    case "inspect": {
      const { words, options } = parseOptions(rest, ["<artifact>"], { json: "flag" });
      return inspect({ artifact: words[0], json: options.json ?? false }, loadEngines(), terminal);
    }
    case "sample": {
      const { words, options } = parseOptions(rest, ["sp500 or fx"], { out: text, n: integer(100, 10_000_000), seed, json: "flag" });
      const kind = choice("sp500", "fx")(words[0], "sample");
      return sample(
        { kind, out: options.out ?? "out", n: options.n ?? 100_000, seed: options.seed ?? 1, json: options.json ?? false },
        terminal,
      );
    }
    case "import": {
      const { words, options } = parseOptions(rest, ["<model>"], {
        out: text,
        scaler: text,
        features: text,
        timesteps: integer(1, MAX_TIMESTEPS),
        json: "flag",
      });
      const { out } = options;
      if (out === undefined) throw new UsageError("import needs --out FILE");
      return importModel({ json: false, ...options, out, model: words[0], node: process.versions.node }, loadEngines(), terminal);
    }
    case "calibrate": {
      const { words, options } = parseOptions(rest, ["<artifact>", "<data>…"], {
        ...READ_OPTIONS,
        split: choice("auto", "random", "time", "group"),
        seed,
        out: text,
        json: "flag",
      });
      const { out } = options;
      if (out === undefined) throw new UsageError("calibrate needs --out FILE");
      const [artifact, ...data] = words;
      const command = { ...TRAIN_DEFAULTS, json: false, ...options, split: splitMethod(options), out, artifact, data, read: options };
      return calibrate(command, loadEngines(), terminal);
    }
    case "export": {
      const { words, options } = parseOptions(rest, ["<artifact>"], {
        onnx: text,
        preprocessing: "flag",
        "safetensors-torch": text,
        worker: text,
      });
      const { onnx, worker, preprocessing, "safetensors-torch": torch } = options;
      if (preprocessing && onnx === undefined) throw new UsageError("--preprocessing goes with --onnx FILE");
      if ((worker === undefined) === (onnx === undefined && torch === undefined))
        throw new UsageError("export needs --onnx FILE, --safetensors-torch FILE, or --worker DIR alone");
      if (worker !== undefined) return exportWorker({ artifact: words[0], worker }, loadEngines(), terminal);
      return exportModel({ artifact: words[0], onnx, torch, preprocessing: preprocessing ?? false }, loadEngines(), terminal);
    }
    case "serve": {
      const { words, options } = parseOptions(rest, ["<artifact>"], { port: integer(1, 65_535) });
      return serve({ artifact: words[0], port: options.port ?? 8787 }, loadEngines(), terminal, signal);
    }
    case "verify": {
      const { words, options } = parseOptions(rest, ["<url>"], { artifact: text, json: "flag" });
      if (!/^https?:/.test(words[0]) || !URL.canParse(words[0]))
        throw new UsageError(`<url> must be an address like https://…, got ${words[0]}`);
      const artifact = options.artifact ?? DEPLOYED_MODELS.find((path) => existsSync(path)) ?? DEPLOYED_MODELS[0];
      return verify({ url: words[0], artifact, key: process.env.QUICKSTEP_KEY, json: options.json ?? false }, loadEngines(), terminal);
    }
    case "start": {
      // What `npm start` does: the real sample, a model of it, and that model at a local Worker.
      const { options } = parseOptions(rest, [], { retrain: "flag", port: integer(1, 65_535) });
      if (options.retrain || !existsSync(SAMPLE_MODEL)) {
        await sample({ kind: "sp500", out: "out", n: 0, seed: 0, json: false }, terminal);
        await trainOn(
          { ...TRAIN_DEFAULTS, data: ["out/sp500.npz"], read: {}, out: SAMPLE_MODEL, resume: false, json: false },
          terminal,
          signal,
        );
      } else terminal.say(`${SAMPLE_MODEL} exists and is served as it is; npm start -- --retrain trains again`);
      return serve({ artifact: SAMPLE_MODEL, port: options.port ?? 8787 }, loadEngines(), terminal, signal);
    }
    case undefined:
    case "help":
    case "--help":
    case "-h":
      return terminal.print(USAGE);
    default:
      throw new UsageError(`unknown command ${name}`);
  }
}

/** What the options that name columns ask for, where --split does not say. The time of rows is known and only orders them. */
function splitMethod(options: ReadOptions & { readonly split?: SplitMethod }): SplitMethod {
  const isTimed = options.time !== undefined && !isLong(options);
  return options.split ?? (options.group !== undefined ? "group" : isTimed ? "time" : TRAIN_DEFAULTS.split);
}

const TRAIN_DEFAULTS = { seed: 1, split: "auto", horizon: 1, recipe: "auto" } as const;

const terminal = createTerminal();
const controller = new AbortController();
/** What waits for `signal` comes to an orderly end; whatever does not has this long. */
const GRACE_MS = 3000;
for (const name of ["SIGINT", "SIGTERM"] as const)
  process.once(name, () => {
    process.exitCode = 130;
    controller.abort();
    setTimeout(() => process.exit(), GRACE_MS).unref();
    process.once(name, () => process.exit());
  });
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code === "EPIPE") process.exit(0); // whoever read has enough
  throw error;
});
try {
  await run(process.argv.slice(2), terminal, controller.signal);
} catch (error) {
  if (error instanceof Interrupted) {
    terminal.say(`quickstep: ${error.message}`);
    process.exitCode = 130;
  } else if (isQuickstepError(error)) {
    terminal.say(`quickstep: ${error.message}${error.kind === "usage" ? `\n\n${USAGE}` : ""}`);
    process.exitCode = 2;
  } else {
    terminal.say(`quickstep: this is our fault, not your data's: ${error instanceof Error ? (error.stack ?? error.message) : error}`);
    process.exitCode = 1;
  }
}
