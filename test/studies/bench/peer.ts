// A Python program that a benchmark runs beside itself: a line asks, a line answers. Knows no library.
import { type ChildProcess, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";

export interface Peer {
  /** The line that the program writes when it is ready. */
  readonly greeting: string;
  /** Throws Error where the program has ended. */
  ask(line: string): Promise<string>;
  end(): void;
}

export interface PeerOptions {
  /** Default: PYTHON, else python3. */
  readonly python?: string;
  readonly args?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Starts `script`, a file of this folder; null where no Python here has what the script imports. */
export async function startPeer(
  script: string,
  { python = process.env.PYTHON ?? "python3", args = [], env = process.env }: PeerOptions = {},
): Promise<Peer | null> {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const child: ChildProcess = spawn(python, [path, ...args], { env, stdio: ["pipe", "pipe", "ignore"] });
  child.on("error", () => {});
  child.stdin!.on("error", () => {}); // a program that has ended says so by answering no line
  const lines = createInterface({ input: child.stdout! })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string | undefined> => (await lines.next()).value;
  const greeting = await nextLine();
  if (greeting === undefined) return null;
  return {
    greeting,
    async ask(line) {
      child.stdin!.write(`${line}\n`);
      const answer = await nextLine();
      if (answer === undefined) throw new Error(`the process of ${script} has ended`);
      return answer;
    },
    end: () => child.stdin!.end(),
  };
}
