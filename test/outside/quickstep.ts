// The command line as a shell runs it, for suites whose files come from other people's libraries.
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";

const MAIN = fileURLToPath(new URL("../../trainer/main.ts", import.meta.url));
const MAX_OUTPUT_BYTES = 2 ** 28;

/** Runs one command: its exit status, and what it wrote. */
export function quickstep(...argv: string[]): Promise<{ status: number; stdout: string; stderr: string }> {
  return new Promise((resolve) => {
    execFile(process.execPath, [MAIN, ...argv], { maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      resolve({ status: error === null ? 0 : Number(error.code ?? 1), stdout, stderr });
    });
  });
}

/** Runs one command that must succeed: what it printed. Throws Error with what it wrote to stderr. */
export async function quickstepPrints(...argv: string[]): Promise<string> {
  const { status, stdout, stderr } = await quickstep(...argv);
  if (status !== 0) throw new Error(`quickstep ${argv.join(" ")} ended with ${status}: ${stderr}`);
  return stdout;
}
