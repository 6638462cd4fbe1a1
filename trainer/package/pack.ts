// What `npm pack` ships, into dist/: the CLI with its threads, kernels and Worker, `quickstep/train` and `quickstep/tfjs` for Node beside
// it, `quickstep/tfjs` for browsers, `quickstep/score` and `quickstep/client`. Everything but tfjs is bundled, so the package depends on nothing. No file is listed here: what a module names by `new URL("…", import.meta.url)` comes along.
import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { type BuildOptions, build, type Loader, type Metafile, type Plugin } from "esbuild";

const root = fileURLToPath(new URL("../..", import.meta.url));
const dist = join(root, "dist");

const COMMON = {
  absWorkingDir: root,
  bundle: true,
  format: "esm",
  target: "es2024",
  minifyWhitespace: true, // names stay, for the sake of stack traces
  minifySyntax: true,
  legalComments: "none", // LICENSES.txt holds them whole
  logLevel: "warning",
  metafile: true,
} as const satisfies BuildOptions;

const OWN_FILE = /new URL\("(\.[^"]+)",\s*import\.meta\.url\)/g;

/** Every file that a source of ours in `folder` names by its own URL. */
function namedFiles(folder: string): string[] {
  return readdirSync(join(root, folder), { recursive: true, encoding: "utf8" })
    .map((name) => join(root, folder, name))
    .filter((path) => path.endsWith(".ts") && !BUILDERS.includes(path))
    .flatMap((path) => Array.from(readFileSync(path, "utf8").matchAll(OWN_FILE), ([, name]) => resolve(dirname(path), name)));
}

/** These run in the repository alone. */
const BUILDERS = ["build.ts", "build-assets.ts", "pack.ts"].map((name) => join(root, "trainer/package", name));

/** All output lies in one folder, so a file's new URL is its name, and two may not share one. Threads' modules are bundled. */
function placeOwnFiles(folder: string): Plugin {
  const placed = new Map<string, string>();
  const place = (file: string): string => {
    const name = basename(file).replace(/\.ts$/, ".js");
    if ((placed.get(name) ?? file) !== file) throw new Error(`${file} and ${placed.get(name)} share a name: rename one`);
    placed.set(name, file);
    if (!file.endsWith(".ts")) cpSync(file, join(folder, name), { recursive: true });
    return name;
  };
  return {
    name: "own-files",
    setup({ onLoad }) {
      onLoad({ filter: /\.ts$/ }, ({ path }) => {
        const contents = readFileSync(path, "utf8").replace(
          OWN_FILE,
          (_, name: string) => `new URL("./${place(resolve(dirname(path), name))}", import.meta.url)`,
        );
        return { contents, loader: "ts" };
      });
    },
  };
}

/** What `npm run build` copies into the Worker's assets as it is. */
const COPIED = ["node_modules/swagger-ui-dist"];

/** The licences of what was bundled, as they ask for. */
function licensesOf(metafiles: readonly Metafile[]): string {
  const folders = metafiles
    .flatMap(({ outputs }) => Object.values(outputs).flatMap(({ inputs }) => Object.keys(inputs)))
    .flatMap((path) => /^.*node_modules\/(@[^/]+\/)?[^/]+/.exec(path)?.[0] ?? []);
  return Array.from(new Set([...folders, ...COPIED]), (folder) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, folder, "package.json"), "utf8"));
    const file = readdirSync(join(root, folder)).find((entry) => /^(licen[sc]e|copying)(\.|$)/i.test(entry));
    const text = file === undefined ? "The package holds no text of its licence." : readFileSync(join(root, folder, file), "utf8");
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  })
    .sort()
    .join(`\n${"-".repeat(80)}\n\n`);
}

/** commander is CommonJS and asks for Node's own modules by `require`, which a module does not have. */
const COMMONJS = `import { createRequire as requireFrom } from "node:module";const require = requireFrom(import.meta.url);`;

