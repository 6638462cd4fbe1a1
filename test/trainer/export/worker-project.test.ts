// The folder of `export --worker`: what goes into it, and what it may not go into.
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { checkWorkerFolder, workerName, writeWorkerProject } from "../../../trainer/export/worker-project.ts";

let folder = "";
beforeEach(() => {
  folder = join(mkdtempSync(join(tmpdir(), "quickstep-")), "worker");
});
afterEach(() => rmSync(join(folder, ".."), { recursive: true }));

const artifact = Uint8Array.of(1, 2, 3);
const read = (name: string): string => readFileSync(join(folder, name), "utf8");
const write = (name: string, text = "mine"): void => writeFileSync(join(folder, name), text);

test("names the Worker after the model, and brings a README and a .gitignore", () => {
  writeWorkerProject(folder, artifact, "S&P 500, daily");
  expect(readdirSync(folder).sort()).toEqual(
    [
      ".gitignore",
      "README.md",
      "assets",
      "inference.wasm",
      "model.safetensors",
      "worker.js",
      "wrangler-command.js",
      "wrangler.toml",
    ].sort(),
  );
  expect(read("wrangler.toml")).toMatch(/^name = "s-p-500-daily"$/m);
  expect(read("wrangler.toml")).toContain('directory = "assets"');
  expect(read("README.md")).toMatch(/^# s-p-500-daily\n/);
  expect(read(".gitignore").split("\n")).toEqual(expect.arrayContaining([".wrangler/", ".dev.vars*", "node_modules/"]));
});

test("a second export renews code and model, and leaves what its owner edits", () => {
  writeWorkerProject(folder, artifact, "first");
  for (const name of ["wrangler.toml", "README.md", ".gitignore", ".dev.vars", "worker.js"]) write(name);
  mkdirSync(join(folder, ".wrangler"));
  writeWorkerProject(folder, Uint8Array.of(4), "second");
  for (const name of ["wrangler.toml", "README.md", ".gitignore", ".dev.vars"]) expect(read(name)).toBe("mine");
  expect(read("worker.js")).not.toBe("mine");
  expect([...readFileSync(join(folder, "model.safetensors"))]).toEqual([4]);
});

test("an export of before, whose page stood beside the Worker, is renewed", () => {
  writeWorkerProject(folder, artifact, "m");
  rmSync(join(folder, "assets"), { recursive: true });
  write("page.html");
  writeWorkerProject(folder, artifact, "m");
  expect(existsSync(join(folder, "page.html"))).toBe(false);
  expect(read("assets/page.html")).toContain("<!doctype html>");
});

test.each([
  ["a project of somebody", ["worker.js", "wrangler.toml", "src.ts"], "src.ts, worker.js, wrangler.toml"],
  ["a folder with an artifact", ["model.safetensors"], "model.safetensors"],
  ["a folder of papers", ["a", "b", "c", "d", "e"], "a, b, c and 2 more"],
])("%s is refused and stays as it is", (_, names, said) => {
  mkdirSync(folder);
  for (const name of names) write(name);
  const refusal = `${folder}: holds ${said}, which no export wrote: name a folder that is new, empty, or an earlier export's`;
  expect(() => checkWorkerFolder(folder)).toThrow(refusal);
  expect(() => writeWorkerProject(folder, artifact, "m")).toThrow(refusal);
  expect(readdirSync(folder).sort()).toEqual([...names].sort());
  for (const name of names) expect(read(name)).toBe("mine");
});

test("an earlier export with another file in it is refused, too", () => {
  writeWorkerProject(folder, artifact, "m");
  write("notes.txt");
  expect(() => writeWorkerProject(folder, artifact, "m")).toThrow("holds notes.txt, which no export wrote");
});

test("a new repository is a place for it, and keeps its README", () => {
  mkdirSync(join(folder, ".git"), { recursive: true });
  write("README.md");
  writeWorkerProject(folder, artifact, "m");
  expect(read("README.md")).toBe("mine");
  expect(existsSync(join(folder, "worker.js"))).toBe(true);
});

test.each([
  ["sp500", "sp500"],
  ["My Model_v2.1", "my-model-v2-1"],
  ["--", "quickstep"],
  ["東京", "quickstep"],
  [`${"a".repeat(62)} b`, "a".repeat(62)],
  ['x"\nmain = "evil.js', "x-main-evil-js"],
])("the model %j is served by the Worker %s", (model, worker) => {
  expect(workerName(model)).toBe(worker);
});
