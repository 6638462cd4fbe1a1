// The desk: destinations, deliveries and streams as the service lists them, refreshed while the tab is open; replays for scope admin.
import { $, element, tableRow } from "./elements.ts";
import { drawOutcomes } from "./outcomes.ts";
import { askJson } from "./service.ts";

/** As GET /v1/deliveries lists it. */
interface Delivery {
  readonly id: string;
  readonly key: string;
  readonly seq: number;
  readonly destination: string;
  readonly state: "pending" | "delivered" | "dead";
  readonly attempts: number;
  readonly created: string;
  readonly due: string | null;
  readonly status: number | null;
  readonly diagnostics: string;
}

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
}

const REFRESH_MS = 5000;
/** Of one page of a list: the API gives no more. */
const MOST_ROWS = 200;
let timer: ReturnType<typeof setInterval> | undefined;
/** Counts the refreshes: an answer that a newer one overtook is not shown. */
let asked = 0;
/** The deliveries whose details are open. */
const opened = new Set<string>();

const at = (time: string | null): string =>
  time === null ? "" : new Date(time).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });

/** Lists what there is now and from then on, or rests. */
export function openDesk(isOpen: boolean): void {
  clearInterval(timer);
  if (!isOpen) return;
  void refresh();
  timer = setInterval(() => {
    if (!document.hidden && $<HTMLInputElement>("desk-live").checked) void refresh();
  }, REFRESH_MS);
}

function filterOf(): URLSearchParams {
  const filter = new URLSearchParams({ limit: `${MOST_ROWS}` });
  for (const name of ["state", "destination", "key"]) {
    const { value } = $<HTMLInputElement>(`desk-${name}`);
    if (value !== "") filter.set(name, value);
  }
  return filter;
}

async function refresh(): Promise<void> {
  const mine = ++asked;
  try {
    const [metrics, listed, keys] = await Promise.all([
      askJson<Metrics>("/v1/metrics"),
      askJson<{ readonly deliveries: readonly Delivery[]; readonly cursor?: string }>(`/v1/deliveries?${filterOf()}`),
      askJson<{ readonly streams: readonly (Counts & { readonly key: string })[]; readonly cursor?: string }>("/v1/streams"),
    ]);
    if (mine !== asked) return;
    $("desk-problem").textContent = "";
    showDestinations(metrics);
    showDeliveries(listed.deliveries, listed.cursor !== undefined);
    const rows = keys.streams.map(({ key, pending, delivered, dead, dropped }) => [
      key,
      ...[pending, delivered, dead, dropped].map(String),
    ]);
    fillTable("keys", "Streams", ["key", "pending", "delivered", "dead", "dropped"], rows, keys.cursor !== undefined);
  } catch (error) {
    if (mine === asked) $("desk-problem").textContent = (error as Error).message;
  }
}

function fillTable(
  id: string,
  name: string,
  head: readonly string[],
  rows: readonly (readonly (string | Node)[])[],
  isPart: boolean,
): void {
  const table = $<HTMLTableElement>(id);
  table.caption!.textContent = `${name}: ${rows.length === 0 ? "none" : `${isPart ? "the first " : ""}${rows.length}`}`;
  table.tHead!.replaceChildren(...(rows.length === 0 ? [] : [tableRow("th", head)]));
  table.tBodies[0].replaceChildren(...rows.map((row) => tableRow("td", row)));
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
    at(openedAt),
    at(probeAt),
  ]);
  fillTable("destinations", "Destinations", ["name", "circuit", "paused since", "next attempt"], rows, false);
}

function showDeliveries(deliveries: readonly Delivery[], isPart: boolean): void {
  const focused = document.activeElement?.closest<HTMLElement>("[data-id]")?.dataset;
  drawOutcomes($("outcomes"), deliveries);
  const rows = deliveries.map((delivery) => [
    delivery.key,
    `${delivery.seq}`,
    delivery.destination,
    delivery.state,
    `${delivery.attempts}`,
    at(delivery.created),
    [delivery.status, delivery.diagnostics].filter(Boolean).join(" ").slice(0, 80),
    actionsOf(delivery),
  ]);
  fillTable(
    "deliveries",
    "Deliveries",
    ["key", "event", "destination", "state", "attempts", "made", "last answer", "actions"],
    rows,
    isPart,
  );
  const { rows: shown } = $<HTMLTableElement>("deliveries").tBodies[0];
  for (const [i, delivery] of [...deliveries.entries()].reverse()) if (opened.has(delivery.id)) shown[i].after(detailOf(delivery));
  if (focused !== undefined)
    document.querySelector<HTMLElement>(`[data-id="${focused.id}"] [data-action="${focused.action ?? "detail"}"]`)?.focus();
}

/** Buttons that show one delivery whole, and send it again. */
function actionsOf({ id }: Delivery): HTMLElement {
  const cell = element("span", "");
  cell.dataset.id = id;
  const detail = button(opened.has(id) ? "Close" : "Show", "detail", async () => {
    if (!opened.delete(id)) opened.add(id);
  });
  detail.setAttribute("aria-expanded", `${opened.has(id)}`);
  const replay = button("Send again", "replay", async () => {
    await askJson(`/v1/deliveries/${encodeURIComponent(id)}/replay`, { method: "POST" });
    say("It is sent again.");
  });
  cell.append(detail, " ", replay);
  return cell;
}

function button(title: string, action: string, act: () => Promise<void>): HTMLButtonElement {
  const made = element("button", title) as HTMLButtonElement;
  made.type = "button";
  made.className = "plain small";
  made.dataset.action = action;
  made.addEventListener("click", () => void act().then(refresh, refuse));
  return made;
}

/** What is known of one delivery. */
function detailOf({ id, due, status, diagnostics }: Delivery): HTMLTableRowElement {
  const row = document.createElement("tr");
  const cell = document.createElement("td");
  cell.colSpan = 8;
  cell.className = "detail";
  const list = document.createElement("dl");
  for (const [name, value] of [
    ["webhook-id", id],
    ["next attempt", at(due) || "none"],
    ["last status", status === null ? "none" : `${status}`],
    ["the receiver said", diagnostics || "nothing"],
  ])
    list.append(element("dt", name), element("dd", value));
  cell.append(list);
  row.append(cell);
  return row;
}

/** All dead deliveries to the chosen destination, of some keys at a time. */
async function replayAll(): Promise<void> {
  const destination = $<HTMLSelectElement>("desk-destination").value;
  if (destination === "") throw new Error("choose the destination whose dead deliveries are to be sent again");
  let replayed = 0;
  let cursor: string | undefined;
  do {
    const query = new URLSearchParams({ destination, ...(cursor && { cursor }) });
    const answer = await askJson<{ readonly replayed: number; readonly cursor?: string }>(`/v1/deliveries/replay?${query}`, {
      method: "POST",
    });
    replayed += answer.replayed;
    cursor = answer.cursor;
  } while (cursor !== undefined);
  say(`${replayed} dead deliveries to ${destination} are sent again.`);
}

const say = (text: string): void => {
  $("desk-said").textContent = text;
};

/** Shows what went wrong with an action until the next one; a refresh would take it away. */
const refuse = (error: Error): void => say(error.message);

/** The desk's own controls. */
export function wireDesk(): void {
  $("refresh").addEventListener("click", () => void refresh());
  for (const name of ["state", "destination", "key"]) $(`desk-${name}`).addEventListener("change", () => void refresh());
  $("replay-all").addEventListener("click", () => void replayAll().then(refresh, refuse));
}
