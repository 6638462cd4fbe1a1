// The published form, as a stranger has it: `npm pack`, installed without a network into an empty folder, and used there.
import { spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";
import { chromium } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { decodeArtifact } from "../shared/artifact/artifact.ts";
import { shapeOf } from "../shared/recipe/recipe.ts";
import { bundle, serve } from "./studies/bench/workerd.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));
const CHROMIUM = "/usr/bin/chromium";
const PORT = "8796";
const folder = mkdtempSync(join(tmpdir(), "quickstep-package-"));
const at = (...names: string[]): string => join(folder, ...names);

function run(command: string, args: readonly string[], cwd = folder): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(command, args, { cwd, encoding: "utf8" });
  return { status, stdout, stderr };
}

function quickstep(...argv: string[]): string {
  const { status, stdout, stderr } = run("npx", ["--offline", "quickstep", ...argv]);
  expect(stderr, `quickstep ${argv.join(" ")}`).not.toContain("internal error");
  expect(status, stderr).toBe(0);
  return stdout;
}

const artifact = readFileSync(join(ROOT, "edge/model.safetensors"));
const { golden, recipe } = decodeArtifact(artifact);
const { timesteps: T, features: F } = shapeOf(recipe);
const sequences = Array.from(golden.probabilities, (_, k) =>
  Array.from({ length: T }, (_, t) => Array.from(golden.inputs.subarray((k * T + t) * F, (k * T + t + 1) * F))),
);
const expected = Array.from(golden.probabilities);

beforeAll(() => {
  const packed = run("npm", ["pack", "--silent", "--pack-destination", folder], ROOT);
  expect(packed.status, packed.stderr).toBe(0);
  const installed = run("npm", ["install", "--offline", "--no-audit", at(packed.stdout.trim().split("\n").at(-1)!)]);
  expect(installed.stderr).toBe("");
  expect(installed.status).toBe(0);
  writeFileSync(at("model.safetensors"), artifact);
  writeFileSync(at("sequences.json"), JSON.stringify(sequences));
}, 300_000);
afterAll(() => rmSync(folder, { recursive: true }));

