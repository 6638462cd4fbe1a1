// Scores a stream of sequences on all threads, a piece at a time; pieces come back in the order in which they went. Each sequence
// has the same bits in any batch, so the number of threads changes nothing but the time.
// Legend: N sequences, T steps, F features.
import { Worker } from "node:worker_threads";
import { type Path, SequenceError } from "../../shared/errors.ts";
import type { Scores } from "../../shared/model.ts";
import { fitShape, type LoadedModel } from "../artifact/artifact-file.ts";
import type { Batch, Column } from "../readers/batch.ts";
import type { Labels } from "../statistics/labels.ts";

/** What a worker is started with; `score-worker.ts` is the other end. */
export interface ScoreStart {
  readonly module: WebAssembly.Module;
  readonly bytes: Uint8Array;
}

export interface ScoreTask {
  /** (n,T,F) */
  readonly values: Float64Array;
  /** Number of the first of them. */
  readonly first: number;
}

export type ScoreAnswer = Scores | { readonly path: Path; readonly expected: string; readonly got: string };

/** A piece of the input with its scores. */
export interface Scored extends Scores {
  readonly labels: Labels | null;
  readonly columns: Readonly<Record<string, Column>>;
}

type Piece = ScoreTask & Pick<Scored, "labels" | "columns">;

/** 2 MB of 10 × 5 float64: enough to hide the sending, little enough to share out. */
const PIECE = 4096;
/** Pieces that wait at each thread while it works. */
const AHEAD = 2;

/** Scores `batches` in order. With one thread, or one piece, the calling thread does it. Throws what reading throws, SequenceError. */
export async function* scoreBatches(
  batches: AsyncIterable<Batch>,
  source: string,
  loaded: LoadedModel,
  module: WebAssembly.Module,
  threads: number,
): AsyncGenerator<Scored> {
  const pieces = cutPieces(batches, source, loaded);
  const scoreHere = ({ values, first, labels, columns }: Piece): Scored => ({ ...loaded.score(values, first), labels, columns });
  const head = await pieces.next();
  if (head.done) return;
  const second = threads === 1 ? null : await pieces.next();
  if (second === null || second.done) {
    yield scoreHere(head.value);
    for await (const piece of pieces) yield scoreHere(piece);
    return;
  }

  const workers = Array.from({ length: threads }, () => startWorker({ module, bytes: loaded.bytes }));
  try {
    const waiting: Promise<Scored>[] = [];
    const send = (piece: Piece, n: number): void => {
      const { labels, columns } = piece;
      const scored = workers[n % threads].score(piece).then((scores) => ({ ...scores, labels, columns }));
      scored.catch(() => {}); // it is thrown in its turn
      waiting.push(scored);
    };
    send(head.value, 0);
    send(second.value, 1);
    let n = 2;
    for await (const piece of pieces) {
      send(piece, n++);
      if (waiting.length > AHEAD * threads) yield (await waiting.shift()) as Scored;
    }
    for (const scored of waiting) yield await scored;
  } finally {
    await Promise.all(workers.map((worker) => worker.end()));
  }
}

async function* cutPieces(batches: AsyncIterable<Batch>, source: string, loaded: LoadedModel): AsyncGenerator<Piece> {
  let first = 0;
  for await (const batch of batches) {
    const { timesteps, features } = loaded.model.recipe;
    const size = timesteps * features.length;
    const values = fitShape(batch, source, loaded.model);
    const N = values.length / size;
    for (let from = 0; from < N; ) {
      const to = N - from < 2 * PIECE ? N : from + PIECE;
      yield {
        values: from === 0 && to === N ? values : values.slice(from * size, to * size), // whole batches go as they are, uncopied
        first: first + from,
        labels: batch.labels?.subarray(from, to) ?? null,
        columns: Object.fromEntries(Object.entries(batch.columns).map(([name, column]) => [name, column.slice(from, to)])),
      };
      from = to;
    }
    first += N;
  }
}

interface Scorer {
  score(task: ScoreTask): Promise<Scores>;
  end(): Promise<unknown>;
}

function startWorker(start: ScoreStart): Scorer {
  const worker = new Worker(new URL("./score-worker.ts", import.meta.url), { workerData: start });
  const waiting: { resolve(scores: Scores): void; reject(error: Error): void }[] = []; // answers come in the order of the tasks
  let broken: Error | null = null;
  const fail = (error: Error): void => {
    broken ??= error;
    for (const { reject } of waiting.splice(0)) reject(broken);
  };
  worker.on("error", fail);
  worker.on("exit", () => fail(new Error("a scoring thread has ended")));
  worker.on("message", (answer: ScoreAnswer) => {
    const task = waiting.shift();
    if ("path" in answer) task?.reject(new SequenceError(answer.path, answer.expected, answer.got));
    else task?.resolve(answer);
  });
  return {
    score({ values, first }) {
      return new Promise((resolve, reject) => {
        if (broken) return reject(broken);
        waiting.push({ resolve, reject });
        worker.postMessage({ values, first }, [values.buffer as ArrayBuffer]);
      });
    },
    end: () => worker.terminate(),
  };
}
