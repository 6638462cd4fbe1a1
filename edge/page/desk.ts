// The desk: sources, destinations, deliveries and streams as the service lists them, refreshed while the tab is open. Who has a key of
// scope admin sends again, and tries a destination; others see no button for it.
import { askDelivery, askOpened, type Delivery, showDeliveries } from "./deliveries.ts";
import { $, element, fillTable, moment } from "./elements.ts";
import { duration } from "./latency.ts";
import { askJson, session } from "./service.ts";
import { type Source, showSources } from "./sources.ts";

interface Destination {
  readonly name: string;
  readonly state: "closed" | "open";
  readonly openedAt: string | null;
  readonly probeAt: string | null;
}

type Counts = Readonly<Record<"pending" | "delivered" | "dead" | "dropped", number>>;

interface Metrics {
  readonly streams: number;
  readonly deliveries: Counts;
  readonly destinations: readonly Destination[];
  readonly sources: readonly Source[];
}

const REFRESH_MS = 5000;
/** Of one page of a list: the API gives no more. */
const MOST_ROWS = 200;
/** A test's answer is waited for so often, so long each. */
const [TEST_LOOKS, TEST_WAIT_MS] = [20, 1000];
const FILTERS = ["state", "destination", "key", "since", "until"];
let timer: ReturnType<typeof setInterval> | undefined;
/** Counts the refreshes: an answer that a newer one overtook is not shown. */
let asked = 0;

/** Lists what there is now and from then on, or rests. */
export function openDesk(isOpen: boolean): void {
  clearInterval(timer);
  if (!isOpen) return;
  void refresh();
  timer = setInterval(() => {
    if (!document.hidden && $<HTMLInputElement>("desk-live").checked) void refresh();
  }, REFRESH_MS);
}

/** As the API takes it; times are this browser's, and go as UTC. */
function filterOf(): URLSearchParams {
  const filter = new URLSearchParams();
  for (const name of FILTERS) {
    const { value, type } = $<HTMLInputElement>(`desk-${name}`);
    if (value !== "") filter.set(name, type === "datetime-local" ? new Date(value).toISOString() : value);
  }
  return filter;
}

async function refresh(): Promise<void> {
  const mine = ++asked;
  const filter = filterOf();
  filter.set("limit", `${MOST_ROWS}`);
  try {
    const [metrics, listed, keys, details] = await Promise.all([
      askJson<Metrics>("/v1/metrics"),
      askJson<{ readonly deliveries: readonly Delivery[]; readonly cursor?: string }>(`/v1/deliveries?${filter}`),
      askJson<{ readonly streams: readonly (Counts & { readonly key: string })[]; readonly cursor?: string }>("/v1/streams"),
      askOpened(),
    ]);
    if (mine !== asked) return;
    $("desk-problem").textContent = "";
    keepFocus(() => {
      showSources(metrics.sources);
      showDestinations(metrics);
      showDeliveries(listed.deliveries, listed.cursor !== undefined, details, act);
    });
    const rows = keys.streams.map(({ key, pending, delivered, dead, dropped }) => [
      key,
      ...[pending, delivered, dead, dropped].map(String),
    ]);
    fillTable("keys", "Streams", ["key", "pending", "delivered", "dead", "dropped"], rows, keys.cursor !== undefined);
  } catch (error) {
    if (mine !== asked) return;
    $("desk-problem").textContent = (error as Error).message;
    $("totals").textContent = "";
  }
}

/** Whoever is at a row's button stays there though the row is made anew. */
function keepFocus(show: () => void): void {
  const { activeElement } = document;
  const id = activeElement?.closest<HTMLElement>("[data-id]")?.dataset.id;
  const action = (activeElement as HTMLElement | null)?.dataset.action ?? "detail";
  show();
  if (id !== undefined) document.querySelector<HTMLElement>(`[data-id="${CSS.escape(id)}"] [data-action="${action}"]`)?.focus();
}

