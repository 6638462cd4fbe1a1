// Boosted trees beside LightGBM and scikit-learn's HistGradientBoosting on the same matrices, in one run: the log loss on ten sets, out
// of fold, and the time of a fit, bins included. Without Python (PYTHON names one with lightgbm and scikit-learn) ours alone is timed.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { encodeNpy, readNpy } from "../../../shared/npy.ts";
import type { Rows, View } from "../../../trainer/learners/learner.ts";
import { type BoostingSettings, flatViewSettings } from "../../../trainer/learners/trees/settings.ts";
import { createTrees } from "../../../trainer/learners/trees/trees.ts";
import { createRandom } from "../../../trainer/statistics/random.ts";
import { startPeer } from "./peer.ts";

const TIMED_ROUNDS = 50;
const REPEATS = 3;
/** Rows × columns of the matrices that are timed, as large as views of so many sequences. */
const TIMED: readonly (readonly [number, number])[] = [
  [5_000, 300],
  [20_000, 500],
];
/** Rounds after which log losses are compared; each contestant is taken at its best, which for all is the pooled out-of-fold loss. */
const CHECKPOINTS = [10, 20, 40, 80, 120, 160, 200, 300];

interface Peers {
  readonly version: string;
  readonly sets: readonly string[];
  ask<Answer>(request: object): Promise<Answer>;
  end(): void;
}

/** null where no Python here has the peers. */
async function startPeers(folder: string): Promise<Peers | null> {
  // OpenMP's threads otherwise spin while they wait, which on a busy machine costs the peers most of their time
  const env = { ...process.env, OMP_WAIT_POLICY: "passive" };
  const peer = await startPeer("boosting.py", { args: [folder], env });
  return (
    peer && {
      ...JSON.parse(peer.greeting),
      ask: async (request: object) => JSON.parse(await peer.ask(JSON.stringify(request))),
      end: peer.end,
    }
  );
}

const range = (n: number): Int32Array => Int32Array.from({ length: n }, (_, i) => i);

function viewOf(columns: Float64Array, columnCount: number): View {
  const columnNames = Array.from({ length: columnCount }, (_, v) => `${v}`);
  const lengths = new Int32Array(columns.length / columnCount);
  return { columns, columnNames, lengths, channels: new Float32Array(), timesteps: 1, names: [] };
}

/** Correlated columns, as views of sequences are, of which a few matter; a tenth of a third of the columns is missing. */
function drawTable(rows: number, columnCount: number) {
  const random = createRandom(rows);
  const columns = new Float64Array(rows * columnCount);
  const labels = new Uint8Array(rows);
  for (let n = 0; n < rows; n++) {
    const own = columns.subarray(n * columnCount, (n + 1) * columnCount);
    let level = 0;
    for (let v = 0; v < columnCount; v++) own[v] = level = 0.8 * level + random.normal();
    const logit = (own[10] > 0.5 ? 1 : -1) + own[40] * own[80] * 0.3 - 0.5;
    labels[n] = random.uniform() < 1 / (1 + Math.exp(-logit)) ? 1 : 0;
    for (let v = 0; v < columnCount; v += 3) if (random.uniform() < 0.1) own[v] = Number.NaN;
  }
  return { columns, labels };
}

async function fitOnce(columns: Float64Array, columnCount: number, labels: Uint8Array, settings: BoostingSettings, threads: number) {
  const view = viewOf(columns, columnCount);
  const learner = createTrees({ settings: () => [settings], threads });
  const path = await learner.fit(view, labels, { train: range(labels.length), validation: new Int32Array(), gap: 0 }, settings, 1);
  learner.dispose();
  return path;
}

/** Milliseconds of one fit. `cpu` is that of all threads: unlike time, hardly touched by what else runs. */
interface Cost {
  readonly ms: number;
  readonly cpu: number;
}

