// The progress of a fit, as a line that overwrites itself and one that stays for every epoch.
import type { Progress } from "./fit.ts";
import type { Terminal } from "./terminal.ts";

const REDRAW_MS = 100;

/** `now` in milliseconds. */
export function createProgress(terminal: Terminal, now: () => number): { show(progress: Progress): void; examplesPerSecond(): number } {
  let trained = 0; // sequences, over all epochs
  let busyMs = 0;
  let epochStart = now();
  let drawn = 0;
  return {
    show({ epoch, epochs, seen, total, trainLoss, validationLoss, learningRate, isEpochEnd }) {
      const time = now();
      const rate = seen / ((time - epochStart) / 1000);
      if (isEpochEnd) {
        trained += total;
        busyMs += time - epochStart;
        epochStart = time;
        terminal.say(
          `epoch ${String(epoch).padStart(3)}/${epochs}  train ${trainLoss.toFixed(4)}  validation ${validationLoss.toFixed(4)}  rate ${learningRate.toExponential(1)}  ${Math.round(rate)} sequences/s`,
        );
        return;
      }
      if (time - drawn < REDRAW_MS) return;
      drawn = time;
      const secondsLeft = (total - seen) / rate;
      terminal.progress(
        `epoch ${epoch}/${epochs}  ${seen}/${total}  train ${trainLoss.toFixed(4)}  ${Math.round(rate)} sequences/s  ${secondsLeft.toFixed(0)} s left in this epoch`,
      );
    },
    examplesPerSecond: () => (busyMs === 0 ? 0 : trained / (busyMs / 1000)),
  };
}
