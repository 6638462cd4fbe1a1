// What one experiment trains: the network's inputs and how the network is trained. An experiment changes one thing of it.
import type { Padding } from "../../shared/sequence.ts";
import { short } from "../html/format.ts";
import type { BaselineSetup } from "./setup.ts";

/** What the network is given. */
export interface InputSetup {
  readonly padding: Padding;
  /** Whether the levels are there, where anything else is. */
  readonly levels: boolean;
  /** Levels standardised; and whatever else there is. */
  readonly scaled: boolean;
  readonly addedScaled: boolean;
  readonly movement: boolean;
  readonly difference: boolean;
  /** Whether it is told what was observed and what is filled. */
  readonly observed: boolean;
}

/** How the network is trained. */
export interface TrainingSetup {
  readonly optimizer: "adam" | "rmsprop";
  readonly units: number;
  readonly batch: number;
  readonly steps: number;
  /** The learning rate; the highest of a cycle. */
  readonly rate: number;
  /** `cycle`: the rate rises over a tenth of the steps, then falls to zero. */
  readonly schedule: "cycle" | "constant";
  /** Answers with the best checkpoint instead of the last. */
  readonly stopsEarly: boolean;
}

export interface ExperimentSetup {
  readonly inputs: InputSetup;
  readonly training: TrainingSetup;
}

/** `LSTM(32), scaled inputs, no masking, adam up to 0.006, batch 64, 1562 steps`: what an experiment ran. */
export function describeRun({ scaled, masked }: Pick<BaselineSetup, "scaled" | "masked">, training: TrainingSetup): string {
  const { units, optimizer, rate, schedule, batch, steps } = training;
  return [
    `LSTM(${units})`,
    scaled ? "scaled inputs" : "raw inputs",
    masked ? "masking" : "no masking",
    `${optimizer} ${schedule === "cycle" ? "up to " : ""}${short(rate)}`,
    `batch ${batch}`,
    `${steps} steps`,
  ].join(", ");
}