describe("npx quickstep", () => {
  test("comes alone: no package but itself, and no script that runs at its installation", () => {
    const listed = JSON.parse(run("npm", ["ls", "--all", "--json"]).stdout);
    expect(listed.dependencies.quickstep).toMatchObject({ version: "0.1.0" });
    // npm lists the optional peer that is not there as {}
    const installed = Object.entries<object>(listed.dependencies.quickstep.dependencies ?? {}).filter(([, entry]) => "version" in entry);
    expect(installed).toEqual([]);
    expect(existsSync(at("node_modules/@tensorflow"))).toBe(false);
    const { scripts } = JSON.parse(readFileSync(at("node_modules/quickstep/package.json"), "utf8"));
    for (const name of ["preinstall", "install", "postinstall", "prepare"]) expect(scripts).not.toHaveProperty(name);
  });

  test("trains on two threads what the repository trains, byte for byte, with a report", () => {
    quickstep("sample", "fx", "--n", "600", "--out", ".");
    const argv = ["train", "fx.npz", "--units", "6", "--epochs", "2", "--learner", "lstm", "--split-version", "1"];
    quickstep(...argv, "--threads", "2", "--out", "published.safetensors", "--report", "report.html");
    const own = run(process.execPath, [join(ROOT, "trainer/main.ts"), ...argv, "--threads", "1", "--out", "own.safetensors"]);
    expect(own.status, own.stderr).toBe(0);
    expect(readFileSync(at("published.safetensors")).equals(readFileSync(at("own.safetensors")))).toBe(true);
    expect(readFileSync(at("report.html"), "utf8")).toContain("<svg");
  });

  test("scores, inspects, evaluates, exports", () => {
    const { probabilities } = JSON.parse(quickstep("score", "published.safetensors", "fx.npz", "--json"));
    expect(probabilities).toHaveLength(600);
    expect(JSON.parse(quickstep("inspect", "published.safetensors", "--json"))).toMatchObject({ units: 6 });
    expect(JSON.parse(quickstep("evaluate", "published.safetensors", "fx.npz", "--json"))).toMatchObject({ examples: 600 });
    quickstep("export", "published.safetensors", "--onnx", "published.onnx");
    expect(existsSync(at("published.onnx"))).toBe(true);
    quickstep("export", "published.safetensors", "--tfjs", "published-tfjs");
    for (const name of ["model.json", "weights.bin", "recipe.js"]) expect(existsSync(at("published-tfjs", name))).toBe(true);
  });

  test("says in one sentence what it needs and does not bring", () => {
    for (const [argv, name] of [
      [["serve", "model.safetensors"], "wrangler"],
      [["sample", "sp500"], "vega-datasets"],
    ] as const) {
      const { status, stderr } = run("npx", ["--offline", "quickstep", ...argv]);
      expect(stderr).toMatch(new RegExp(`^quickstep: ${name}: is needed .*: npm install ${name}, then run this again\n$`));
      expect(status).toBe(2);
    }
    expect(existsSync(at("out"))).toBe(false);
  });

  test("writes a Worker that wrangler takes, and leaves its owner's wrangler.toml alone", () => {
    quickstep("export", "published.safetensors", "--worker", "worker");
    const config = readFileSync(at("worker/wrangler.toml"), "utf8");
    expect(config).toContain('main = "worker.js"');
    expect(config).toContain('name = "fx"'); // after the model
    expect(config).not.toContain("npm run");
    writeFileSync(at("worker/wrangler.toml"), config.replace(/^name = .*$/m, 'name = "mine"'));
    quickstep("export", "model.safetensors", "--worker", "worker");
    expect(readFileSync(at("worker/wrangler.toml"), "utf8")).toContain('name = "mine"');
    expect(readFileSync(at("worker/model.safetensors")).equals(artifact)).toBe(true);
    writeFileSync(at("worker/wrangler-command.js"), 'export default "dev"');
    expect(() => bundle(at("worker/wrangler.toml"))).toThrow(/run wrangler in the folder of this wrangler\.toml/);
    bundle("wrangler.toml", { cwd: at("worker") }).remove();
    expect(readFileSync(at("worker/wrangler-command.js"), "utf8")).toBe('export default "deploy"'); // AUTH=open is not for a deploy
  });

  test("serves and verifies bit for bit where wrangler is installed", async () => {
    symlinkSync(join(ROOT, "node_modules/wrangler"), at("node_modules/wrangler"));
    const child = spawn("npx", ["--offline", "quickstep", "serve", "model.safetensors", "--port", PORT], { cwd: folder, detached: true });
    let said = "";
    try {
      await new Promise<void>((done, failed) => {
        const hear = (chunk: Buffer): void => {
          said += chunk.toString();
          if (/^curl /m.test(said)) done();
        };
        child.stdout.on("data", hear);
        child.stderr.on("data", hear);
        child.once("exit", () => failed(new Error(said)));
      });
      expect(JSON.parse(quickstep("verify", `http://localhost:${PORT}`, "--json"))).toMatchObject({ golden: 32 });
    } finally {
      if (child.pid !== undefined) process.kill(-child.pid, "SIGTERM");
      await new Promise((done) => (child.exitCode === null && child.signalCode === null ? child.once("exit", done) : done(null)));
    }
  });
});

/** Compiles `file` as a strict caller does. */
const check = (file: string, libraries: string, more: readonly string[] = []) =>
  run(
    join(ROOT, "node_modules/.bin/tsc"),
    ["--strict", "--noEmit", "--target", "es2024", "--lib", libraries, "--module", "nodenext", ...more, file],
    folder,
  );

