// A training run on disk, between two steps: written whole every few seconds and at Ctrl-C, taken up again by --resume.
// Bytes: "QSCP", u32 CRC-32 of what follows, u32 length of a JSON header, the header, then float32 buffers (little-endian).
import { existsSync, rmSync } from "node:fs";
import { crc32 } from "../../shared/artifact/crc32.ts";
import { DataError } from "../../shared/errors.ts";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import type { FitOptions, FitState } from "./loop.ts";

/** Thrown to leave a run whose checkpoint is safe. */
export class Interrupted extends Error {
  constructor(path?: string) {
    super(
      path === undefined
        ? "interrupted: nothing to keep yet"
        : `interrupted; ${path} keeps the run: the same command with --resume goes on`,
    );
    this.name = "Interrupted";
  }
}

const MAGIC = 0x50435351; // "QSCP"
const INTERVAL_MS = 3000;
/** The event loop gets a turn this often: signals, and the ends of worker threads, arrive only there. */
const TURN_MS = 50;

/** `run` says what the checkpoint belongs to: equal runs end in equal bytes. */
export function encodeCheckpoint(state: FitState, run: string): Uint8Array {
  const { parameters, optimizer, best, kept, ...rest } = state;
  const floats = [parameters, kept.parameters, best.losses, optimizer.moments];
  const header = new TextEncoder().encode(
    JSON.stringify({
      run,
      ...rest,
      best: { loss: best.loss, epoch: best.epoch },
      kept: { loss: kept.loss, epoch: kept.epoch },
      steps: optimizer.steps,
      sizes: floats.map((f) => f.length),
    }),
  );
  const size = 12 + header.length + floats.reduce((sum, f) => sum + f.byteLength, 0);
  const bytes = new Uint8Array(size);
  bytes.set(header, 12);
  let at = 12 + header.length;
  for (const { buffer, byteOffset, byteLength } of floats) {
    bytes.set(new Uint8Array(buffer, byteOffset, byteLength), at);
    at += byteLength;
  }
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(8, header.length, true);
  view.setUint32(4, crc32(bytes.subarray(8)), true);
  return bytes;
}

/** Throws DataError when the bytes are damaged, or belong to another run. */
export function decodeCheckpoint(bytes: Uint8Array, run: string, source: string): FitState {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || view.getUint32(0, true) !== MAGIC || view.getUint32(4, true) !== crc32(bytes.subarray(8)))
    throw new DataError(source, "is not a checkpoint, or is damaged: train without --resume");
  const start = 12 + view.getUint32(8, true);
  const header = JSON.parse(new TextDecoder().decode(bytes.subarray(12, start)));
  if (header.run !== run)
    throw new DataError(source, "belongs to another run (other data, options, version or SIMD path): train without --resume");
  let at = start;
  const [parameters, keptParameters, losses, moments] = header.sizes.map((size: number) => {
    const floats = new Float32Array(new Uint8Array(bytes.subarray(at, (at += 4 * size))).buffer);
    return floats;
  });
  const { epoch, seen, lossSum, learningRate, validationLoss, history, best, kept, steps } = header;
  return {
    epoch,
    seen,
    lossSum,
    learningRate,
    validationLoss,
    history,
    best: { ...best, losses },
    kept: { ...kept, parameters: keptParameters },
    parameters,
    optimizer: { steps, moments },
  };
}

/** What a fit needs to be saved and resumed: options for fitNetwork. */
export type Checkpointing = Pick<FitOptions, "from" | "afterStep" | "onFailure" | "onEnd">;

export interface Checkpointer {
  /** `stage` tells the fits of one run apart: 0, 1, … */
  checkpoint(run: string, stage: number): Checkpointing;
  /** Gives the event loop a turn; leaves with Interrupted if that is asked for. */
  yieldToEventLoop(): Promise<void>;
  remove(): void;
}

/**
 * Saves the fits of a run at `path`, with the stage's number behind it from the second on. `isResuming`: goes on from what is
 * there. Once `signal` is aborted, a fit is left with Interrupted as soon as its state is safe. `now` in milliseconds.
 */
export function createCheckpointer(path: string, isResuming: boolean, signal: AbortSignal, now: () => number): Checkpointer {
  const paths = new Set<string>();
  return {
    checkpoint(run, stage) {
      const stagePath = stage === 0 ? path : `${path}${stage + 1}`;
      paths.add(stagePath);
      const save = (state: FitState): void => writeWhole(stagePath, encodeCheckpoint(state, run));
      return {
        from: isResuming && existsSync(stagePath) ? decodeCheckpoint(readWhole(stagePath), run, stagePath) : undefined,
        onFailure: save,
        onEnd: save,
        afterStep: saveNowAndThen(save, stagePath, signal, now),
      };
    },
    async yieldToEventLoop() {
      await nextTurn();
      if (signal.aborted) throw new Interrupted(isResuming && existsSync(path) ? path : undefined);
    },
    remove() {
      for (const stagePath of paths) rmSync(stagePath, { force: true });
    },
  };
}

/** Saves every few seconds, and gives the event loop a turn more often than that; leaves where the signal asks for it. */
function saveNowAndThen(save: (state: FitState) => void, path: string, signal: AbortSignal, now: () => number): FitOptions["afterStep"] {
  let savedAt = now();
  let turnedAt = now();
  const yieldOrLeave = async (snapshot: () => FitState): Promise<void> => {
    await nextTurn();
    turnedAt = now();
    if (!signal.aborted) return;
    save(snapshot());
    throw new Interrupted(path);
  };
  return (snapshot) => {
    const time = now();
    if (time - savedAt >= INTERVAL_MS) {
      save(snapshot());
      savedAt = now();
    }
    return time - turnedAt < TURN_MS ? undefined : yieldOrLeave(snapshot);
  };
}

function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