function showDestinations({ streams, deliveries, destinations }: Metrics): void {
  $("totals").textContent = [[streams === 1 ? "stream" : "streams", streams], ...Object.entries(deliveries)]
    .map(([name, count]) => `${count} ${name}`)
    .join(", ");
  const select = $<HTMLSelectElement>("desk-destination");
  for (const { name } of destinations) if (![...select.options].some(({ value }) => value === name)) select.append(new Option(name, name));
  const rows = destinations.map(({ name, state, openedAt, probeAt }) => [
    name,
    state === "closed" ? "delivers" : "paused: it failed everywhere",
    moment(openedAt),
    moment(probeAt),
    ...(session.mayAct ? [testOf(name)] : []),
  ]);
  const head = ["name", "circuit", "paused since", "next attempt", ...(session.mayAct ? ["actions"] : [])];
  fillTable("destinations", "Destinations", head, rows, false);
}

function testOf(name: string): HTMLElement {
  const cell = element("span", "");
  cell.dataset.id = `destination ${name}`;
  cell.append(
    act("Send a test event", "test", async () => {
      say(`${name} gets a test event …`);
      const query = new URLSearchParams({ destination: name });
      const { id } = await askJson<{ readonly id: string }>(`/v1/deliveries/test?${query}`, { method: "POST" });
      for (let look = 0; look < TEST_LOOKS; look++) {
        await new Promise((done) => setTimeout(done, TEST_WAIT_MS));
        const [attempt] = (await askDelivery(id)).history;
        if (attempt === undefined) continue;
        const { status, ms, diagnostics } = attempt;
        return `${name}: ${status ?? "no answer"} in ${duration(ms)}${diagnostics && `: ${diagnostics.slice(0, 200)}`}`;
      }
      return `${name} has not answered yet: the delivery is in the list, of the key quickstep:test.`;
    }),
  );
  return cell;
}

/** A button that does something, says what came of it, and looks again. */
function act(title: string, action: string, run: () => Promise<string | undefined>): HTMLButtonElement {
  const made = element("button", title) as HTMLButtonElement;
  made.type = "button";
  made.className = "plain small";
  made.dataset.action = action;
  const work = async (): Promise<void> => {
    const said = await run();
    if (said !== undefined) say(said);
    await refresh();
  };
  made.addEventListener("click", () => void work().catch(refuse));
  return made;
}

/** All deliveries of the filter, dead ones where it names no state, of some keys at a time. */
async function replayAll(): Promise<void> {
  const filter = filterOf();
  const [destination, state] = [filter.get("destination"), filter.get("state") ?? "dead"];
  if (destination === null) throw new Error("choose the destination whose deliveries are to be sent again");
  if (state !== "dead" && !confirm(`Send all ${state} deliveries of this filter to ${destination} again?`)) return;
  let replayed = 0;
  let cursor: string | undefined;
  do {
    if (cursor !== undefined) filter.set("cursor", cursor);
    const answer = await askJson<{ readonly replayed: number; readonly cursor?: string }>(`/v1/deliveries/replay?${filter}`, {
      method: "POST",
    });
    replayed += answer.replayed;
    cursor = answer.cursor;
  } while (cursor !== undefined);
  say(`${replayed} ${state} deliveries to ${destination} are sent again.`);
}

const say = (text: string): void => {
  $("desk-said").textContent = text;
};

/** Shows what went wrong with an action until the next one; a refresh would take it away. */
const refuse = (error: Error): void => say(error.message);

/** The desk's own controls. */
export function wireDesk(): void {
  $("refresh").addEventListener("click", () => void refresh());
  for (const name of FILTERS) $(`desk-${name}`).addEventListener("change", () => void refresh());
  $("desk-state").addEventListener("change", ({ target }) => {
    $("replay-all").textContent = `Send all ${(target as HTMLSelectElement).value || "dead"} again`;
  });
  $("replay-all").addEventListener("click", () => void replayAll().then(refresh, refuse));
}

/** What a key that may not act is told instead of buttons. */
export function showRights(): void {
  $("replay-all").hidden = !session.mayAct;
  $("desk-rights").hidden = session.mayAct;
}
