// Compiles the kernels, AssemblyScript → .wasm beside its source, puts the edge's page together, and bundles the edge into the Worker
// that `serve` runs and `export --worker` hands out. Does nothing when what is there is newer than every source, so that a watcher
// which sees its own output (wrangler's [build]) comes to rest.
import { cpSync, existsSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Plugin } from "esbuild";
import { buildAssets, filesBelow, modified, writeBuilt } from "./build-assets.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** No host functions to import, no garbage collector, no runtime: TypeScript owns the memory map. */
const COMMON = ["--runtime", "stub", "--noAssert", "--use", "abort=", "--optimizeLevel", "3", "--enable", "simd"];

/**
 * Training works on a memory it is given; threads share it. Binaryen's optimizer is off: it strings the multiply-adds of one
 * accumulator together, so that accumulators leave the registers (measured: 63 % of the machine's peak with it, 85 % without).
 */
const TRAINING = ["--importMemory", "--optimizeLevel", "0"];
const SHARED = [...TRAINING, "--enable", "threads", "--sharedMemory", "--maximumMemory", "65536"];

const KERNELS = [
  {
    source: "shared/kernel/inference.ts",
    target: "shared/kernel/inference.wasm",
    // shrinkLevel 1: NativeMath's log and exp without tables, so that the module holds no data and every address is TypeScript's.
    // initialMemory 1: V8 checks the offset of an access, too, where it is beyond the least memory (measured: a tenth of a batch in workerd).
    options: ["--shrinkLevel", "1", "--initialMemory", "1"],
  },
  { source: "trainer/kernel/training.ts", target: "trainer/kernel/training.wasm", options: [...SHARED, "--enable", "relaxed-simd"] },
  { source: "trainer/kernel/training.ts", target: "trainer/kernel/training-strict.wasm", options: SHARED },
  { source: "trainer/kernel/training.ts", target: "trainer/kernel/training-single.wasm", options: TRAINING },
  {
    source: "trainer/kernel/training.ts",
    target: "trainer/kernel/training-single-relaxed.wasm",
    options: [...TRAINING, "--enable", "relaxed-simd"],
  },
  { source: "trainer/kernel/boosting.ts", target: "trainer/kernel/boosting.wasm", options: SHARED },
  { source: "trainer/kernel/boosting.ts", target: "trainer/kernel/boosting-single.wasm", options: TRAINING },
  { source: "trainer/kernel/columns.ts", target: "trainer/kernel/columns.wasm", options: ["--importMemory"] },
];

const sources = ["shared/kernel", "trainer/kernel"].flatMap((folder) =>
  readdirSync(join(root, folder))
    .filter((name) => name.endsWith(".ts"))
    .map((name) => join(root, folder, name)),
);
const newest = Math.max(...[...sources, fileURLToPath(import.meta.url)].map(modified));

for (const { source, target, options } of KERNELS) {
  if (modified(join(root, target)) > newest) continue;
  const asc = (await import("assemblyscript/asc")).default;
  const temporary = `${target}.${process.pid}.tmp`;
  const { error, stderr } = await asc.main([source, "--outFile", temporary, "--baseDir", root, ...COMMON, ...options]);
  if (error) {
    console.error(`${source} does not compile: ${stderr.toString()}`);
    process.exit(1);
  }
  renameSync(join(root, temporary), join(root, target));
  console.error(`built ${join(dirname(target), target.slice(dirname(target).length + 1))}`);
}

/**
 * Which of wrangler's commands builds, as the Worker imports it: AUTH=open counts under `dev` alone (edge/worker-env.ts). Wrangler says it
 * in WRANGLER_COMMAND; whoever else builds leaves what is there. Outside of what [build] watches.
 */
function writeCommand(path: string, command: string | undefined): void {
  const text = `export default ${JSON.stringify(command ?? "")};\n`;
  if (existsSync(path) && (command === undefined || readFileSync(path, "utf8") === text)) return;
  writeBuilt(path, text);
}

