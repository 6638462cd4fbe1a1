// A training run on disk, written whole every few seconds and at Ctrl-C, taken up again by --resume: one network's between two steps
// (a JSON header, then float32 buffers), or a stack's between two stages (a journal).
import { existsSync, rmSync } from "node:fs";
import { readWhole, writeWhole } from "../files/whole-files.ts";
import { checkSameRun, decodeCheckpointFile, encodeCheckpointFile } from "./checkpoint-file.ts";
import { type Journal, type JournalFile, openJournalFile } from "./journal.ts";
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

/** Says that a run is to be left, as an AbortSignal does. */
export interface StopSignal {
  readonly aborted: boolean;
}

const INTERVAL_MS = 3000;
/** The event loop gets a turn this often: signals, and the ends of worker threads, arrive only there. */
const TURN_MS = 50;

/** `run` says what the checkpoint belongs to: equal runs end in equal bytes. */
export function encodeCheckpoint(state: FitState, run: string): Uint8Array {
  const { parameters, optimizer, best, kept, ...rest } = state;
  const floats = [parameters, kept.parameters, best.losses, optimizer.moments];
  const header = JSON.stringify({
    run,
    ...rest,
    best: { loss: best.loss, epoch: best.epoch },
    kept: { loss: kept.loss, epoch: kept.epoch },
    steps: optimizer.steps,
    sizes: floats.map((f) => f.length),
  });
  return encodeCheckpointFile("network", header, floats);
}

/** Throws DataError when the bytes are damaged, or belong to another run. */
export function decodeCheckpoint(bytes: Uint8Array, run: string, source: string): FitState {
  const { header: text, body } = decodeCheckpointFile(bytes, "network", source);
  const header = JSON.parse(text);
  checkSameRun(header.run, run, source);
  let at = 0;
  const [parameters, keptParameters, losses, moments] = header.sizes.map((size: number) => {
    const floats = new Float32Array(new Uint8Array(body.subarray(at, (at += 4 * size))).buffer);
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
  /** The journal of a run of many stages. Throws DataError where what is to be taken up is damaged, or belongs to another run. */
  openJournal(run: string): Journal;
  /** Gives the event loop a turn; leaves with Interrupted if that is asked for. */
  yieldToEventLoop(): Promise<void>;
  remove(): void;
}

/**
 * Saves the fits of a run at `path`, with the stage's number behind it from the second on. `isResuming`: goes on from what is
 * there. Once `signal` is aborted, a fit is left with Interrupted as soon as its state is safe. `now` in milliseconds.
 */
export function createCheckpointer(path: string, isResuming: boolean, signal: StopSignal, now: () => number): Checkpointer {
  const paths = new Set<string>();
  let file: JournalFile | undefined;
  return {
    openJournal(run) {
      paths.add(path);
      file = openJournalFile({ path, isResuming: isResuming && existsSync(path), run, now, intervalMs: INTERVAL_MS });
      return file.journal;
    },
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
      if (!signal.aborted) return;
      const isKept = file === undefined ? isResuming && existsSync(path) : file.flush();
      throw new Interrupted(isKept ? path : undefined);
    },
    remove() {
      for (const stagePath of paths) rmSync(stagePath, { force: true });
    },
  };
}

/** Keeps nothing of a run, and gives the event loop its turns; once `signal` is aborted, the run is left with Interrupted. */
export function createPauser(signal: StopSignal, now: () => number): Pick<Checkpointer, "checkpoint" | "yieldToEventLoop"> {
  const yieldToEventLoop = async (): Promise<void> => {
    await nextTurn();
    if (signal.aborted) throw new Interrupted();
  };
  let turnedAt = now();
  const afterStep = (): Promise<void> | undefined => {
    if (!signal.aborted && now() - turnedAt < TURN_MS) return undefined;
    return yieldToEventLoop().then(() => {
      turnedAt = now();
    });
  };
  return { checkpoint: () => ({ afterStep }), yieldToEventLoop };
}

/** Saves every few seconds, and gives the event loop a turn more often than that; leaves where the signal asks for it. */
function saveNowAndThen(save: (state: FitState) => void, path: string, signal: StopSignal, now: () => number): FitOptions["afterStep"] {
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
    return !signal.aborted && time - turnedAt < TURN_MS ? undefined : yieldOrLeave(snapshot);
  };
}

function nextTurn(): Promise<void> {
  return new Promise((done) => setImmediate(done));
}
