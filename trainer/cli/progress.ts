// The progress of fits. On a terminal one line overwrites itself and a summary of each fit remains; elsewhere every epoch has a line.
import type { Progress } from "../training/loop.ts";
import { countOf, formatCount, formatSeconds } from "./tables.ts";
import type { Terminal } from "./terminal.ts";

const REDRAW_MS = 100;

export interface FitProgress {
  show(progress: Progress): void;
  /** Says `text`; between two fits the summary of the first goes before. */
  say(text: string): void;
  /** Says the summary of the last fit, where it is not said yet. */
  finish(): void;
  /** Of training, over all fits; validation is not counted in. */
  sequencesPerSecond(): number;
}

/** `now` in milliseconds. */
export function createFitProgress(terminal: Terminal, now: () => number): FitProgress {
  const watch = createStopwatch(now);
  let last: Progress | undefined;
  let best = { loss: Number.POSITIVE_INFINITY, epoch: 0 };
  let drawn = 0;
  const finish = (): void => {
    if (terminal.isWatched && last?.isEpochEnd)
      terminal.say(
        `${countOf(last.epoch, "epoch")}: train loss ${last.trainLoss.toFixed(4)}, best validation loss ${best.loss.toFixed(4)} in epoch ${best.epoch}, ${formatCount(watch.rate())} sequences/s`,
      );
    last = undefined;
    best = { loss: Number.POSITIVE_INFINITY, epoch: 0 };
  };
  return {
    show(progress) {
      if (last !== undefined && progress.epoch < last.epoch) finish();
      const time = now();
      const rate = watch.see(progress);
      last = progress;
      if (progress.isEpochEnd) {
        if (progress.validationLoss < best.loss) best = { loss: progress.validationLoss, epoch: progress.epoch };
        if (!terminal.isWatched) terminal.say(describeEpoch(progress, rate));
      } else if (time - drawn >= REDRAW_MS) {
        drawn = time;
        terminal.progress(describeStep(progress, rate));
      }
    },
    say(text) {
      if (last?.isEpochEnd) finish();
      terminal.say(text);
    },
    finish,
    sequencesPerSecond: watch.rate,
  };
}

/** Sequences a second: of this epoch with each event, of all epochs that ended in the end. */
function createStopwatch(now: () => number): { see(progress: Progress): number; rate(): number } {
  let trained = 0; // sequences
  let busyMs = 0;
  let start: { time: number; seen: number } | undefined; // of this epoch, or of what is left of it after --resume
  return {
    see({ seen, isEpochEnd }) {
      const time = now();
      start ??= { time, seen };
      const rate = (seen - start.seen) / ((time - start.time) / 1000);
      if (isEpochEnd) {
        trained += seen - start.seen;
        busyMs += time - start.time;
        start = { time, seen: 0 };
      }
      return rate;
    },
    rate: () => (busyMs === 0 ? 0 : Math.round(trained / (busyMs / 1000))),
  };
}

function describeEpoch({ epoch, epochs, trainLoss, validationLoss, learningRate }: Progress, rate: number): string {
  return `epoch ${String(epoch).padStart(3)}/${epochs}  train ${trainLoss.toFixed(4)}  validation ${validationLoss.toFixed(4)}  rate ${learningRate.toExponential(1)}  ${describeRate(rate)}`;
}

function describeStep({ epoch, epochs, seen, total, trainLoss, validationLoss }: Progress, rate: number): string {
  const left = (total - seen) / rate;
  const atMost = left + ((epochs - epoch) * total) / rate;
  const eta = Number.isFinite(left) ? `  ${formatSeconds(left)} left in this epoch, at most ${formatSeconds(atMost)} in all` : "";
  return `epoch ${epoch}/${epochs}  train ${trainLoss.toFixed(4)}  validation ${validationLoss.toFixed(4)}${eta}  ${describeRate(rate)}`;
}

function describeRate(rate: number): string {
  return Number.isFinite(rate) ? `${formatCount(Math.round(rate))} sequences/s` : "";
}