rmSync(dist, { recursive: true, force: true });
const cli = await build({
  ...COMMON,
  entryPoints: [
    "trainer/main.ts",
    { in: "trainer/library/package-entry.ts", out: "train" },
    { in: "trainer/tfjs/package-node.ts", out: "tfjs" },
    ...new Set(namedFiles("trainer").filter((path) => path.endsWith(".ts"))),
  ].map((entry) => (typeof entry === "string" ? { in: entry, out: basename(entry, ".ts") } : entry)),
  outdir: join(dist, "cli"),
  splitting: true,
  platform: "node",
  banner: { js: COMMONJS },
  external: ["@tensorflow/tfjs"],
  plugins: [placeOwnFiles(join(dist, "cli"))],
});
/** A browser's threads run a text that the bundle holds, since no bundler need know of them. */
const threadSource: Plugin = {
  name: "thread-source",
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /\?source$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace("?source", "")),
      namespace: "source",
    }));
    onLoad({ filter: /.*/, namespace: "source" }, async ({ path }) => {
      const { outputFiles } = await build({ ...COMMON, entryPoints: [path], write: false });
      return { contents: outputFiles[0].text, loader: "text" };
    });
  },
};
const tfjs = await build({
  ...COMMON,
  entryPoints: [{ in: "trainer/tfjs/package-browser.ts", out: "tfjs" }],
  outdir: join(dist, "tfjs"),
  external: ["@tensorflow/tfjs"],
  loader: { ".wasm": "binary" },
  plugins: [threadSource],
});
const bundleScore = (name: string, kernel: Loader) =>
  build({
    ...COMMON,
    entryPoints: ["edge/scoring/package-entry.ts"],
    outdir: join(dist, "score"),
    entryNames: name,
    assetNames: "[name]",
    loader: { ".wasm": kernel },
  });
const scores = [await bundleScore("score", "binary"), await bundleScore("workerd", "copy")];
const client = await build({ ...COMMON, entryPoints: ["edge/client.ts"], outdir: join(dist, "client") });
/** For its licences: `npm run build` bundled it into worker/, which the CLI brings. */
const worker = await build({
  ...COMMON,
  entryPoints: ["edge/worker.ts"],
  outdir: dist,
  write: false,
  loader: { ".wasm": "empty", ".safetensors": "empty" },
  external: ["cloudflare:*"],
});
writeFileSync(join(dist, "LICENSES.txt"), licensesOf([cli, tfjs, ...scores, client, worker].map(({ metafile }) => metafile)));

/** What declares the types of the package's entries, and what those files import. */
const TYPED = ["edge/client", "edge/scoring/package-entry", "trainer/library/package-entry", "trainer/tfjs/package-node"];
const flags = "--ignoreConfig --declaration --emitDeclarationOnly --stripInternal --allowImportingTsExtensions --skipLibCheck --strict";
const dialect = "--target es2024 --lib es2024,esnext.array,es2025.float16,webworker --module nodenext --types node";
const emitted = join(dist, "emitted");
/** Of edge/modules.d.ts, all that the scorer imports; the rest would bring the Worker's types along. */
const WASM = 'declare module "*.wasm" {\n  const module: WebAssembly.Module;\n  export default module;\n}\n';
mkdirSync(emitted, { recursive: true });
writeFileSync(join(emitted, "wasm.d.ts"), WASM);
const { status, stdout } = spawnSync(
  "tsc",
  [...`${flags} ${dialect} --rootDir . --outDir`.split(" "), emitted, ...TYPED.map((name) => `${name}.ts`), join(emitted, "wasm.d.ts")],
  { cwd: root, encoding: "utf8" },
);
if (status !== 0) throw new Error(`the types of the package cannot be written: ${stdout}`);
const declared = new Set<string>();
/** What the client's types are made of comes along, since no dependency does: all files that hono's own declarations name. */
const HONO = join(root, "node_modules/hono/dist/types");
const honoTypes = join(dist, "types/hono");
const declareHono = (file: string): string => {
  const path = [`${file}.d.ts`, `${file}/index.d.ts`].find((name) => existsSync(join(HONO, name)));
  if (path === undefined) throw new Error(`hono declares no ${file}`);
  const target = join(honoTypes, path);
  if (!existsSync(target)) {
    cpSync(join(HONO, path), target);
    const named = readFileSync(target, "utf8").matchAll(/(?:from |import\()['"](\.[^'"]+)['"]/g);
    for (const [, specifier] of named) declareHono(join(dirname(path), specifier.replace(/\.js$/, "")));
  }
  return target;
};
const declare = (name: string): void => {
  if (declared.has(name)) return;
  declared.add(name);
  const text = readFileSync(join(emitted, `${name}.d.ts`), "utf8");
  for (const [, specifier] of text.matchAll(/(?:from |import\()"(\.[^"]+)\.ts"/g)) declare(join(dirname(name), specifier));
  const target = join(dist, "types", `${name}.d.ts`);
  const placed = text.replace(/"hono(?:\/([^"]+))?"/g, (_, file = "index") => {
    const path = relative(dirname(target), declareHono(file)).replace(/\.d\.ts$/, ".js");
    return `"${path.startsWith(".") ? path : `./${path}`}"`;
  });
  mkdirSync(dirname(target), { recursive: true });
  writeFileSync(target, placed.replaceAll('.ts"', '.js"'));
};
for (const name of TYPED) declare(name);
cpSync(join(HONO, "package.json"), join(honoTypes, "package.json")); // which says how its declarations name each other
rmSync(emitted, { recursive: true });
