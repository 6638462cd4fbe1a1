// What a command may need of the machine. main.ts chooses the implementations; nothing else knows them.
import type { Engines } from "../artifact/artifact-file.ts";
import type { CreateTrees } from "../learners/trees/trees.ts";
import type { CreateStepper } from "../training/stepper.ts";
import type { Terminal } from "./terminal.ts";

/** How the training kernel is to run. */
export interface KernelOptions {
  /** Undefined: all cores. */
  readonly threads?: number;
  /** Without relaxed multiply-adds: equal bytes on every host. */
  readonly strict?: boolean;
}

export interface Dependencies {
  readonly terminal: Terminal;
  /** Aborts at Ctrl-C. To be asked for when what is to be put in order begins: until then Ctrl-C ends the process at once. */
  readonly signal: AbortSignal;
  /** Milliseconds of a clock that never goes back. */
  now(): number;
  /** The inference kernel and engines on it. */
  loadEngines(): Engines;
  /** Makes training steps, for the pipeline and for a diagnosis. */
  createStepper(options: KernelOptions): CreateStepper;
  /** Makes learners of boosted trees. */
  createTrees(options: KernelOptions): CreateTrees;
  /** Node's version, as artifacts name it. */
  readonly node: string;
  readonly cores: number;
  /** The API key of a deployment, from the variable QUICKSTEP_KEY. */
  readonly key?: string;
}