describe("quickstep/client", () => {
  /** Strict, and the declarations that come along are looked at, too. */
  const libraries = "es2024,dom,dom.iterable";

  test("asks a Worker with the types of its routes, which know what is no request and no answer", async () => {
    const program = (json: string, field: string) => `
      import { client } from "quickstep/client";
      const quickstep = client("http://localhost:${PORT}", { headers: { authorization: "Bearer key" } });
      const response = await quickstep.v1.score.$post({ json: ${json} });
      if (!response.ok) throw new Error(\`\${response.status}\`);
      const { results } = await response.json();
      console.log(JSON.stringify(results.map(({ ${field} }) => ${field})));
      const { delivery } = await import("./more.mts");
      console.log(delivery);`;
    const more = `
      import { client } from "quickstep/client";
      const desk = client("http://localhost:${PORT}").v1;
      const answer = await desk.deliveries[":id"].$get({ param: { id: "msg_1" } });
      const { history } = await answer.json();
      const took: number = history[0].ms;
      const { sources } = await (await desk.metrics.$get()).json();
      const listed = await desk.deliveries.$get({ query: { state: "dead", since: "2026-11-25T09:30:00Z" } });
      export const delivery = \`\${took} \${sources[0].last[0].outcome} \${(await listed.json()).deliveries.length}\`;`;
    const sequence = JSON.stringify(sequences[0]);
    writeFileSync(at("more.mts"), more);
    writeFileSync(at("ask.mts"), program(`{ sequence: ${sequence} }`, "probability"));
    writeFileSync(at("wrong.mts"), program(`{ sequence: "no rows" }`, "chance"));
    const options = ["--skipLibCheck", "false", "--allowImportingTsExtensions"];
    expect(check("ask.mts", libraries, options).stdout).toBe("");
    const { stdout } = check("wrong.mts", libraries, options);
    expect(stdout).toContain("'string' is not assignable to type");
    expect(stdout).toContain("'chance' does not exist");
    const answers: Record<string, unknown> = {
      "/v1/score": { results: [{ probability: expected[0], label: 0 }] },
      "/v1/deliveries/msg_1": { history: [{ ms: 120 }] },
      "/v1/metrics": { sources: [{ last: [{ outcome: "taken" }] }] },
      "/v1/deliveries?state=dead&since=2026-11-25T09%3A30%3A00Z": { deliveries: [{}] },
    };
    const asked: string[] = [];
    const server = createServer((request, response) => {
      asked.push(`${request.method} ${request.url} ${request.headers.authorization}`);
      response.setHeader("content-type", "application/json").end(JSON.stringify(answers[request.url!]));
    });
    await new Promise<void>((done) => server.listen(Number(PORT), done));
    try {
      const child = spawn(process.execPath, ["ask.mts"], { cwd: folder });
      const said: string[] = [];
      for (const stream of [child.stdout, child.stderr]) stream.on("data", (chunk: Buffer) => said.push(`${chunk}`));
      await new Promise((done) => child.once("exit", done));
      expect(said.join("")).toBe(`${JSON.stringify([expected[0]])}\n120 taken 1\n`);
    } finally {
      server.close();
    }
    expect(asked[0]).toBe("POST /v1/score Bearer key");
  });
});

describe("quickstep/train", () => {
  test("runs the documentation's example, and gives what the command writes", () => {
    const example = readFileSync(join(ROOT, "docs/examples/train-in-node.mjs"), "utf8");
    const script = `${example}
      const published = await trainModel("fx.npz", { learner: "lstm", splitVersion: 1, units: 6, epochs: 2 });
      writeFileSync("library.safetensors", published.artifact);`;
    writeFileSync(at("train.mjs"), script);
    const { status, stdout, stderr } = run(process.execPath, ["train.mjs"]);
    expect(status, stderr).toBe(0);
    expect(stdout).toMatch(/^waves@[0-9a-f]{12}: log loss 0\.\d{3}\. /);
    expect(readFileSync(at("library.safetensors")).equals(readFileSync(at("published.safetensors")))).toBe(true);
  });

  test("has types that a strict caller compiles against, wrong calls refused", () => {
    const caller = (seed: string): string => `import { type TrainedModel, trainModel } from "quickstep/train";
      const model: TrainedModel = await trainModel({ sequences: [[[1, null]]], labels: [1] }, { seed: ${seed} });
      export const logLoss: number = model.card.test.logLoss;`;
    writeFileSync(at("right-train.mts"), caller("1"));
    writeFileSync(at("wrong-train.mts"), caller('"1"'));
    expect(check("right-train.mts", "es2024,dom")).toMatchObject({ stdout: "", status: 0 });
    expect(check("wrong-train.mts", "es2024,dom").stdout).toContain("wrong-train.mts(2");
  });
});

