// start: what `npm start` does: the real sample, a model of it, and that model at a local Worker. Knows of the commands it strings
// together only what they are given.
import { existsSync } from "node:fs";
import { integer } from "../cli/arguments.ts";
import { declareCommand, flag, optionWithDefault, type Values } from "../cli/declaration.ts";
import type { Dependencies } from "../cli/dependencies.ts";

const OPTIONS = {
  retrain: flag("train again where out/sp500.safetensors is there already"),
  resume: flag("go on from the checkpoint that an interrupted run left"),
  port: optionWithDefault("N", integer(1, 65_535), "port that the Worker listens on", 8787),
};

/** The three commands, as main chooses them. */
export interface Steps {
  sample(folder: string, dependencies: Dependencies): Promise<void>;
  train(data: string, out: string, resume: boolean, dependencies: Dependencies): Promise<void>;
  serve(artifact: string, port: number, dependencies: Dependencies): Promise<void>;
}

const FOLDER = "out";
const DATA = "out/sp500.npz";
const ARTIFACT = "out/sp500.safetensors";

/** The command, on these steps. */
export function createStartCommand(steps: Steps) {
  return declareCommand({
    name: "start",
    summary: "Write the real sample, train on it and serve the model on this machine",
    words: {},
    options: OPTIONS,
    examples: ["start", "start --retrain --port 8080"],
    run: async ({ retrain, resume, port }: Values<Record<never, never>, typeof OPTIONS>, dependencies: Dependencies) => {
      if (retrain || resume || !existsSync(ARTIFACT)) {
        await steps.sample(FOLDER, dependencies);
        await steps.train(DATA, ARTIFACT, resume, dependencies);
      } else dependencies.terminal.say(`${ARTIFACT} exists and is served as it is; npm start -- --retrain trains again`);
      await steps.serve(ARTIFACT, port, dependencies);
    },
  });
}
