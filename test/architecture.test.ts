// The arrows between the rooms and what each may touch, held by the syntax trees of all sources.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { parseAst } from "vitest/node";

const root = fileURLToPath(new URL("..", import.meta.url));
const sources = ["shared", "trainer", "edge"].flatMap((room) =>
  readdirSync(join(root, room), { recursive: true, encoding: "utf8" })
    .map((path) => join(room, path))
    .filter((path) => path.endsWith(".ts") && !path.endsWith(".d.ts")),
);

/** Who may import what: the first pattern that fits a file decides. Packages are written `npm:name`, built-ins `node:name`. */
const ARROWS: readonly [files: RegExp, mayImport: RegExp][] = [
  [/^(shared|trainer)\/kernel\//, /^(shared|trainer)\/kernel\//],
  [/^shared\//, /^shared\/(?!kernel\/).*\.ts$/],
  [/^edge\/worker[^/]*\.ts$/, /^(edge|shared|generated)\/|^(npm:hono|npm:onnxruntime-web|cloudflare:)/],
  [/^edge\/scoring\/package-entry\.ts$/, /^shared\//],
  [/^edge\/app\.ts$/, /^edge\/(?!worker).*\.ts$|^shared\/(?!kernel\/).*\.ts$|^(npm:(hono|valibot)|cloudflare:)/],
  [/^edge\/client\.ts$/, /^edge\/(app|scoring\/scoring)\.ts$|^npm:hono/],
  [/^edge\/openapi\//, /^edge\/(?!worker|app\.ts).*\.ts$|^shared\/(?!kernel\/).*\.ts$|^npm:(@valibot\/to-json-schema|valibot)$/],
  [/^edge\/routes\//, /^edge\/(?!worker|app\.ts).*\.ts$|^shared\/(?!kernel\/).*\.ts$|^(npm:(hono|valibot)|cloudflare:)/],
  [/^edge\//, /^edge\/(?!worker|app\.ts|(routes|openapi)\/).*\.ts$|^shared\/(?!kernel\/).*\.ts$|^(npm:(hono|valibot)|cloudflare:)/],
  [/^trainer\/main\.ts$/, /^(trainer|shared)\/|^(npm|node):/],
  [/^trainer\/tfjs\/(package-)?node\.ts$/, /^trainer\/(tfjs|training|kernel)\/|^node:/],
  // runs in browsers, too: of the trainer, what knows no Node
  [
    /^trainer\/tfjs\//,
    /^trainer\/(tfjs\/(?!(package-)?node)|kernel\/.*\.wasm$|training\/(batch-order|kinds|memory-layout|memory-map|parameters|thread-protocol)\.ts$)|^npm:@tensorflow\/tfjs$/,
  ],
  [/^trainer\//, /^trainer\/(?!main\.ts|commands\/)|^shared\/|^(npm|node):/],
];

/** The rest of Math differs between hosts in the last bit; these are exact by IEEE 754 or integer arithmetic. */
const EXACT_MATH = ["sqrt", "fround", "abs", "min", "max", "floor", "ceil", "round", "trunc", "sign", "imul", "clz32"];
/** Clock, randomness and the outside world: they arrive as arguments, or not at all. */
const IMPURE = [
  "Date",
  "performance",
  "crypto",
  "process",
  "console",
  "fetch",
  "setTimeout",
  "setInterval",
  "queueMicrotask",
  "globalThis",
];

const DEFINITIONS = ["shared/networks/lstm.ts", "shared/networks/layers-definition.ts"];
const scorePath = (path: string) => /^(shared|edge)\//.test(path) && !DEFINITIONS.includes(path) && !path.includes("/kernel/");
const ownsProcess = (path: string) => path === "trainer/main.ts" || path === "trainer/package/build.ts";
const ownsConsole = (path: string) => ownsProcess(path) || /^edge\/worker[^/]*\.ts$|^trainer\/tfjs\/(node|package-browser)\.ts$/.test(path);

/** Everything in `source`, the file at `path`, that breaks a rule, as one sentence each. */
function violations(path: string, source: string): string[] {
  const found: string[] = [];
  const checkImport = (specifier: string): void => {
    const target = specifier.startsWith(".")
      ? join(path, "..", specifier)
      : /^(node|cloudflare):/.test(specifier)
        ? specifier
        : `npm:${specifier}`;
    const arrow = ARROWS.find(([files]) => files.test(path));
    if (!arrow?.[1].test(target)) found.push(`${path} must not import ${target}`);
  };
  if (path.includes("/kernel/")) {
    // AssemblyScript's decorators on functions are not TypeScript's syntax
    for (const [, specifier] of source.matchAll(/\bfrom\s*"([^"]+)"/g)) checkImport(specifier);
    return found;
  }
  visit(parseAst(source, { lang: "ts" }) as unknown as Node, (node, parent, key) => {
    const specifier = node.source as Node | undefined;
    if (typeof specifier?.value === "string") checkImport(specifier.value);
    if (scorePath(path) && (node.operator === "**" || node.operator === "**=")) found.push(`${path} must not use ${node.operator}`);
    if (node.type !== "Identifier") return;
    const isName = (parent.type === "MemberExpression" && key === "property") || (parent.type === "Property" && key === "key");
    if (isName && !parent.computed) return;
    const name = node.name as string;
    const member = parent.type === "MemberExpression" && !parent.computed ? ((parent.property as Node).name as string) : "";
    if (name === "Math" && scorePath(path) && !EXACT_MATH.includes(member)) found.push(`${path} must not use Math.${member || "…"}`);
    if (path.startsWith("shared/") && IMPURE.includes(name)) found.push(`${path} must not use ${name}`);
    else if (name === "console" && !ownsConsole(path)) found.push(`${path} must not use console`);
    else if (name === "process" && !ownsProcess(path) && (path.startsWith("edge/") || ["argv", "exit", ""].includes(member)))
      found.push(`${path} must not use process.${member || "…"}`);
  });
  return found;
}

interface Node {
  type: string;
  [key: string]: unknown;
}

function visit(node: Node, see: (node: Node, parent: Node, key: string) => void, parent = node, key = ""): void {
  see(node, parent, key);
  for (const [name, value] of Object.entries(node))
    for (const child of Array.isArray(value) ? value : [value])
      if (typeof child === "object" && child !== null && "type" in child) visit(child as Node, see, node, name);
}

/** The files that each file imports, types included. */
function importsOf(path: string, source: string): string[] {
  const targets: string[] = [];
  if (path.includes("/kernel/"))
    return [...source.matchAll(/\bfrom\s*"(\.[^"]+)"/g)].map(([, specifier]) => `${join(path, "..", specifier)}.ts`);
  visit(parseAst(source, { lang: "ts" }) as unknown as Node, (node) => {
    const specifier = (node.source as Node | undefined)?.value;
    if (typeof specifier === "string" && /^\..*\.ts$/.test(specifier)) targets.push(join(path, "..", specifier));
  });
  return targets;
}

/** A file directly in shared/, trainer/ or edge/ stands for itself; every other for its folder. */
function folderOf(path: string): string {
  const folder = dirname(path);
  return folder.includes("/") ? folder : path;
}

/** Groups of nodes that reach each other, as sorted names joined by a comma (Tarjan 1972). */
function circles(arrows: ReadonlyMap<string, ReadonlySet<string>>): string[] {
  const index = new Map<string, number>();
  const lowest = new Map<string, number>();
  const stack: string[] = [];
  const found: string[] = [];
  const walk = (node: string): void => {
    index.set(node, index.size);
    lowest.set(node, index.get(node)!);
    stack.push(node);
    for (const next of arrows.get(node) ?? []) {
      if (!index.has(next)) walk(next);
      if (stack.includes(next)) lowest.set(node, Math.min(lowest.get(node)!, lowest.get(next)!));
    }
    if (lowest.get(node) !== index.get(node)) return;
    const group = stack.splice(stack.indexOf(node));
    if (group.length > 1) found.push(group.sort().join(", "));
  };
  for (const node of arrows.keys()) if (!index.has(node)) walk(node);
  return found.sort();
}

/** Circles between files, and between folders, from the files that each file imports. */
function findCircles(imports: ReadonlyMap<string, readonly string[]>): string[] {
  const byFile = new Map<string, Set<string>>();
  const byFolder = new Map<string, Set<string>>();
  for (const [path, targets] of imports)
    for (const target of targets) {
      byFile.set(path, (byFile.get(path) ?? new Set()).add(target));
      const [from, to] = [folderOf(path), folderOf(target)];
      if (from !== to) byFolder.set(from, (byFolder.get(from) ?? new Set()).add(to));
    }
  return [...circles(byFile), ...circles(byFolder)];
}

const files = new Map(sources.map((path) => [path, readFileSync(join(root, path), "utf8")]));
const imports = new Map([...files].map(([path, source]) => [path, importsOf(path, source)]));

test("no circles: files import no file that imports them, types included, and folders import downwards only", () => {
  expect(findCircles(imports)).toEqual([]);
});

test.each([
  [
    "between files, by a type",
    "trainer/statistics/random.ts",
    `import type { Metrics } from "./metrics.ts";`,
    "trainer/statistics/metrics.ts, trainer/statistics/random.ts",
  ],
  [
    "between folders",
    "trainer/files/whole-files.ts",
    `import { createCheckpointer } from "../training/checkpoint.ts";`,
    "trainer/files, trainer/training",
  ],
  ["of a file and a folder", "shared/errors.ts", `import { score } from "./model.ts";`, "shared/errors.ts"],
])("a circle %s is found", (_, path, line, named) => {
  const planted = new Map(imports).set(path, importsOf(path, `${line}\n${files.get(path)}`));
  expect(findCircles(planted).join("; ")).toContain(named);
});

/** Every function in `source` of more than `limit` lines, and every exported one that nothing is said of. */
function readingFaults(path: string, source: string, limit: number): string[] {
  if (path.includes("/kernel/")) return []; // loops unrolled by hand
  const found: string[] = [];
  const lineAt = (offset: unknown): number => source.slice(0, offset as number).split("\n").length;
  const ast = parseAst(source, { lang: "ts" }) as unknown as Node;
  visit(ast, (node) => {
    if (!/^(FunctionDeclaration|FunctionExpression|ArrowFunctionExpression)$/.test(node.type)) return;
    const lines = lineAt(node.end) - lineAt(node.start) + 1;
    if (lines > limit) found.push(`${path}:${lineAt(node.start)} has a function of ${lines} lines`);
  });
  for (const node of ast.body as Node[]) {
    const declared = node.type === "ExportNamedDeclaration" ? (node.declaration as Node | null) : null;
    const isFunction =
      declared?.type === "FunctionDeclaration" ||
      declared?.type === "ClassDeclaration" ||
      (declared?.declarations as Node[] | undefined)?.some(({ init }) => /Function/.test((init as Node | null)?.type ?? ""));
    if (
      isFunction &&
      !source
        .slice(0, node.start as number)
        .trimEnd()
        .endsWith("*/")
    )
      found.push(`${path}:${lineAt(node.start)} exports a function without a docstring`);
  }
  return found;
}

test("every function fits a screen of 60 lines, and every exported one has a docstring", () => {
  expect([...files].flatMap(([path, source]) => readingFaults(path, source, 60))).toEqual([]);
});

test("a long function and an export without a docstring are found", () => {
  const long = `export const long = () => {${"\n".repeat(60)}};`;
  expect(readingFaults("edge/app.ts", long, 60)).toEqual([
    "edge/app.ts:1 has a function of 61 lines",
    "edge/app.ts:1 exports a function without a docstring",
  ]);
});

test("trainer/ holds main.ts and rooms, nothing loose", () => {
  expect(sources.filter((path) => /^trainer\/[^/]+$/.test(path))).toEqual(["trainer/main.ts"]);
});

test("every arrow runs edge → shared ← trainer, and each room touches only what is its own", () => {
  expect(sources).toContain("shared/model.ts");
  expect(sources).toContain("edge/routes/score.ts");
  expect(sources.flatMap((path) => violations(path, readFileSync(join(root, path), "utf8")))).toEqual([]);
});

test.each([
  ["edge/app.ts", `import { fit } from "../trainer/training/loop.ts";`, "edge/app.ts must not import trainer/training/loop.ts"],
  ["shared/model.ts", `export { app } from "../edge/app.ts";`, "shared/model.ts must not import edge/app.ts"],
  [
    "shared/model.ts",
    `import type { Fit } from "../trainer/training/loop.ts";`,
    "shared/model.ts must not import trainer/training/loop.ts",
  ],
  ["shared/model.ts", `import { readFileSync } from "node:fs";`, "shared/model.ts must not import node:fs"],
  ["shared/model.ts", `const { z } = await import("valibot");`, "shared/model.ts must not import npm:valibot"],
  ["shared/engine.ts", `import { cell } from "./kernel/cell.ts";`, "shared/engine.ts must not import shared/kernel/cell.ts"],
  ["shared/kernel/cell.ts", `import { score } from "../model";`, "shared/kernel/cell.ts must not import shared/model"],
  ["trainer/training/loop.ts", `import { app } from "../../edge/app.ts";`, "trainer/training/loop.ts must not import edge/app.ts"],
  [
    "trainer/training/loop.ts",
    `import { train } from "../commands/train.ts";`,
    "trainer/training/loop.ts must not import trainer/commands/train.ts",
  ],
  [
    "trainer/commands/score.ts",
    `import { train } from "./train.ts";`,
    "trainer/commands/score.ts must not import trainer/commands/train.ts",
  ],
  ["trainer/tfjs/device.ts", `import os from "node:os";`, "trainer/tfjs/device.ts must not import node:os"],
  [
    "trainer/tfjs/device.ts",
    `import { fit } from "../training/loop.ts";`,
    "trainer/tfjs/device.ts must not import trainer/training/loop.ts",
  ],
  ["trainer/tfjs/steps.ts", `console.warn("slow");`, "trainer/tfjs/steps.ts must not use console"],
  ["trainer/commands/score.ts", `import { run } from "../main.ts";`, "trainer/commands/score.ts must not import trainer/main.ts"],
  ["edge/routes/score.ts", `import { createApp } from "../app.ts";`, "edge/routes/score.ts must not import edge/app.ts"],
  ["edge/client.ts", `import { score } from "./routes/score.ts";`, "edge/client.ts must not import edge/routes/score.ts"],
  ["edge/page/script.ts", `import type { Api } from "../app.ts";`, "edge/page/script.ts must not import edge/app.ts"],
  ["edge/app.ts", `import worker from "./worker.ts";`, "edge/app.ts must not import edge/worker.ts"],
  ["edge/http/body.ts", `import { scoreRoutes } from "../routes/score.ts";`, "edge/http/body.ts must not import edge/routes/score.ts"],
  ["edge/app.ts", `import model from "./model.safetensors";`, "edge/app.ts must not import edge/model.safetensors"],
  ["edge/app.ts", `import { readFile } from "node:fs/promises";`, "edge/app.ts must not import node:fs/promises"],
  ["shared/recipe/recipe.ts", `export const x = Math.log(2);`, "shared/recipe/recipe.ts must not use Math.log"],
  ["edge/routes/score.ts", `export const x = [{ y: Math.exp(2) }];`, "edge/routes/score.ts must not use Math.exp"],
  ["shared/recipe/recipe.ts", `const { exp } = Math;`, "shared/recipe/recipe.ts must not use Math.…"],
  ["shared/recipe/recipe.ts", `export const x = Math["pow"](2, 3);`, "shared/recipe/recipe.ts must not use Math.…"],
  ["shared/recipe/recipe.ts", `export const x = 2 ** 3;`, "shared/recipe/recipe.ts must not use **"],
  ["shared/recipe/recipe.ts", `let x = 2; x **= 3;`, "shared/recipe/recipe.ts must not use **="],
  ["shared/model.ts", `export const now = Date.now();`, "shared/model.ts must not use Date"],
  ["shared/networks/lstm.ts", `console.log(1);`, "shared/networks/lstm.ts must not use console"],
  ["edge/app.ts", `console.log(1);`, "edge/app.ts must not use console"],
  ["edge/app.ts", `export const x = process.env.AUTH;`, "edge/app.ts must not use process.env"],
  ["trainer/training/loop.ts", `process.exit(1);`, "trainer/training/loop.ts must not use process.exit"],
  ["trainer/commands/train.ts", `const { argv } = process;`, "trainer/commands/train.ts must not use process.…"],
  ["trainer/commands/train.ts", `console.error("done");`, "trainer/commands/train.ts must not use console"],
])("%s: %s is found", (path, source, sentence) => {
  expect(violations(path, source)).toEqual([sentence]);
});

test.each([
  ["shared/networks/lstm.ts", `export const x = Math.exp(2) ** 2;`],
  ["shared/recipe/recipe.ts", `/** Not Math.log, nor 2 ** 3. */ export const x = Math.sqrt(2);`],
  ["trainer/main.ts", `import { train } from "./commands/train.ts"; console.error(process.argv); process.exit(1);`],
  ["trainer/training/loop.ts", `import os from "node:os"; export const x = [process.memoryUsage(), Math.exp(1), { console: 1 }.console];`],
  [
    "edge/worker.ts",
    `import model from "./model.safetensors"; import wasm from "../shared/kernel/inference.wasm"; console.error(model, wasm);`,
  ],
  ["edge/webhooks/inbox.ts", `import { DurableObject } from "cloudflare:workers"; export const x = Date.now();`],
])("%s: %s is allowed", (path, source) => {
  expect(violations(path, source)).toEqual([]);
});

/** What V8 has since Node 21: the package promises Node 20, and the edge's runtime is newer. */
const NEWER =
  /\b(Object|Map)\.groupBy\b|\bArray\.fromAsync\b|\bPromise\.(withResolvers|try)\b|\bRegExp\.escape\b|\bURL\.parse\b|\bFloat16Array\b|\bf16round\b|\bglobSync\b|\.transfer\(|\.(isSubsetOf|isSupersetOf|isDisjointFrom|symmetricDifference)\(|\.(keys|values|entries)\(\)\s*\.(map|filter|flatMap|reduce|toArray|some|every|find|take|drop)\(/;

test("what the package ships calls nothing that Node 20 lacks", () => {
  const shipped = [...files].filter(([path]) => /^(shared|trainer)\/|^edge\/scoring\/package-entry/.test(path));
  expect(shipped.length).toBeGreaterThan(300);
  expect(shipped.filter(([, source]) => NEWER.test(source)).map(([path]) => path)).toEqual([]);
  expect(["Object.groupBy(a, f)", "map.keys().map(f)", "a.isSubsetOf(b)", "buffer.transfer(0)"].every((call) => NEWER.test(call))).toBe(
    true,
  );
});
