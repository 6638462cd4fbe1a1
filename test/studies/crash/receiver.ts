// A receiver of deliveries that fails at random, in every way there is, and writes down each attempt with what it did to it.
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Webhook } from "standardwebhooks";

export interface Attempt {
  readonly destination: string;
  /** Counts the attempts of all destinations in the order they came. */
  readonly came: number;
  /** `webhook-id` */
  readonly id: string;
  readonly body: string;
  /** Whether the sender was told 2xx. */
  readonly taken: boolean;
  readonly did: string;
}

export interface Receiver {
  readonly port: number;
  readonly attempts: readonly Attempt[];
  /** Attempts whose signature standardwebhooks did not believe. */
  readonly forged: number;
  /** From now on everything is taken. */
  recover(): void;
  close(): void;
}

/** Gets the changes of a key's label alone. */
export const TURNS = "turns";
/** Gets batches, those of a key in order. */
export const PACKS = "packs";
/** `desk` never says 410, `wall` does now and then. */
export const DESTINATIONS = ["desk", "wall", TURNS, PACKS] as const;
/** Never answers, until it recovers. */
export const DEAD = "grave";
const SLOW_MS = 400;
/** Where there is no silence, the dead destination hangs up after this. */
const DYING_MS = 4000;

/** `silence`: now and then it says nothing at all, which costs the sender its whole patience. */
export async function openReceiver(secret: string, random: () => number, silence: boolean): Promise<Receiver> {
  const webhook = new Webhook(secret);
  const attempts: Attempt[] = [];
  let forged = 0;
  let came = 0;
  let fails = true;

  /** What is done to one attempt, by the shares in which it happens. */
  function misbehave(destination: string, response: ServerResponse, note: (taken: boolean, did: string) => void): void {
    if (fails && destination === DEAD) {
      note(false, "silence");
      if (!silence) setTimeout(() => response.socket?.resetAndDestroy(), DYING_MS);
      return;
    }
    const dice = fails ? random() : 1;
    const answer = (status: number, headers = {}): void => {
      note(status < 300, `${status}`);
      response.writeHead(status, headers).end(`status ${status}`);
    };
    if (dice < 0.1) answer(500);
    else if (dice < 0.14) answer(429, { "retry-after": "1" });
    else if (dice < 0.16) answer(302, { location: "/elsewhere" });
    else if (dice < 0.2) {
      note(false, "reset");
      response.socket?.resetAndDestroy();
    } else if (dice < 0.24) setTimeout(() => answer(200), SLOW_MS * random());
    else if (dice < 0.2405 && silence) note(false, "silence");
    else if (dice < 0.244 && destination === "wall") answer(410);
    else answer(204);
  }

  const server = createServer((request: IncomingMessage, response: ServerResponse) => {
    const chunks: Buffer[] = [];
    request.on("data", (chunk) => chunks.push(chunk));
    request.on("end", () => {
      const body = Buffer.concat(chunks).toString();
      const id = String(request.headers["webhook-id"]);
      const order = came++;
      const destination = request.url!.slice(1);
      try {
        webhook.verify(body, request.headers as Record<string, string>);
      } catch {
        forged++;
      }
      misbehave(destination, response, (taken, did) => attempts.push({ destination, came: order, id, body, taken, did }));
    });
    request.on("error", () => {});
    response.on("error", () => {});
  });
  server.keepAliveTimeout = 60_000;
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    attempts,
    get forged() {
      return forged;
    },
    recover() {
      fails = false;
    },
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
