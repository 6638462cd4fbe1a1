// Where a command's words go.

export interface Terminal {
  /** Whether somebody watches: only then `progress` draws. */
  readonly isWatched: boolean;
  /** Progress and prose: stderr. */
  say(text: string): void;
  /** A line that the next one overwrites; nothing where nobody watches. */
  progress(text: string): void;
  /** The result: stdout. */
  print(text: string): void;
}

interface Output {
  readonly isTTY?: boolean;
  readonly columns?: number;
  write(text: string): unknown;
}

/** A line that overwrites itself needs a terminal; its leftovers are cleared before anything else is said. */
export function createTerminal(stdout: Output, stderr: Output): Terminal {
  const isWatched = stderr.isTTY === true;
  let isDrawn = false;
  const clear = (): void => {
    if (isDrawn) stderr.write("\r\x1b[K");
    isDrawn = false;
  };
  return {
    isWatched,
    say(line) {
      clear();
      stderr.write(`${line}\n`);
    },
    progress(line) {
      if (!isWatched) return;
      stderr.write(`\r\x1b[K${line.slice(0, Math.max(20, (stderr.columns || 80) - 1))}`);
      isDrawn = true;
    },
    print(line) {
      clear();
      stdout.write(`${line}\n`);
    },
  };
}
