// Events of many keys, out of order here and there, and a sender that sends each until it is acknowledged; some again after that.
import type { StreamAnswer } from "../../../edge/streams/store.ts";

export interface SentEvent {
  readonly key: string;
  readonly id: string;
  /** Milliseconds since 1970. */
  readonly timestamp: number;
  readonly values: readonly number[];
}

export interface Acknowledged {
  readonly event: SentEvent;
  readonly answer: StreamAnswer;
}

export interface Sent {
  readonly acknowledged: readonly Acknowledged[];
  /** Requests that got no answer, or a 503: the server was being killed. */
  readonly failed: number;
  /** Acknowledged events that were sent again, and answered the same. */
  readonly repeated: number;
  /** Ids that were sent again with other values, and refused. */
  readonly refused: number;
}

/** A server that was killed is back within seconds; one that is not has ended by itself. */
const PATIENCE_MS = 60_000;

/** `count` events over `keys` keys. One in seven is some steps late, one in fifty much too late. */
export function makeEvents(count: number, keys: number, random: () => number): SentEvent[] {
  return Array.from({ length: count }, (_, i) => {
    const step = Math.floor(i / keys);
    const dice = random();
    const behind = dice < 0.02 ? 30 : dice < 0.16 ? Math.floor(random() * 8) : 0;
    const swing = 4 * random(); // calm and restless bars, so that labels change
    const base = 100 + swing * random();
    return {
      key: `key ${i % keys} ${"ä/?#%".at(i % 5)}`,
      id: `${i}`,
      timestamp: 1_700_000_000_000 + Math.max(0, step - behind) * 60_000 + Math.floor(random() * 1000),
      values: [base, base + swing * random(), base - swing * random(), base, 1e6 * random()],
    };
  });
}

/** Sends with `clients` at once. `acknowledge` is told how many have been; throws where an answer breaks what was promised, or none comes. */
export async function sendAll(
  url: string,
  apiKey: string,
  events: readonly SentEvent[],
  clients: number,
  random: () => number,
  acknowledge: (count: number) => void,
): Promise<Sent> {
  const acknowledged: Acknowledged[] = [];
  const totals = { failed: 0, repeated: 0, refused: 0 };
  let next = 0;

  async function post({ key, ...event }: SentEvent): Promise<{ status: number; text: string } | undefined> {
    const headers = { "content-type": "application/json", authorization: `Bearer ${apiKey}` };
    const init = { method: "POST", headers, body: JSON.stringify(event) };
    try {
      const response = await fetch(`${url}/v1/streams/${encodeURIComponent(key)}/events`, { ...init, signal: AbortSignal.timeout(10_000) });
      const text = await response.text();
      if (response.status !== 503) return { status: response.status, text };
    } catch {}
    totals.failed++;
    await new Promise((done) => setTimeout(done, 20));
    return undefined;
  }

  async function postUntilAnswered(event: SentEvent): Promise<{ status: number; text: string }> {
    const begun = performance.now();
    while (performance.now() - begun < PATIENCE_MS) {
      const answered = await post(event);
      if (answered !== undefined) return answered;
    }
    throw new Error(`event ${event.id} was not answered for ${PATIENCE_MS / 1000} s: the server has ended`);
  }

  async function client(): Promise<void> {
    while (next < events.length) {
      const event = events[next++];
      const { status, text } = await postUntilAnswered(event);
      if (status !== 200) throw new Error(`event ${event.id} was answered ${status}: ${text}`);
      acknowledged.push({ event, answer: JSON.parse(text) });
      acknowledge(acknowledged.length);
      if (random() < 0.05) {
        const again = await postUntilAnswered(event);
        if (again.text !== text) throw new Error(`event ${event.id} was answered ${text}, and again ${again.text}`);
        totals.repeated++;
      }
      if (random() < 0.02) {
        const other = await postUntilAnswered({ ...event, values: [1, 2, 3, 4, 5] });
        if (other.status !== 409) throw new Error(`event ${event.id} with other values was answered ${other.status}: ${other.text}`);
        totals.refused++;
      }
    }
  }
  await Promise.all(Array.from({ length: clients }, client));
  return { acknowledged, ...totals };
}
