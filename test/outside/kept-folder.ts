// Folders of other people's libraries under out/outside, each made once and kept while what it is made of stays the same.
import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const FOLDERS = fileURLToPath(new URL("../../out/outside/", import.meta.url));
const LOCK_POLL_MS = 500;

/**
 * The path of out/outside/`name`, which `make` fills unless it was made of `key` before. A folder that is there for another key is deleted first.
 * One process at a time makes a folder: files of one suite run side by side. Throws what `make` throws.
 */
export async function keepFolder(name: string, key: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = join(FOLDERS, name);
  const release = await takeTurn(`${folder}.lock`);
  try {
    if (readKey(folder) === key) return folder;
    const started = performance.now();
    rmSync(folder, { recursive: true, force: true });
    await make(folder);
    writeFileSync(join(folder, "key"), key); // last, so that half a folder is never taken for a whole one
    const seconds = (performance.now() - started) / 1000;
    console.log(`${name}: environment made in ${seconds.toFixed(0)} s, ${(bytesIn(folder) / 1e9).toFixed(2)} GB`);
    return folder;
  } finally {
    release();
  }
}

function readKey(folder: string): string | undefined {
  try {
    return readFileSync(join(folder, "key"), "utf8");
  } catch {
    return undefined;
  }
}

/** Of each file once: an environment's `lib64` is its `lib` under another name. */
function bytesIn(folder: string): number {
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const sizes = new Map(
    files.map(({ parentPath, name }) => {
      const { ino, size } = statSync(join(parentPath, name));
      return [ino, size];
    }),
  );
  return [...sizes.values()].reduce((sum, size) => sum + size, 0);
}

/** Waits until no other process makes this folder. Gives what ends the turn. */
async function takeTurn(path: string): Promise<() => void> {
  mkdirSync(FOLDERS, { recursive: true });
  for (;;) {
    try {
      writeFileSync(path, `${process.pid}`, { flag: "wx" });
      return () => rmSync(path, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
    }
    if (!isAlive(path)) rmSync(path, { force: true });
    await new Promise((resolve) => setTimeout(resolve, LOCK_POLL_MS));
  }
}

function isAlive(path: string): boolean {
  try {
    process.kill(Number(readFileSync(path, "utf8")), 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}
