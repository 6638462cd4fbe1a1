// The document as validators judge it, and the clients that generators make of it: compiled strictly, and used for a score, an event, a
// webhook and an infer call against the Worker on raw workerd.
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { describeOutside, execute, installNodePackages } from "../environment.ts";
import { ADMIN_KEY, HOOK_TOKEN, type Served, serveWorker } from "../served.ts";

const CLIENTS = fileURLToPath(new URL("clients/", import.meta.url));
/** What each client sends. */
const SEQUENCE = [
  [10, 14, 9, 12, 51],
  [12, 16, 11, 13, 62],
];
const STRICT = [
  ...["--noEmit", "--strict", "--noUncheckedIndexedAccess", "--noImplicitOverride", "--noImplicitReturns", "--noFallthroughCasesInSwitch"],
  ...["--noUnusedLocals", "--noUnusedParameters", "--target", "es2024", "--lib", "es2024,dom,dom.iterable"],
  ...["--module", "esnext", "--moduleResolution", "bundler"],
];

describeOutside("openapi", async (python) => {
  const packages = await installNodePackages("openapi");
  const folder = mkdtempSync(join(packages, "generated-")); // within: what is generated imports packages
  const document = join(folder, "openapi.json");
  let served: Served;
  let expected: Record<string, unknown>;
  beforeAll(async () => {
    served = await serveWorker();
    writeFileSync(document, await (await fetch(`${served.url}/openapi.json`)).text());
    const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
    const answer = await fetch(`${served.url}/v1/score`, { method: "POST", headers, body: JSON.stringify({ sequence: SEQUENCE }) });
    const { probability } = (await answer.json()).results[0];
    expected = { score: probability, infer: probability, event: 1, hook: 1, pointer: "/sequence/0" };
  });
  afterAll(async () => {
    await served?.stop();
    rmSync(folder, { recursive: true });
  });

  const program = (name: string, ...args: string[]) => execute(join(dirname(python.python), name), args);
  /** Node's program of a package, in the folder of what is generated. */
  const tool = (file: string, ...args: string[]) =>
    execute(process.execPath, [join(packages, "node_modules", file), ...args], undefined, folder);

  async function runTyped(client: string): Promise<unknown> {
    copyFileSync(join(CLIENTS, `${client}.ts`), join(folder, `${client}.ts`));
    await tool("typescript/bin/tsc", ...STRICT, `${client}.ts`);
    const bundled = join(folder, `${client}.mjs`);
    await build({
      entryPoints: [join(folder, `${client}.ts`)],
      outfile: bundled,
      bundle: true,
      platform: "node",
      format: "esm",
      logLevel: "silent",
    });
    return JSON.parse(await execute(process.execPath, [bundled, served.url, ADMIN_KEY, HOOK_TOKEN]));
  }

  async function runPython(client: string, name: string, path = folder): Promise<unknown> {
    expect(Number(await python.run("compiled.py", [path, name]))).toBeGreaterThan(50);
    return JSON.parse(await python.run(`clients/${client}.py`, [path, served.url, ADMIN_KEY, HOOK_TOKEN]));
  }

  test("the document is valid for openapi-spec-validator and for openapi-generator", async () => {
    expect(await program("openapi-spec-validator", document)).toMatch(/: OK\s*$/);
    expect(await program("openapi-generator-cli", "validate", "-i", document)).not.toMatch(/Errors:/);
  });

  test("openapi-typescript and openapi-fetch", async () => {
    await tool("openapi-typescript/bin/cli.js", document, "-o", "schema.ts");
    expect(await runTyped("with-openapi-fetch")).toEqual(expected);
  });

  test("@hey-api/openapi-ts", async () => {
    await tool("@hey-api/openapi-ts/bin/run.js", "-i", document, "-o", "hey", "-c", "@hey-api/client-fetch");
    expect(await runTyped("with-hey-api")).toEqual(expected);
  });

  test("openapi-python-client, all operations but those of lines, a media type that the generator does not know", async () => {
    const config = fileURLToPath(new URL("openapi-python-client.yml", import.meta.url));
    const output = join(folder, "quickstep_client");
    await program("openapi-python-client", "generate", "--path", document, "--output-path", output, "--meta", "none", "--config", config);
    const generated = readdirSync(join(output, "api"), { recursive: true, encoding: "utf8" }).map((path) => basename(path, ".py"));
    const operations = readFileSync(document, "utf8").matchAll(/"operationId":"(\w+)"/g);
    const names = Array.from(operations, ([, id]) => id.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`));
    expect(names.length).toBeGreaterThan(35);
    expect(names.filter((name) => !generated.includes(name))).toEqual([
      "score_lines",
      "score_lines_of_model",
      "receive_result",
      "receive_batch",
    ]);
    expect(await runPython("with_openapi_python_client", "quickstep_client")).toEqual(expected);
  });

  test("openapi-generator's Python client", async () => {
    const output = join(folder, "openapi-generator");
    const options = ["-g", "python", "--package-name", "quickstep_generated"];
    await program("openapi-generator-cli", "generate", "-i", document, "-o", output, ...options);
    // a sequence of zeros alone: shorter rows are refused by the client itself
    expect(await runPython("with_openapi_generator", "quickstep_generated", output)).toEqual({ ...expected, pointer: "/sequence" });
  });
});
