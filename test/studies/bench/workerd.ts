// Workers on raw workerd, as `wrangler deploy --dry-run` bundles them, and clients that cost little beside them. Never through
// `wrangler dev`, whose own milliseconds hide everything.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const require = createRequire(import.meta.url);
export const WRANGLER = join(dirname(require.resolve("wrangler/package.json")), "bin", "wrangler.js");
const WORKERD = join(dirname(createRequire(require.resolve("wrangler/package.json")).resolve("workerd/package.json")), "bin", "workerd");

/** A folder of modules with the configuration that serves them. */
export interface Bundle {
  readonly folder: string;
  /** Bytes of what would be uploaded. */
  readonly bytes: number;
  remove(): void;
}

/** What a Worker is given beside its modules. */
export interface Setup {
  /** Texts by name. API_KEYS lets in whoever has BENCH_KEY unless it is among them. */
  readonly texts?: Readonly<Record<string, string>>;
  /** A port of this machine that all requests of the Worker go to, whatever host they name; default: the hosts themselves. */
  readonly outbound?: number;
  /** Durable Objects: the class behind each binding. They live in the folder, and outlive the process. */
  readonly objects?: Readonly<Record<string, string>>;
  /** Buckets of R2: the port of this machine behind each binding, where something speaks R2's own protocol. */
  readonly buckets?: Readonly<Record<string, number>>;
  /** Where the folder is made; default: the system's for what is temporary. */
  readonly folder?: string;
  /** Where wrangler is called; default: the repository. */
  readonly cwd?: string;
  /** The folder that is bound as ASSETS; default: what the configuration names, if it does. */
  readonly assets?: string;
}

/** Bundles what `config`, a wrangler.toml, names; `options` are more of wrangler's. */
export function bundle(config = "wrangler.toml", setup: Setup = {}, ...options: string[]): Bundle {
  const folder = mkdtempSync(join(setup.folder ?? tmpdir(), "quickstep-bench-"));
  const env = { ...process.env, WRANGLER_SEND_METRICS: "false" };
  const args = [WRANGLER, "deploy", "--dry-run", "--config", config, "--outdir", folder, ...options];
  const { status, stderr, stdout } = spawnSync(process.execPath, args, { cwd: setup.cwd ?? ROOT, env, encoding: "utf8" });
  if (status !== 0) throw new Error(`wrangler deploy --dry-run ended with ${status}: ${stdout}${stderr}`);
  const directory = /^\[assets\]\ndirectory = "(.*)"$/m.exec(readFileSync(resolve(setup.cwd ?? ROOT, config), "utf8"))?.[1];
  const assets = directory && resolve(setup.cwd ?? ROOT, dirname(config), directory);
  return finish(folder, { ...(assets && { assets }), ...setup });
}

/** A Worker of one module, as it is. */
export function bundleSource(source: string, setup: Setup = {}): Bundle {
  const folder = mkdtempSync(join(setup.folder ?? tmpdir(), "quickstep-bench-"));
  writeFileSync(join(folder, "worker.js"), source);
  return finish(folder, setup);
}

/** Of scopes score and read. AUTH=open counts under `wrangler dev` alone. */
export const BENCH_KEY = "bench-key-of-this-machine";
const API_KEYS = `bench:${createHash("sha256").update(BENCH_KEY).digest("hex")}`;

const MODULE_KINDS: Record<string, string> = {
  js: "esModule",
  wasm: "wasm",
  safetensors: "data",
  onnx: "data",
  mjs: "esModule",
};

/** On a second socket: runs the Worker's scheduled handler, since nothing here has a cron. */
const CLOCKWORK = `export default {
  async fetch(request, env) {
    await env.MAIN.scheduled({ scheduledTime: new Date(), cron: "* * * * *" });
    return new Response("swept");
  },
};`;