/** Trains a model of tfjs' own layers and one of fused layers, and says how far they are apart and what the kernel ran on. */
const EXAMINE = `import * as tf from "@tensorflow/tfjs";
  import { bidirectional, device, fusedGru, fusedLstm } from "quickstep/tfjs";
  export async function examine() {
    const warnings = [];
    console.warn = (text) => warnings.push(text);
    await tf.setBackend("cpu");
    const [xs, ys] = [tf.randomUniform([40, 4, 3], -1, 1, "float32", 7), tf.randomUniform([40, 1], 0, 1, "float32", 8)];
    const build = (lstm, gru, both) => {
      const inner = lstm({ units: 5, returnSequences: true });
      const layers = [both({ layer: inner, inputShape: [4, 3] }), gru({ units: 4 }), tf.layers.dense({ units: 1, activation: "sigmoid" })];
      const model = tf.sequential({ layers });
      model.compile({ optimizer: "sgd", loss: "binaryCrossentropy" });
      return model;
    };
    const own = build(tf.layers.lstm, tf.layers.gru, tf.layers.bidirectional);
    const fused = build(fusedLstm, fusedGru, bidirectional);
    fused.setWeights(own.getWeights());
    for (const model of [own, fused]) await model.fit(xs, ys, { epochs: 3, shuffle: false, verbose: 0 });
    const difference = Math.max(...own.getWeights().map((w, n) => w.sub(fused.getWeights()[n]).abs().max().dataSync()[0]));
    return { difference, warnings: warnings.filter((text) => String(text).startsWith("quickstep")), device: device() && { threads: device().threads } };
  }`;

describe("quickstep/tfjs trains as tfjs' own layers do", () => {
  beforeAll(() => {
    symlinkSync(join(ROOT, "node_modules/@tensorflow"), at("node_modules/@tensorflow"));
    writeFileSync(at("examine.mjs"), EXAMINE);
  });

  test("in Node, on all cores", () => {
    const script = `import { examine } from "./examine.mjs"; console.log(JSON.stringify(await examine()));`;
    writeFileSync(at("fused.mjs"), script);
    const { stdout, stderr, status } = run(process.execPath, ["fused.mjs"]);
    expect(status, stderr).toBe(0);
    const { difference, ...rest } = JSON.parse(stdout.trim().split("\n").at(-1)!);
    expect(difference).toBeLessThan(1e-5);
    expect(rest).toEqual({ warnings: [], device: { threads: Math.min(16, availableParallelism()) } });
  });

  test.skipIf(!existsSync(CHROMIUM) && !process.env.CI)(
    "in Chromium: on a page's one thread, in a Worker on all cores, and by tfjs itself where there is no SIMD",
    async () => {
      const bundleOf = async (contents: string): Promise<string> => {
        const options = { bundle: true, format: "esm", write: false, logLevel: "error" } as const;
        const { outputFiles } = await build({ stdin: { contents, resolveDir: folder }, ...options });
        return outputFiles[0].text;
      };
      const worker = `import { examine } from "./examine.mjs"; examine().then(postMessage, (error) => postMessage(String(error)));`;
      const headers = { "cross-origin-opener-policy": "same-origin", "cross-origin-embedder-policy": "require-corp" };
      const files: Record<string, { body: string; contentType: string; headers?: Record<string, string> }> = {
        "/": { body: "<!doctype html>", contentType: "text/html" },
        "/isolated": { body: "<!doctype html>", contentType: "text/html", headers },
        "/page.js": { body: await bundleOf(`export * from "./examine.mjs";`), contentType: "text/javascript" },
        "/worker.js": { body: await bundleOf(worker), contentType: "text/javascript", headers },
      };
      const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
      try {
        const page = await browser.newPage();
        await page.route("**/*", (route) => route.fulfill(files[new URL(route.request().url()).pathname] ?? { status: 404 }));
        const inPage = `import("/page.js").then(({ examine }) => examine())`;
        const inWorker = `new Promise((done) => { new Worker("/worker.js", { type: "module" }).onmessage = ({ data }) => done(data); })`;
        await page.goto("http://localhost/");
        const onPage = await page.evaluate(inPage);
        expect(onPage).toMatchObject({ warnings: [], device: { threads: 1 } });
        await page.goto("http://localhost/isolated");
        const cores = (await page.evaluate("navigator.hardwareConcurrency")) as number;
        const inThread = await page.evaluate(inWorker);
        expect(inThread).toMatchObject({ warnings: [], device: { threads: Math.min(16, cores) } });
        await page.goto("http://localhost/");
        const without = await page.evaluate(`WebAssembly.validate = () => false; ${inPage}`);
        expect(without).toMatchObject({ difference: 0, warnings: [expect.stringContaining("no WebAssembly with SIMD")] });
        for (const result of [onPage, inThread]) expect((result as { difference: number }).difference).toBeLessThan(1e-5);
      } finally {
        await browser.close();
      }
    },
  );

  test("has types that a strict caller compiles against, wrong calls refused", () => {
    const caller = (units: string): string => `import * as tf from "@tensorflow/tfjs";
      import { fuse, fusedLstm } from "quickstep/tfjs";
      export const model = fuse(tf.sequential({ layers: [fusedLstm({ units: ${units}, inputShape: [10, 5] })] }));`;
    writeFileSync(at("right-tfjs.mts"), caller("100"));
    writeFileSync(at("wrong-tfjs.mts"), caller('"100"'));
    const lax = ["--skipLibCheck", "--types", ""]; // tfjs' own types need more than the language
    expect(check("right-tfjs.mts", "es2024,dom", lax)).toMatchObject({ stdout: "", status: 0 });
    expect(check("wrong-tfjs.mts", "es2024,dom", lax).stdout).toContain("wrong-tfjs.mts(3");
  });
});

