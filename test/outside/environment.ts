// Other people's libraries for the suites in this folder: one virtual environment of Python a suite, made of the suite's locked file and kept
// in out/outside while the lock stays the same. No resolver runs: a lock names every package, its version and the hashes of its files.
import { execFile } from "node:child_process";
import { createHash } from "node:crypto";
import { copyFileSync, mkdirSync, readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, test } from "vitest";
import { keepFolder } from "./kept-folder.ts";

const SUITES = fileURLToPath(new URL(".", import.meta.url));
/** What scripts of several suites import. The suites' own folders are on nobody's path: a folder `triton` would pass for the package of that name. */
const MODULES = join(SUITES, "modules");
/** (major, minor) */
const OLDEST_PYTHON = [3, 10];
const MAX_OUTPUT_BYTES = 2 ** 28;
/** Of what a failed program wrote to stderr: the end, where Python says what was raised. */
const LAST_LINES = 30;

/** Python with the packages of one suite. */
export interface Environment {
  /** The interpreter. */
  readonly python: string;
  /**
   * Runs a script of the suite's folder and gives what the script printed. Throws Error with the end of its stderr where the script fails.
   * `stdin` is JSON for the script to read.
   */
  run(script: string, args?: readonly string[], stdin?: unknown): Promise<string>;
}

/**
 * Declares the tests of one suite, which get Python with the packages of test/outside/<suite>/requirements.lock. Where there is no such Python,
 * the suite is skipped and says why in one line; under CI=true it fails.
 */
export function describeOutside(suite: string, tests: (environment: Environment) => void | Promise<void>): void {
  describe(suite, async () => {
    try {
      await tests(await openEnvironment(suite));
    } catch (error) {
      if (!(error instanceof Unavailable)) throw error;
      const reason = `${suite}: skipped, ${error.message}`;
      if (process.env.CI) throw new Error(`${reason}: in CI every suite must run`);
      console.log(reason);
      test.skip(reason, () => {});
    }
  });
}

/** Python or a package cannot be had here. */
class Unavailable extends Error {}

async function openEnvironment(suite: string): Promise<Environment> {
  const base = process.env.PYTHON ?? "python3";
  const lock = join(SUITES, suite, "requirements.lock");
  const key = createHash("sha256")
    .update(readFileSync(lock))
    .update(await versionOf(base))
    .digest("hex");
  const folder = await keepFolder(suite, key, (path) => install(base, lock, path));
  const python = join(folder, "bin", "python");
  return {
    python,
    run: (script, args = [], stdin) => execute(python, [join(SUITES, suite, script), ...args], stdin),
  };
}

/**
 * Node's packages of the suite's package-lock.json, none of whose scripts is run: the folder that node_modules stands in. Fails where a
 * package cannot be had.
 */
export async function installNodePackages(suite: string): Promise<string> {
  const files = ["package.json", "package-lock.json"].map((name) => join(SUITES, suite, name));
  const key = createHash("sha256")
    .update(Buffer.concat(files.map((file) => readFileSync(file))))
    .digest("hex");
  return keepFolder(`${suite}-node`, key, async (folder) => {
    mkdirSync(folder);
    for (const file of files) copyFileSync(file, join(folder, basename(file)));
    await execute("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund"], undefined, folder).catch((error: Error) => {
      throw new Unavailable(`a package of Node's cannot be had (${error.message.split("\n").at(-1)})`);
    });
  });
}

/** `3.11.7` and the machine's architecture. Throws Unavailable where there is no Python, or one that is too old. */
async function versionOf(python: string): Promise<string> {
  const print = "import platform; print(platform.python_version(), platform.machine(), platform.system())";
  const version = await execute(python, ["-c", print]).catch(() => {
    throw new Unavailable(`no Python is here (${python})`);
  });
  const [major, minor] = version.split(".").map(Number);
  if (major < OLDEST_PYTHON[0] || (major === OLDEST_PYTHON[0] && minor < OLDEST_PYTHON[1]))
    throw new Unavailable(`Python ${OLDEST_PYTHON.join(".")} or newer is needed, ${version.split(" ")[0]} is here`);
  return version;
}

async function install(base: string, lock: string, folder: string): Promise<void> {
  // The base's pip installs into the environment: ensurepip, which Debian keeps in a package of its own, is not needed.
  await execute(base, ["-m", "venv", "--without-pip", folder]);
  const pip = ["-m", "pip", "--python", join(folder, "bin", "python"), "install", "--quiet", "--no-input", "--disable-pip-version-check"];
  await execute(base, [...pip, "--no-compile", "--no-deps", "--require-hashes", "-r", lock]).catch((error: Error) => {
    const [reason = "pip failed"] = error.message.match(/^ *ERROR.*$/m) ?? [];
    throw new Unavailable(`a package cannot be had (${reason.trim()})`);
  });
}

/** Runs a program to its end: its stdout. `more` are variables of its environment. Throws Error with the end of its stderr where its status is not 0. */
export function execute(
  program: string,
  args: readonly string[],
  stdin?: unknown,
  cwd?: string,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const env = {
    ...process.env,
    PYTHONNOUSERSITE: "1",
    PYTHONPATH: MODULES,
    PYTHONHASHSEED: "0",
    PYTHONWARNINGS: "ignore",
    CUDA_VISIBLE_DEVICES: "",
    TF_CPP_MIN_LOG_LEVEL: "3",
    ...more,
  };
  return new Promise((resolve, reject) => {
    const child = execFile(program, args, { env, cwd, maxBuffer: MAX_OUTPUT_BYTES }, (error, stdout, stderr) => {
      if (error === null) resolve(stdout);
      else
        reject(
          new Error(
            `${program} ${args.join(" ")}\n${(stderr || stdout || error.message).trimEnd().split("\n").slice(-LAST_LINES).join("\n")}`,
          ),
        );
    });
    child.stdin?.on("error", () => {}); // a program that ends without reading says so by its status
    child.stdin?.end(stdin === undefined ? "" : JSON.stringify(stdin));
  });
}