function finish(folder: string, { texts = {}, objects = {}, buckets = {}, outbound, assets }: Setup): Bundle {
  const files = readdirSync(folder).filter((name) => (name.split(".").at(-1) ?? "") in MODULE_KINDS);
  const main = files.find((name) => name.endsWith(".js"))!;
  const modules = [main, ...files.filter((name) => name !== main)].map(
    (name) => `(name = "${name}", ${MODULE_KINDS[name.split(".").at(-1)!]} = embed "${name}")`,
  );
  const compatibilityDate = /^compatibility_date = "(.*)"$/m.exec(readFileSync(join(ROOT, "wrangler.toml"), "utf8"))![1];
  mkdirSync(join(folder, "disk"));
  const bindings = [
    ...Object.entries({ API_KEYS, ...texts }).map(([name, text]) => `(name = "${name}", text = ${JSON.stringify(text)})`),
    ...Object.entries(objects).map(([name, className]) => `(name = "${name}", durableObjectNamespace = "${className}")`),
    ...Object.keys(buckets).map((name) => `(name = "${name}", r2Bucket = "bucket-${name}")`),
    ...(assets ? ['(name = "ASSETS", service = "assets")'] : []),
  ];
  const namespaces = Object.values(objects).map(
    (className) => `(className = "${className}", uniqueKey = "bench-${className}", enableSql = true)`,
  );
  writeFileSync(
    join(folder, "config.capnp"),
    `using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "clockwork", worker = .clockwork),
    (name = "disk", disk = (path = "disk", writable = true)),
    ${assets ? `(name = "assets", disk = (path = ${JSON.stringify(assets)})),` : ""}
    ${Object.entries(buckets)
      .map(([name, port]) => `(name = "bucket-${name}", external = (address = "127.0.0.1:${port}", http = ())),`)
      .join("\n")}
    (name = "internet", ${outbound === undefined ? 'network = (allow = ["public"])' : `external = (address = "127.0.0.1:${outbound}", http = ())`}),
  ],
  sockets = [
    (name = "http", address = "127.0.0.1:0", http = (), service = "main"),
    (name = "clock", address = "127.0.0.1:0", http = (), service = "clockwork"),
  ],
);
const worker :Workerd.Worker = (
  modules = [${modules.join(", ")}],
  bindings = [${bindings.join(", ")}],
  durableObjectNamespaces = [${namespaces.join(", ")}],
  durableObjectStorage = (localDisk = "disk"),
  compatibilityDate = "${compatibilityDate}",
  compatibilityFlags = ["global_fetch_strictly_public"],
);
const clockwork :Workerd.Worker = (
  modules = [(name = "clockwork.js", esModule = ${JSON.stringify(CLOCKWORK)})],
  bindings = [(name = "MAIN", service = "main")],
  compatibilityDate = "${compatibilityDate}",
);`,
  );
  const bytes = files.reduce((sum, name) => sum + readFileSync(join(folder, name)).length, 0);
  return { folder, bytes, remove: () => rmSync(folder, { recursive: true, force: true }) };
}

export interface Server {
  readonly port: number;
  /** Where any request runs the scheduled handler. */
  readonly clockPort: number;
  /** User and system CPU so far, in milliseconds. */
  cpu(): number;
  /** Resident memory, in bytes. */
  memory(): number;
  stop(): Promise<void>;
}

export interface ServeOptions {
  readonly port?: number;
  readonly clockPort?: number;
  /** Without what workerd says of alarms that a crash has made late. */
  readonly quiet?: boolean;
}

/** Starts workerd, on any ports unless some are given, and answers when it accepts connections. */
export async function serve({ folder }: Bundle, options: ServeOptions = {}): Promise<Server> {
  const { port = await freePort(), clockPort = await freePort(), quiet = false } = options;
  const addresses = ["--socket-addr", `http=127.0.0.1:${port}`, "--socket-addr", `clock=127.0.0.1:${clockPort}`];
  const child = spawn(WORKERD, ["serve", "config.capnp", ...addresses], {
    cwd: folder,
    stdio: ["ignore", "ignore", quiet ? "ignore" : "inherit"],
  });
  await untilListening(port, child);
  const stat = (): string[] =>
    readFileSync(`/proc/${child.pid}/stat`, "utf8")
      .replace(/^.*\) /, "")
      .split(" ");
  return {
    port,
    clockPort,
    cpu: () => (Number(stat()[11]) + Number(stat()[12])) * 10, // in hundredths of a second (proc(5), utime and stime)
    memory: () => Number(stat()[21]) * 4096,
    stop: async () => {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await ended;
    },
  };
}

