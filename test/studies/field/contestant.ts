// This repository's trainer, as a user runs it: the command `train` on a set's file, then `score` on its test part.
import { spawnSync } from "node:child_process";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import { readWhole } from "../../../trainer/files/whole-files.ts";
import type { Npz } from "../../../trainer/readers/npz.ts";
import type { FieldSet } from "./catalogue.ts";

const MAIN = new URL("../../../trainer/main.ts", import.meta.url).pathname;
/** What says how a set is cut, for the split inside its training part. */
const SPLIT_OPTIONS = { time: ["--split", "time", "--time", "time"], group: ["--group", "group"], random: [] } as const;

export interface Answer {
  /** (N) of the test part */
  readonly probabilities: Float64Array;
  /** Null where the answer is of an earlier run. */
  readonly seconds: number | null;
}

/** The answer that an earlier run left in `folder`/models. Throws where there is none. */
export function readAnswer(set: FieldSet, folder: string): Answer {
  const path = join(folder, "models", `${set.name}.out.npy`);
  return { probabilities: Float64Array.from(readNpy(readWhole(path), path).data as ArrayLike<number>), seconds: null };
}

/** Trains with `options` beside what the set needs, and scores. Leaves artifact and log in `folder`/models. Throws Error with the log's last line. */
export async function answer(set: FieldSet, npz: Npz, folder: string, options: readonly string[]): Promise<Answer> {
  const models = join(folder, "models");
  mkdirSync(models, { recursive: true });
  const [artifact, test, out] = [".safetensors", ".test.npy", ".out.npy"].map((ending) => join(models, set.name + ending));
  const { data, shape } = await npz.read("X_test");
  writeFileSync(test, encodeNpy(Float64Array.from(data as ArrayLike<number>), shape));
  const started = performance.now();
  const trained = run(["train", join(folder, `${set.name}.npz`), "--out", artifact, ...SPLIT_OPTIONS[set.by], ...options]);
  writeFileSync(join(models, `${set.name}.log`), trained);
  const seconds = (performance.now() - started) / 1000;
  run(["score", artifact, test, "--out", out]);
  return { ...readAnswer(set, folder), seconds };
}

function run(command: readonly string[]): string {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...command], { encoding: "utf8", maxBuffer: 1 << 28 });
  if (status !== 0) throw new Error(`${stderr}`.trim().split("\n").at(-1));
  return stderr + stdout;
}
