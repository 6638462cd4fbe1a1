// Events into streams on raw workerd, against a Worker whose object only writes one row in a transaction: on disk, where each commit
// waits for it, and in memory, where only the work counts.
import { existsSync } from "node:fs";
import { type Contestant, medianOf, race, report } from "./timing.ts";
import { type Bundle, bundle, bundleSource, Connection, postRequest, type Server, sendAll, serve } from "./workerd.ts";

const CLIENTS = 16;
const KEYS = 50;
const ROUNDS = 9;
const MEMORY = "/dev/shm";

const ONE_ROW = `import { DurableObject } from "cloudflare:workers";
export class Rows extends DurableObject {
  constructor(context, env) {
    super(context, env);
    context.storage.sql.exec("CREATE TABLE IF NOT EXISTS rows (id TEXT PRIMARY KEY, body TEXT NOT NULL)");
  }
  add(id, body) {
    this.ctx.storage.transactionSync(() => this.ctx.storage.sql.exec("INSERT INTO rows VALUES (?, ?)", id, body));
    return { id };
  }
}
export default {
  async fetch(request, env) {
    const key = new URL(request.url).pathname.split("/")[3];
    const body = await request.text();
    const { id } = JSON.parse(body);
    const rows = env.ROWS.get(env.ROWS.idFromName(key));
    return Response.json(await rows.add(id, body));
  },
};`;

export async function run(): Promise<void> {
  for (const [place, folder, requests, target] of [
    ["on disk", undefined, 400, 0.8],
    ["in memory", MEMORY, 2000, 0.7],
  ] as const) {
    if (folder !== undefined && !existsSync(folder)) continue;
    const bundles: Record<string, Bundle> = {
      quickstep: bundle("wrangler.toml", { objects: { STREAMS: "Stream", DIRECTORY: "Directory" }, folder }),
      "one row": bundleSource(ONE_ROW, { objects: { ROWS: "Rows" }, folder }),
    };
    const servers: Server[] = [];
    try {
      const contestants: Contestant[] = [];
      for (const [name, bundled] of Object.entries(bundles)) {
        const server = await serve(bundled);
        servers.push(server);
        let sent = 0;
        contestants.push({
          name,
          async run(times) {
            const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(server.port)));
            const from = sent;
            sent += times;
            await sendAll(connections, times, (i) => eventRequest(from + i));
            for (const connection of connections) connection.close();
          },
        });
      }
      const timings = await race(contestants, ROUNDS, requests);
      report(`\n${place}: one event a request, ${CLIENTS} clients, ${KEYS} keys, time from answer to answer`, timings, "µs");
      const ratio = medianOf(timings[1]) / medianOf(timings[0]);
      const cpu: number[] = [];
      for (const [i, { run }] of contestants.entries()) {
        const before = servers[i].cpu();
        await run(requests);
        cpu.push((servers[i].cpu() - before) / requests);
      }
      console.log(`  CPU a request, user and system: ${cpu.map((ms) => ms.toFixed(2)).join(" and ")} ms`);
      console.log(
        `  throughput to the Worker that writes one row: ${ratio.toFixed(2)}×   target ≥ ${target}${ratio >= target ? "" : "   MISSED"}`,
      );
    } finally {
      for (const server of servers) await server.stop();
      for (const bundled of Object.values(bundles)) bundled.remove();
    }
  }
}

function eventRequest(i: number): Buffer {
  const event = { id: `event-${i}`, timestamp: 1_700_000_000 + i, values: [100.25, 101.5, 99.75, 100.5, 12_345 + i] };
  return postRequest(`/v1/streams/key-${i % KEYS}/events`, "application/json", JSON.stringify(event));
}
