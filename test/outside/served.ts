// The Worker as it is deployed, on raw workerd, for suites whose clients speak HTTP.
import { createHash } from "node:crypto";
import { bundle, serve } from "../studies/bench/workerd.ts";
import { OBJECTS } from "../studies/crash/raw-workerd.ts";

/** Of all scopes. */
export const ADMIN_KEY = "a-key-of-the-suites";
/** Of scope score alone. */
export const SCORE_KEY = "a-key-that-scores";
/** The token of the source `alerts`, which takes `{"ticker", "time", "bar"}`. */
export const HOOK_TOKEN = "a-token-of-the-suites";

const digest = (key: string): string => createHash("sha256").update(key).digest("hex");
/** What wrangler.toml leaves out: each part of the monitor is off unless it is bound. */
const MONITOR = { METRICS: "Metrics", DRIFT: "Drift", OUTCOMES: "Outcomes" };
const SOURCES = { alerts: { scheme: "token", token: "path", secrets: ["TOKEN"], key: "/ticker", timestamp: "/time", values: "/bar" } };

/** A Worker that answers. */
export interface Served {
  /** `http://127.0.0.1:1234` */
  readonly url: string;
  /** The deployed model's name. */
  readonly name: string;
  stop(): Promise<void>;
}

/** Bundles and starts it; `texts` are more of what wrangler.toml's vars and secrets say. */
export async function serveWorker(texts: Readonly<Record<string, string>> = {}): Promise<Served> {
  const keys = `suites:${digest(ADMIN_KEY)}:admin scorer:${digest(SCORE_KEY)}:score`;
  const configured = { API_KEYS: keys, SOURCES: JSON.stringify(SOURCES), TOKEN: HOOK_TOKEN, ...texts };
  const bundled = bundle("wrangler.toml", { texts: configured, objects: { ...OBJECTS, ...MONITOR } });
  const server = await serve(bundled, { quiet: true });
  const url = `http://127.0.0.1:${server.port}`;
  const card = await (await fetch(`${url}/v1/model`, { headers: { authorization: `Bearer ${ADMIN_KEY}` } })).json();
  return {
    url,
    name: card.name,
    async stop() {
      await server.stop();
      bundled.remove();
    },
  };
}

/** Sequences of whole numbers from 1 to 100, which every number type holds, and the deployed model's probabilities of them. */
export async function scoredSequences({ url }: Served, count: number): Promise<{ sequences: number[][][]; probabilities: number[] }> {
  const headers = { authorization: `Bearer ${ADMIN_KEY}`, "content-type": "application/json" };
  const { timesteps, features } = await (await fetch(`${url}/v1/model`, { headers })).json();
  const sequences = Array.from({ length: count }, (_, n) =>
    Array.from({ length: timesteps }, (_, t) =>
      Array.from({ length: features.length }, (_, f) => ((n * 31 + t * 17 + f * 37 + n * t * f) % 100) + 1),
    ),
  );
  const { results } = await (await fetch(`${url}/v1/score`, { method: "POST", headers, body: JSON.stringify({ sequences }) })).json();
  return { sequences, probabilities: results.map(({ probability }: { probability: number }) => probability) };
}