export async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const { port } = server.address() as AddressInfo;
  await new Promise((done) => server.close(done));
  return port;
}

async function untilListening(port: number, child: ChildProcess): Promise<void> {
  for (;;) {
    if (child.exitCode !== null) throw new Error(`workerd ended with ${child.exitCode}`);
    const isOpen = await new Promise<boolean>((done) => {
      const socket = connect(port, "127.0.0.1", () => {
        socket.destroy();
        done(true);
      });
      socket.on("error", () => done(false));
    });
    if (isOpen) return;
    await new Promise((done) => setTimeout(done, 1));
  }
}

const CLOSED = "the connection was closed";

/** One connection that sends whole requests and takes whole answers: less work a request than a client of Node's has. */
export class Connection {
  private readonly socket: Socket;
  private buffered: Buffer = Buffer.alloc(0);
  private waiting: { done: (body: Buffer) => void; failed: (error: Error) => void } | undefined;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.setNoDelay();
    socket.on("data", (chunk) => this.hear(chunk));
    socket.on("error", (error) => this.waiting?.failed(error));
    socket.on("close", () => this.waiting?.failed(new Error(CLOSED)));
  }

  static async open(port: number): Promise<Connection> {
    const socket = connect(port, "127.0.0.1");
    await new Promise<void>((done, failed) => socket.once("connect", done).once("error", failed));
    return new Connection(socket);
  }

  /** Whether nothing can be sent any more: workerd closes a connection that was idle for 5 s. */
  get isClosed(): boolean {
    return this.socket.destroyed || this.socket.readableEnded;
  }

  /** The body of the answer, which must be a 200 of known length. Rejects where there is none. */
  send(request: Buffer): Promise<Buffer> {
    return new Promise((done, failed) => {
      if (this.isClosed) return failed(new Error(CLOSED)); // what is written to it nobody answers
      this.waiting = { done, failed };
      this.socket.write(request);
    });
  }

  /** More of a request that `send` began. */
  write(rest: Buffer): void {
    this.socket.write(rest);
  }

  close(): void {
    this.socket.destroy();
  }

  private hear(chunk: Buffer): void {
    this.buffered = this.buffered.length === 0 ? chunk : Buffer.concat([this.buffered, chunk]);
    const end = this.buffered.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.buffered.toString("latin1", 0, end);
    const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1]);
    if (this.buffered.length < end + 4 + length) return;
    const body = this.buffered.subarray(end + 4, end + 4 + length);
    this.buffered = this.buffered.subarray(end + 4 + length);
    const { done, failed } = this.waiting!;
    this.waiting = undefined;
    if (head.startsWith("HTTP/1.1 200")) done(body);
    else failed(new Error(`${head.split("\r\n", 1)[0]}: ${body}`));
  }
}

export function postRequest(path: string, type: string, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body as Uint8Array);
  const head = `POST ${path} HTTP/1.1\r\nhost: localhost\r\nauthorization: Bearer ${BENCH_KEY}\r\ncontent-type: ${type}\r\ncontent-length: ${bytes.length}\r\n\r\n`;
  return Buffer.concat([Buffer.from(head), bytes]);
}

/** Sends `times` requests over all connections at once, each connection one after the other; `requestOf(i)` is the i-th. */
export async function sendAll(
  connections: readonly Connection[],
  times: number,
  requestOf: (i: number) => Buffer,
  check?: (i: number, body: Buffer) => void,
): Promise<void> {
  let next = 0;
  await Promise.all(
    connections.map(async (connection) => {
      while (next < times) {
        const i = next++;
        const body = await connection.send(requestOf(i));
        check?.(i, body);
      }
    }),
  );
}