/** Every contestant takes its turn; the first turn of each warms up. */
async function takeTurns(contestants: Readonly<Record<string, () => Promise<Cost>>>): Promise<Map<string, Cost[]>> {
  const costs = new Map<string, Cost[]>(Object.keys(contestants).map((name) => [name, []]));
  for (let turn = 0; turn <= REPEATS; turn++)
    for (const [name, run] of Object.entries(contestants)) {
      const cost = await run();
      if (turn > 0) costs.get(name)!.push(cost);
    }
  return costs;
}

const sorted = (costs: readonly Cost[], of: keyof Cost): number[] => costs.map((cost) => cost[of]).sort((a, b) => a - b);
const median = (costs: readonly Cost[], of: keyof Cost): number => sorted(costs, of)[costs.length >> 1];

/** One line a contestant; then ours to theirs, time and CPU. */
function printCosts(title: string, costs: ReadonlyMap<string, Cost[]>): void {
  console.log(title);
  for (const [name, own] of costs) {
    const [low, high] = [sorted(own, "ms")[0], sorted(own, "ms").at(-1)!];
    const figures = [low, median(own, "ms"), high, median(own, "cpu")].map((ms) => ms.toFixed(0).padStart(6));
    console.log(`  ${name.padEnd(16)} min ${figures[0]}  median ${figures[1]}  max ${figures[2]} ms   CPU ${figures[3]} ms`);
  }
  for (const [ours, theirs, target] of [
    ["ours random", "scikit-learn", 1],
    ["ours random", "LightGBM random", 1.5],
    ["ours best", "scikit-learn", 1],
    ["ours best", "LightGBM best", 1.5],
  ] as const) {
    const [own, other] = [costs.get(ours)!, costs.get(theirs)];
    if (!other) continue;
    const [time, cpu] = (["ms", "cpu"] as const).map((of) => (median(own, of) / median(other, of)).toFixed(2));
    console.log(`  ${`${ours} to ${theirs}`.padEnd(32)} ${time}×, CPU ${cpu}×   target ≤ ${target}`);
  }
}

/** Fits of one matrix, ways of growing trees and threads one after the other, everybody taking turns. */
async function timeFits(folder: string, peers: Peers | null, [rows, columnCount]: readonly [number, number]): Promise<void> {
  const { columns, labels } = drawTable(rows, columnCount);
  writeFileSync(join(folder, "x.npy"), encodeNpy(columns, [rows, columnCount]));
  writeFileSync(join(folder, "y.npy"), encodeNpy(Float64Array.from(labels), [rows]));
  for (const kind of flatViewSettings(rows))
    for (const threads of [1, 2]) {
      const random = { ...kind, rounds: TIMED_ROUNDS };
      const best: BoostingSettings = { ...random, thresholds: "best" };
      const ours = (settings: BoostingSettings) => async () => {
        const [start, before] = [performance.now(), process.cpuUsage()];
        await fitOnce(columns, columnCount, labels, settings, threads);
        const { user, system } = process.cpuUsage(before);
        return { ms: performance.now() - start, cpu: (user + system) / 1000 };
      };
      const theirs = (peer: string, settings: BoostingSettings) => () =>
        peers!.ask<Cost>({ do: "time", peer, threads, settings: { ...settings, seed: 1 } });
      const costs = await takeTurns({
        "ours random": ours(random),
        "ours best": ours(best),
        ...(peers && {
          "LightGBM random": theirs("lightgbm", random),
          "LightGBM best": theirs("lightgbm", best),
          "scikit-learn": theirs("sklearn", best),
        }),
      });
      const way = `${kind.leaves} leaves, fraction ${kind.columnFraction}, ${threads} thread${threads > 1 ? "s" : ""}`;
      printCosts(`\n${rows} × ${columnCount}, ${way}, ${TIMED_ROUNDS} rounds`, costs);
    }
}

/** Per row log losses, of the checkpoint whose sum is least. */
function bestLosses(logits: readonly ArrayLike<number>[], labels: Uint8Array): Float64Array {
  const losses = logits.map((z) =>
    Float64Array.from(labels, (y, n) => Math.max(z[n], 0) - y * z[n] + Math.log1p(Math.exp(-Math.abs(z[n])))),
  );
  const sum = (values: Float64Array): number => values.reduce((total, value) => total + value, 0);
  return losses.reduce((a, b) => (sum(b) < sum(a) ? b : a));
}

