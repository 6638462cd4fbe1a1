// Where a command's words go. Files, servers and names put text of their own into these words, so whatever would steer a terminal
// is shown here, not sent.
import { STEERING } from "../readers/quoting.ts";

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

/** `text` with each steering character as `\u001b`, which in a JSON document is the same string. */
export function showControls(text: string): string {
  return text.replace(STEERING, (character) =>
    character === "\n" || character === "\t" ? character : `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
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
      stderr.write(`${showControls(line)}\n`);
    },
    progress(line) {
      if (!isWatched) return;
      const shown = showControls(line).replaceAll("\n", " "); // a line of progress is one line
      stderr.write(`\r\x1b[K${shown.slice(0, Math.max(20, (stderr.columns || 80) - 1))}`);
      isDrawn = true;
    },
    print(line) {
      clear();
      stdout.write(`${showControls(line)}\n`);
    },
  };
}
