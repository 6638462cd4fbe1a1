// What peers.py measured, out of the repository: each peer's logits on a set's test part. Knows no trainer.
import { createHash } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { readWhole } from "../../../trainer/files/whole-files.ts";
import { type Npz, openNpz } from "../../../trainer/readers/npz.ts";

/** Of a test part with N sequences. */
export interface Peer {
  readonly name: string;
  readonly logLoss: number;
  readonly auc: number;
  /** Of calibration. */
  readonly slope: number;
  /** (N) */
  readonly logits: Float64Array;
}

/** What peers.py has written of a set. */
interface Figures {
  /** Of the data, as `digest` gives it. */
  readonly sha256: string;
  readonly peers: Readonly<Record<string, Omit<Peer, "name" | "logits">>>;
}

/** Steps of a logit, as peers.py writes them. */
const SCALE = 2048;
const FOLDER = new URL("peers/", import.meta.url);

/** SHA-256 of X, y, X_test and y_test as float64 and bytes: which data figures are of. */
export async function digest(npz: Npz): Promise<string> {
  const hash = createHash("sha256");
  for (const [name, Kind] of [
    ["X", Float64Array],
    ["y", Uint8Array],
    ["X_test", Float64Array],
    ["y_test", Uint8Array],
  ] as const) {
    const { data } = await npz.read(name);
    hash.update(Kind.from(data as ArrayLike<number>));
  }
  return hash.digest("hex");
}

/** Peers of a set, or a sentence why there are none. */
export async function readPeers(name: string, sha256: string): Promise<readonly Peer[] | string> {
  const path = new URL(`${name}.json`, FOLDER);
  if (!existsSync(path)) return "no peer was measured on it";
  const figures: Figures = JSON.parse(readFileSync(path, "utf8"));
  if (figures.sha256 !== sha256) return "its peers were measured on other data: run peers.py on it";
  const file = new URL(`${name}.npz`, FOLDER).pathname;
  const npz = await openNpz(readWhole(file), file);
  return Promise.all(
    Object.entries(figures.peers).map(async ([peer, { logLoss, auc, slope }]) => {
      const { data } = await npz.read(peer);
      return { name: peer, logLoss, auc, slope, logits: Float64Array.from(data as ArrayLike<number>, (step) => step / SCALE) };
    }),
  );
}
