// The progress of work that goes by stages. On a terminal one line overwrites itself, with the time left where it can be told;
// elsewhere every stage has a line.
import { formatPercent, formatSeconds } from "./tables.ts";
import type { Terminal } from "./terminal.ts";

const REDRAW_MS = 100;

export interface Stages {
  /**
   * The work is at `stage`. `share`, 0 to 1, is done of this stage, or of all stages where it grows from one to the next: an estimate
   * that may err on the low side. `detail` says more to whoever watches.
   */
  show(stage: string, share?: number, detail?: string): void;
  /** Clears the line. */
  finish(): void;
}

/** `now` in milliseconds. */
export function createStages(terminal: Terminal, now: () => number): Stages {
  let current: string | undefined;
  let started = 0; // when `share` was last 0
  let lastShare = 0;
  let drawn = Number.NEGATIVE_INFINITY;
  return {
    show(stage, share = 0, detail) {
      const time = now();
      if (stage !== current) {
        current = stage;
        if (share === 0 || share < lastShare) started = time;
        drawn = Number.NEGATIVE_INFINITY;
        if (!terminal.isWatched) terminal.say(`${stage} …`);
      }
      lastShare = share;
      if (time - drawn < REDRAW_MS) return;
      drawn = time;
      const left = (((time - started) / 1000) * (1 - share)) / share;
      const parts = [`${stage} …`];
      if (share > 0) parts.push(formatPercent(share), `${formatSeconds(left)} left`);
      if (detail !== undefined) parts.push(detail); // last: a narrow terminal cuts the line
      terminal.progress(parts.join("  "));
    },
    finish() {
      current = undefined;
      lastShare = 0;
      terminal.progress("");
    },
  };
}
