import { execFileSync, spawn } from "node:child_process";
import fs, {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { DataError } from "../../../shared/errors.ts";
import { checkWritable, createWhole, discardUnfinished, readBeside, readWhole, writeWhole } from "../../../trainer/files/whole-files.ts";

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "quickstep-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

const bytes = Uint8Array.of(1, 2, 3);

/** Makes one function of node:fs fail as the system would, for as long as `run` takes. */
function failing(
  name: "accessSync" | "fsyncSync" | "writeFileSync" | "renameSync" | "openSync" | "readFileSync",
  code: string,
  run: () => void,
): void {
  const spy = vi.spyOn(fs, name).mockImplementation(() => {
    throw Object.assign(new Error(code), { code });
  });
  syncBuiltinESMExports();
  try {
    run();
  } finally {
    spy.mockRestore();
    syncBuiltinESMExports();
  }
}

describe("writeWhole", () => {
  test("writes into a folder that is not there yet", () => {
    const path = join(folder, "a", "b", "file");
    writeWhole(path, bytes);
    expect(readWhole(path)).toEqual(Buffer.from(bytes));
    expect(readdirSync(join(folder, "a", "b"))).toEqual(["file"]);
  });

  test("replaces a file and keeps its permissions", () => {
    const path = join(folder, "file");
    writeFileSync(path, "old", { mode: 0o600 });
    writeWhole(path, bytes);
    expect(readFileSync(path)).toEqual(Buffer.from(bytes));
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  test("writes what a link points to and leaves the link", () => {
    writeFileSync(join(folder, "file"), "old");
    symlinkSync("file", join(folder, "link"));
    writeWhole(join(folder, "link"), bytes);
    expect(readFileSync(join(folder, "file"))).toEqual(Buffer.from(bytes));
    expect(readlinkSync(join(folder, "link"))).toBe("file");
  });

  test("opens its temporary file exclusively, and none whose name is known before", () => {
    const opened: [string, string][] = [];
    const { openSync } = fs;
    const spy = vi.spyOn(fs, "openSync").mockImplementation((path, flags, mode) => {
      opened.push([String(path), String(flags)]);
      return openSync(path, flags, mode);
    });
    syncBuiltinESMExports();
    try {
      for (let k = 0; k < 2; k++) writeWhole(join(folder, "file"), bytes);
    } finally {
      spy.mockRestore();
      syncBuiltinESMExports();
    }
    expect(opened.map(([, flags]) => flags)).toEqual(["wx", "wx"]); // O_EXCL follows no link
    expect(new Set(opened.map(([path]) => path)).size).toBe(2);
    expect(opened.join()).not.toContain(String(process.pid));
  });

  test("writes through no link that stands at the old temporary name", () => {
    writeFileSync(join(folder, "victim"), "mine");
    symlinkSync("victim", join(folder, `.file.${process.pid}.tmp`));
    writeWhole(join(folder, "file"), bytes);
    expect(readFileSync(join(folder, "victim"), "utf8")).toBe("mine");
    expect(readFileSync(join(folder, "file"))).toEqual(Buffer.from(bytes));
  });

  test("writes a file whose name is as long as a name may be", () => {
    writeWhole(join(folder, "x".repeat(255)), bytes);
    expect(readdirSync(folder)).toEqual(["x".repeat(255)]);
  });

  test("leaves nothing of a file that is not finished when the process ends", () => {
    const file = createWhole(join(folder, "file"));
    file.write(bytes);
    expect(readdirSync(folder)).toHaveLength(1);
    discardUnfinished();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("does not replace a device", () => {
    writeWhole("/dev/null", bytes);
    expect(statSync("/dev/null").isCharacterDevice()).toBe(true);
  });

  test.each([
    ["fsyncSync", "ENOSPC", "the disk is full: free some space, or choose another folder"],
    ["writeFileSync", "ENOSPC", "the disk is full: free some space, or choose another folder"],
    ["writeFileSync", "EDQUOT", "the disk quota is used up: free some space, or choose another folder"],
    ["openSync", "EACCES", "permission denied"],
    ["openSync", "EROFS", "the file system is read-only"],
    ["renameSync", "EPERM", "permission denied"],
    ["renameSync", "EXOTIC", "EXOTIC"],
  ] as const)("when %s says %s, leaves the old file and nothing else", (name, code, reason) => {
    const path = join(folder, "file");
    writeFileSync(path, "old");
    failing(name, code, () => expect(() => writeWhole(path, bytes)).toThrow(new DataError(path, `cannot be written: ${reason}`)));
    expect(readdirSync(folder)).toEqual(["file"]);
    expect(readFileSync(path, "utf8")).toBe("old");
  });

  test("refuses a folder's name and a path through a file", () => {
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "file"), "old");
    const sub = join(folder, "sub");
    expect(() => writeWhole(sub, bytes)).toThrow(new DataError(sub, "cannot be written: it is a folder, expected a file"));
    for (const path of [join(folder, "file", "x"), join(folder, "file", "x", "y")])
      expect(() => writeWhole(path, bytes)).toThrow(new DataError(path, "cannot be written: a part of its path is a file, not a folder"));
    const long = join(folder, "x".repeat(300));
    expect(() => writeWhole(long, bytes)).toThrow(new DataError(long, "cannot be written: the name is too long"));
    expect(readdirSync(folder).sort()).toEqual(["file", "sub"]);
  });
});

describe("checkWritable", () => {
  test("passes what writeWhole can write, and makes nothing", () => {
    writeFileSync(join(folder, "file"), "old");
    for (const path of [join(folder, "new"), join(folder, "file"), join(folder, "a", "b", "new"), "/dev/null"])
      expect(() => checkWritable(path)).not.toThrow();
    expect(readdirSync(folder)).toEqual(["file"]);
    expect(readFileSync(join(folder, "file"), "utf8")).toBe("old");
  });

  test("refuses what writeWhole cannot write, in the same words", () => {
    mkdirSync(join(folder, "sub"));
    writeFileSync(join(folder, "file"), "old");
    for (const name of ["sub", "file/x", "file/x/y", "x".repeat(300)]) {
      const path = join(folder, name);
      const said = (act: () => void): string => {
        try {
          act();
        } catch (error) {
          return (error as Error).message;
        }
        return "nothing";
      };
      expect(said(() => checkWritable(path))).toBe(said(() => writeWhole(path, bytes)));
    }
  });

  test.runIf(existsSync("/proc/self"))("refuses a folder that cannot be made, although permissions allow it, at once", () => {
    expect(() => checkWritable("/proc/x/m.safetensors")).toThrow(/^\/proc\/x\/m.safetensors: cannot be written: there is no such file$/);
    expect(() => writeWhole("/proc/x/m.safetensors", bytes)).toThrow(/cannot be written: there is no such file$/);
  });

  test.each(["EACCES", "EROFS"] as const)("says why a folder that is no use is none: %s", (code) => {
    const path = join(folder, "file");
    failing("openSync", code, () =>
      expect(() => checkWritable(path)).toThrow(/^.*file: cannot be written: (permission denied|the file system is read-only)$/),
    );
  });
});

describe("readWhole", () => {
  test("reads an endless device no further than its limit", () => {
    expect(() => readWhole("/dev/zero", 2 ** 22)).toThrow(
      new DataError("/dev/zero", "cannot be read: it does not end after 4194304 bytes, the most that are expected"),
    );
    expect(readWhole("/dev/null")).toHaveLength(0);
  });

  test("reads a pipe to its end", () => {
    const pipe = join(folder, "pipe");
    execFileSync("mkfifo", [pipe]);
    spawn("sh", ["-c", '(printf 12; sleep 0.2; printf 3) > "$0"', pipe]);
    expect(Buffer.from(readWhole(pipe)).toString()).toBe("123");
  });

  test("says why a file cannot be read", () => {
    const path = join(folder, "none");
    expect(() => readWhole(path)).toThrow(new DataError(path, "cannot be read: there is no such file"));
    expect(() => readWhole(folder)).toThrow(new DataError(folder, "cannot be read: it is a folder, expected a file"));
    failing("readFileSync", "ERR_FS_FILE_TOO_LARGE", () =>
      expect(() => readWhole(path)).toThrow(
        new DataError(path, "cannot be read: it is larger than the 2 GiB that can be read at once: split it"),
      ),
    );
  });
});

test("a file beside another is read from its folder or below, and through no link that leads out", () => {
  const base = mkdtempSync(join(tmpdir(), "quickstep-beside-"));
  mkdirSync(join(base, "model", "data"), { recursive: true });
  writeFileSync(join(base, "secret"), "secret");
  writeFileSync(join(base, "model", "data", "w"), "weights");
  symlinkSync(join(base, "secret"), join(base, "model", "link"));
  const model = join(base, "model", "m.onnx");
  expect(Buffer.from(readBeside(model, "data/w")).toString()).toBe("weights");
  for (const location of ["../secret", "data/../../secret", join(base, "secret"), "", "..\\secret", "a\0b"])
    expect(() => readBeside(model, location)).toThrow("expected one in its own folder");
  expect(() => readBeside(model, "link")).toThrow("which is a link out of its folder");
  expect(() => readBeside(model, "none")).toThrow("cannot be read: there is no such file");
  rmSync(base, { recursive: true });
});
