// Where everything of the boosting kernel lies in its memory. The shapes and their meaning are in kernel/boosting.ts.
// Legend: N training rows, M validation rows, W columns, L leaves of a tree.
import { countPages, createLayout, PAGE } from "../../training/memory-layout.ts";
import { PROGRESS_OFFSET, poolBytes } from "../../training/thread-protocol.ts";

// biome-ignore format: a table
/** The kernel's Job, 32 bits each, in its order. */
export const JOB = [
  "kind", "rows", "pitch", "columns", "selected", "edgeCounts", "selectedCount", "blocks", "hasMissing", "packed", "isNewSelection",
  "order", "scratch", "pairs", "scores", "labels", "leafCount", "leafEnds", "leafValues", "chunkSums", "nodes", "candidates",
  "isRandom", "minLeaf", "limits", "workspaces", "validationRows", "validationPitch", "validationColumns", "validationScores",
  "validationLabels", "treeColumn", "treeEdge", "treeNext", "treeLeaves", "progress",
] as const;
export type Field = (typeof JOB)[number];

/** As the kernel has them: units of a gradient or hessian of 1, rows of a chunk, bytes of a node, a candidate, a thread's workspace. */
export const SCALE = 2 ** 22;
export const CHUNK = 2048;
export const NODE_BYTES = 40;
export const CANDIDATE_BYTES = 48;
const WORKSPACE = 1024;
/** Hessians of more rows would not fit their bits. */
export const MAX_ROWS = 2 ** 21 - 1;
/** Of one column. */
const HISTOGRAM_BYTES = 4096;

export interface Shape {
  /** N and M at most. */
  readonly rows: number;
  readonly validationRows: number;
  /** W */
  readonly columns: number;
  /** L at most. */
  readonly leaves: number;
  /** Whether nodes keep histograms, to look at all thresholds. */
  readonly hasHistograms: boolean;
}

type Address = Exclude<Field, Setting>;
type Setting =
  | "kind"
  | "rows"
  | "pitch"
  | "selectedCount"
  | "blocks"
  | "isNewSelection"
  | "leafCount"
  | "isRandom"
  | "minLeaf"
  | "validationRows"
  | "validationPitch";

export interface MemoryMap {
  /** The job's addresses, in bytes. */
  readonly fields: Readonly<Record<Address, number>>;
  /** Of leaf l's histograms: histograms + l · histogramBytes. */
  readonly histograms: number;
  readonly histogramBytes: number;
  /** (N) int32 0 … N − 1: the order that a tree begins with */
  readonly identity: number;
  /** Of the pool's control words and of the job. */
  readonly words: number;
  readonly job: number;
  readonly pages: number;
}

/** Columns are loaded 16 rows at a time, packed columns 16 at a time. */
export const round16 = (n: number): number => 16 * Math.ceil(n / 16);

/** Gives everything its place for `threads` threads. Throws LimitError where WebAssembly's 4 GiB do not suffice. */
export function mapMemory({ rows: N, validationRows: M, columns: W, leaves: L, hasHistograms }: Shape, threads: number): MemoryMap {
  const memory = createLayout(PAGE);
  const words = memory.reserve(poolBytes(threads));
  const job = memory.reserve(4 * JOB.length);
  const chunks = Math.ceil(Math.max(N, M) / CHUNK);
  const fields = {
    progress: words + PROGRESS_OFFSET,
    limits: memory.reserve(16),
    nodes: memory.reserve(2 * NODE_BYTES),
    candidates: memory.reserve((2 * CANDIDATE_BYTES * round16(W)) / 16),
    workspaces: memory.reserve(WORKSPACE * threads),
    selected: memory.reserve(4 * round16(W)),
    edgeCounts: memory.reserve(4 * round16(W)),
    hasMissing: memory.reserve((4 * round16(W)) / 16),
    leafEnds: memory.reserve(4 * L),
    leafValues: memory.reserve(4 * L),
    chunkSums: memory.reserve(16 * chunks),
    treeColumn: memory.reserve(2 * (2 * L - 1)),
    treeEdge: memory.reserve(2 * (2 * L - 1)),
    treeNext: memory.reserve(4 * (2 * L - 1)),
    treeLeaves: memory.reserve(4 * L),
    order: memory.reserve(4 * N),
    scratch: memory.reserve(4 * N),
    pairs: memory.reserve(8 * N),
    scores: memory.reserve(8 * N),
    labels: memory.reserve(4 * N),
    validationScores: memory.reserve(8 * M),
    validationLabels: memory.reserve(4 * M),
    columns: memory.reserve(W * round16(N)),
    packed: memory.reserve(round16(W) * round16(N)),
    validationColumns: memory.reserve(W * round16(M)),
  };
  const identity = memory.reserve(4 * N);
  const histogramBytes = HISTOGRAM_BYTES * round16(W);
  const histograms = memory.reserve(hasHistograms ? L * histogramBytes : 0);
  const pages = countPages(memory.end(), `${N} sequences of ${W} columns`, "sequences or columns");
  return { fields, histograms, histogramBytes, identity, words, job, pages };
}
