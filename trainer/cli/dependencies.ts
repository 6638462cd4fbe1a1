// What a command may need of the machine. main.ts chooses the implementations; nothing else knows them.
import type { TrainingHost } from "../library/host.ts";
import type { Terminal } from "./terminal.ts";

export interface Dependencies extends TrainingHost {
  readonly terminal: Terminal;
  /** Aborts at Ctrl-C. To be asked for when what is to be put in order begins: until then Ctrl-C ends the process at once. */
  readonly signal: AbortSignal;
  readonly cores: number;
  /** The API key of a deployment, from the variable QUICKSTEP_KEY. */
  readonly key?: string;
}