writeCommand(join(root, "generated/wrangler-command.js"), process.env.WRANGLER_COMMAND);

const assets = join(root, "edge/assets");
for (const name of await buildAssets(root, assets)) console.error(`built edge/assets/${name}`);

/**
 * In an exported project, what writeCommand does here. Wrangler runs it in the folder where wrangler was called: with --config from
 * elsewhere the folder's own file would keep saying what came before, `dev` perhaps, so that is refused.
 */
const BUILD_OF_EXPORT = `[build]
# Tells the Worker which of wrangler's commands builds it: AUTH=open counts under \`wrangler dev\` alone.
command = '''node -e "const fs = require('node:fs'), file = 'wrangler-command.js'; if (fs.existsSync(file)) fs.writeFileSync(file, 'export default ' + JSON.stringify(process.env.WRANGLER_COMMAND)); else { console.error('run wrangler in the folder of this wrangler.toml'); process.exit(1) }"'''

`;

/** wrangler.toml for the bundle: no kernels to build, no environments of other sources. */
function configOf(toml: string): string {
  const tables = toml
    .split(/^(?=\[)/m)
    .filter((table) => !/^\[\[?env\.[^\]]*\]/.test(table))
    .map((table) => (table.startsWith("[build]") ? BUILD_OF_EXPORT : table));
  return tables
    .join("")
    .replace(/^main = .*$/m, 'main = "worker.js"')
    .replace('"edge/assets"', '"assets"');
}

/** Stands beside the bundle, where [build] renews it. */
const commandBeside: Plugin = {
  name: "wrangler-command",
  setup: ({ onResolve }) => onResolve({ filter: /\/wrangler-command\.js$/ }, () => ({ path: "./wrangler-command.js", external: true })),
};

const parts = join(root, "trainer/worker");
const config = join(root, "wrangler.toml");
const newestOfEdge = Math.max(
  ...[...filesBelow(join(root, "edge")), ...filesBelow(join(root, "shared")), config, fileURLToPath(import.meta.url)].map(modified),
);
if (modified(join(parts, "wrangler.toml")) <= newestOfEdge) {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: ["edge/worker.ts"],
    outdir: parts,
    bundle: true,
    format: "esm",
    loader: { ".wasm": "copy" },
    assetNames: "[name]",
    external: ["cloudflare:*", "*.safetensors"], // the model comes last, by trainer/export/worker-project.ts
    plugins: [commandBeside],
    logLevel: "warning",
  });
  rmSync(join(parts, "page.html"), { force: true }); // of builds before
  cpSync(assets, join(parts, "assets"), { recursive: true });
  writeCommand(join(parts, "wrangler-command.js"), undefined);
  writeFileSync(join(parts, "wrangler.toml"), configOf(readFileSync(config, "utf8")));
  console.error("built trainer/worker");
}

const recipeModule = join(root, "trainer/export/tfjs/recipe-module.js");
const newestOfRecipe = Math.max(
  ...[...filesBelow(join(root, "shared")), recipeModule.replace(/js$/, "ts"), fileURLToPath(import.meta.url)].map(modified),
);
if (modified(recipeModule) <= newestOfRecipe) {
  const { build } = await import("esbuild");
  await build({
    absWorkingDir: root,
    entryPoints: ["trainer/export/tfjs/recipe-module.ts"],
    outfile: recipeModule,
    bundle: true,
    format: "esm",
    target: "es2022",
    logLevel: "warning",
  });
  console.error("built trainer/export/tfjs/recipe-module.js");
}

// What `hooks check` asks: the edge's own code, so that its answer is the Worker's.
const checkHooks = join(root, "trainer/hooks/check-hooks.js");
if (modified(checkHooks) <= newestOfEdge) {
  const { build } = await import("esbuild");
  const common = { absWorkingDir: root, bundle: true, format: "esm", target: "es2024", logLevel: "warning" } as const;
  await build({ ...common, entryPoints: ["edge/check-hooks.ts"], outfile: checkHooks });
  console.error("built trainer/hooks/check-hooks.js");
}