async function ourLosses(view: View, labels: Uint8Array, settings: BoostingSettings): Promise<Float64Array> {
  const all = range(labels.length);
  const learner = createTrees({ settings: () => [settings], threads: 1 });
  const logits = CHECKPOINTS.map(() => new Float64Array(labels.length));
  for (let fold = 0; fold < 5; fold++) {
    const rows: Rows = { train: all.filter((n) => n % 5 !== fold), validation: all.filter((n) => n % 5 === fold), gap: 0 };
    const path = await learner.fit(view, labels, rows, { ...settings, patience: settings.rounds }, 10 * fold);
    for (const [i, rounds] of CHECKPOINTS.entries()) {
      const own = learner.logits(path.at(rounds - 1), view, rows.validation);
      rows.validation.forEach((n, m) => {
        logits[i][n] = own[m];
      });
    }
  }
  learner.dispose();
  return bestLosses(logits, labels);
}

/** Mean loss of each, and by how many standard errors of the paired difference ours is above theirs. */
function compare(ours: Float64Array, theirs: Float64Array): string {
  const N = ours.length;
  const difference = ours.map((loss, n) => loss - theirs[n]);
  const mean = difference.reduce((sum, d) => sum + d, 0) / N;
  const error = Math.sqrt(difference.reduce((sum, d) => sum + (d - mean) ** 2, 0) / N / (N - 1));
  const average = (losses: Float64Array): string => (losses.reduce((sum, loss) => sum + loss, 0) / N).toFixed(4);
  return `${average(ours)} / ${average(theirs)} (${(mean / error).toFixed(1).padStart(4)} SE)`;
}

async function compareLosses(folder: string, peers: Peers): Promise<void> {
  console.log(`log loss out of fold, ours / theirs (difference in standard errors; above 2 is beyond noise)`);
  console.log(`${"".padEnd(24)} ${"best: LightGBM".padEnd(27)} ${"best: scikit-learn".padEnd(27)} random: LightGBM`);
  for (const name of peers.sets) {
    const { rows, columns } = await peers.ask<{ rows: number; columns: number }>({ do: "write", name });
    const x = readNpy(readFileSync(join(folder, "x.npy")), "x.npy").data as Float64Array;
    const labels = Uint8Array.from(readNpy(readFileSync(join(folder, "y.npy")), "y.npy").data as Float64Array);
    const view = viewOf(Float64Array.from(x), columns);
    const common = { leaves: 15, minLeaf: rows < 1000 ? 5 : 20, minHessian: 1e-3, l2: 1, learningRate: 0.05, rounds: 300, patience: 300 };
    const best: BoostingSettings = { ...common, columnFraction: 1, thresholds: "best" };
    const random: BoostingSettings = { ...common, columnFraction: 0.5, thresholds: "random" };
    const ask = async (peer: string, settings: BoostingSettings): Promise<Float64Array> => {
      const request = { do: "outOfFold", peer, settings: { ...settings, seed: 1 }, checkpoints: CHECKPOINTS };
      return bestLosses((await peers.ask<{ logits: number[][] }>(request)).logits, labels);
    };
    const ours = await ourLosses(view, labels, best);
    const line = [compare(ours, await ask("lightgbm", best)), compare(ours, await ask("sklearn", best))];
    line.push(compare(await ourLosses(view, labels, random), await ask("lightgbm", random)));
    console.log(`${name.padEnd(24)} ${line.map((text) => text.padEnd(27)).join(" ")}`);
  }
}

/** Runs the benchmark and prints it. */
export async function run(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-boosting-"));
  const peers = await startPeers(folder);
  console.log(peers?.version ?? "no LightGBM and scikit-learn here (set PYTHON): ours alone");
  try {
    if (peers) await compareLosses(folder, peers);
    for (const shape of TIMED) await timeFits(folder, peers, shape);
  } finally {
    peers?.end();
    rmSync(folder, { recursive: true });
  }
}