describe("quickstep/score gives the trainer's bits", () => {
  test("in Node", () => {
    const script = `import { load } from "quickstep/score";
      import { readFileSync } from "node:fs";
      const scorer = await load(readFileSync("model.safetensors"));
      const results = scorer.score(JSON.parse(readFileSync("sequences.json", "utf8")));
      console.log(JSON.stringify({ timesteps: scorer.timesteps, probabilities: results.map(({ probability }) => probability) }));`;
    const { stdout, stderr } = run(process.execPath, ["--input-type=module", "-e", script]);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toEqual({ timesteps: T, probabilities: expected });
  });

  test("in workerd, as wrangler bundles it, where no bytes may be compiled", async () => {
    mkdirSync(at("own-worker"));
    writeFileSync(
      at("own-worker/worker.js"),
      `import { load } from "quickstep/score";
      import artifact from "../model.safetensors";
      const scorer = await load(artifact);
      export default { fetch: async (request) => Response.json(scorer.score(await request.json())) };`,
    );
    const rules = `[[rules]]\ntype = "Data"\nglobs = ["**/*.safetensors"]\n`;
    writeFileSync(at("own-worker/wrangler.toml"), `name = "own"\nmain = "worker.js"\ncompatibility_date = "2026-11-01"\n${rules}`);
    const bundled = bundle(at("own-worker/wrangler.toml"));
    const server = await serve(bundled);
    try {
      const response = await fetch(`http://127.0.0.1:${server.port}/`, { method: "POST", body: JSON.stringify(sequences) });
      const results: { probability: number }[] = await response.json();
      expect(results.map(({ probability }) => probability)).toEqual(expected);
    } finally {
      await server.stop();
      bundled.remove();
    }
  });

  test.skipIf(!existsSync(CHROMIUM) && !process.env.CI)("in Chromium, as it is published and without a bundler", async () => {
    const browser = await chromium.launch({ executablePath: CHROMIUM, args: ["--no-sandbox"] });
    try {
      const page = await browser.newPage();
      const { exports } = JSON.parse(readFileSync(at("node_modules/quickstep/package.json"), "utf8"));
      const files: Record<string, { body: Buffer; contentType: string }> = {
        "/": { body: Buffer.from("<!doctype html>"), contentType: "text/html" },
        "/score.js": { body: readFileSync(at("node_modules/quickstep", exports["./score"].default)), contentType: "text/javascript" },
        "/model.safetensors": { body: artifact, contentType: "application/octet-stream" },
      };
      await page.route("**/*", (route) => route.fulfill(files[new URL(route.request().url()).pathname] ?? { status: 404 }));
      await page.goto("http://localhost/");
      const results = await page.evaluate(`(async () => {
        const { load } = await import("/score.js");
        const scorer = await load(await (await fetch("/model.safetensors")).arrayBuffer());
        return scorer.score(${JSON.stringify(sequences)});
      })()`);
      expect((results as { probability: number }[]).map(({ probability }) => probability)).toEqual(expected);
    } finally {
      await browser.close();
    }
  });

  test("has types that a strict caller compiles against, wrong calls refused", () => {
    const caller = (row: string): string => `import { load, type Scorer } from "quickstep/score";
      const scorer: Scorer = await load(new Uint8Array(8));
      export const probability: number = scorer.score([[${row}]])[0].probability;`;
    writeFileSync(at("right.mts"), caller("[1, 2, 3, 4, 5]"));
    writeFileSync(at("wrong.mts"), caller('"1"')); // a row is a list; a text in it may be a category's
    expect(check("right.mts", "es2024")).toMatchObject({ stdout: "", status: 0 });
    expect(check("wrong.mts", "es2024").stdout).toContain("wrong.mts(3");
  });
});
