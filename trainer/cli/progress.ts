// The progress of a fit, as a line that overwrites itself and one that stays for every epoch.
import type { Progress } from "../training/loop.ts";
import type { Terminal } from "./terminal.ts";

const REDRAW_MS = 100;

/** `now` in milliseconds. */
export function createProgress(terminal: Terminal, now: () => number): { show(progress: Progress): void; examplesPerSecond(): number } {
  let trained = 0; // sequences, over all epochs
  let busyMs = 0;
  let start: { time: number; seen: number } | undefined; // of this epoch, or of what is left of it after --resume
  let drawn = 0;
  return {
    show({ epoch, epochs, seen, total, trainLoss, validationLoss, learningRate, isEpochEnd }) {
      const time = now();
      start ??= { time, seen };
      const rate = (seen - start.seen) / ((time - start.time) / 1000);
      const speed = Number.isFinite(rate) ? `${Math.round(rate)} sequences/s` : "";
      if (isEpochEnd) {
        trained += seen - start.seen;
        busyMs += time - start.time;
        start = { time, seen: 0 };
        terminal.say(
          `epoch ${String(epoch).padStart(3)}/${epochs}  train ${trainLoss.toFixed(4)}  validation ${validationLoss.toFixed(4)}  rate ${learningRate.toExponential(1)}  ${speed}`,
        );
        return;
      }
      if (time - drawn < REDRAW_MS) return;
      drawn = time;
      const left = (total - seen) / rate;
      const atMost = left + ((epochs - epoch) * total) / rate;
      const eta = Number.isFinite(left) ? `  ${formatSeconds(left)} left in this epoch, at most ${formatSeconds(atMost)} in all` : "";
      terminal.progress(
        `epoch ${epoch}/${epochs}  ${seen}/${total}  train ${trainLoss.toFixed(4)}  validation ${validationLoss.toFixed(4)}  ${speed}${eta}`,
      );
    },
    examplesPerSecond: () => (busyMs === 0 ? 0 : trained / (busyMs / 1000)),
  };
}

function formatSeconds(seconds: number): string {
  return seconds < 100 ? `${Math.ceil(seconds)} s` : `${Math.ceil(seconds / 60)} min`;
}
