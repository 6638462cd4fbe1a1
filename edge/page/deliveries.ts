// The desk's table of deliveries: each may be opened, which shows what it sends and each attempt, and sent again by who may.
import { $, element, fillTable, moment, tableRow } from "./elements.ts";
import { type Attempted, drawLatency, duration } from "./latency.ts";
import { drawOutcomes } from "./outcomes.ts";
import { askJson, session } from "./service.ts";

/** As GET /v1/deliveries lists it. */
export interface Delivery extends Attempted {
  readonly id: string;
  readonly key: string;
  readonly seq: number;
  readonly destination: string;
  readonly state: "pending" | "delivered" | "dead";
  readonly attempts: number;
  readonly created: string;
  readonly due: string | null;
  readonly diagnostics: string;
}

/** As GET /v1/deliveries/{id} has it. */
export interface WholeDelivery extends Delivery {
  readonly body: string;
  readonly history: readonly { readonly at: string; readonly ms: number; readonly status: number | null; readonly diagnostics: string }[];
}

const COLUMNS = ["key", "event", "destination", "state", "attempts", "made", "last answer", "actions"];
/** The deliveries whose details are open. */
const opened = new Set<string>();

/** A button that does something, says what came of it, and looks again. */
export type Act = (title: string, action: string, act: () => Promise<string | undefined>) => HTMLButtonElement;

/** All that is known of one delivery. */
export const askDelivery = (id: string): Promise<WholeDelivery> => askJson(`/v1/deliveries/${encodeURIComponent(id)}`);

/** What is known of those whose details are open; one that is gone is open no more. */
export async function askOpened(): Promise<ReadonlyMap<string, WholeDelivery>> {
  const known = await Promise.all([...opened].map((id) => askDelivery(id).catch(() => void opened.delete(id))));
  return new Map(known.flatMap((delivery) => (delivery ? [[delivery.id, delivery] as const] : [])));
}

/** Lists them, and draws what became of them. */
export function showDeliveries(
  deliveries: readonly Delivery[],
  isPart: boolean,
  details: ReadonlyMap<string, WholeDelivery>,
  act: Act,
): void {
  drawOutcomes($("outcomes"), deliveries);
  drawLatency($("latency"), deliveries);
  const rows = deliveries.map((delivery) => [
    delivery.key,
    `${delivery.seq}`,
    delivery.destination,
    delivery.state,
    `${delivery.attempts}`,
    moment(delivery.created),
    [delivery.status, delivery.ms !== null && duration(delivery.ms), delivery.diagnostics].filter(Boolean).join(" ").slice(0, 80),
    actionsOf(delivery, act),
  ]);
  fillTable("deliveries", "Deliveries", COLUMNS, rows, isPart);
  const { rows: shown } = $<HTMLTableElement>("deliveries").tBodies[0];
  for (const [i, { id }] of [...deliveries.entries()].reverse()) if (details.has(id)) shown[i].after(detailOf(details.get(id)!));
}

/** Buttons that show one delivery whole, and send it again. */
function actionsOf({ id }: Delivery, act: Act): HTMLElement {
  const cell = element("span", "");
  cell.dataset.id = id;
  const detail = act(opened.has(id) ? "Close" : "Show", "detail", async () => {
    if (!opened.delete(id)) opened.add(id);
    return undefined;
  });
  detail.setAttribute("aria-expanded", `${opened.has(id)}`);
  cell.append(detail);
  if (session.mayAct)
    cell.append(
      " ",
      act("Send again", "replay", async () => {
        await askJson(`/v1/deliveries/${encodeURIComponent(id)}/replay`, { method: "POST" });
        return "It is sent again.";
      }),
    );
  return cell;
}

/** A row below the delivery's own. */
function detailOf({ id, due, body, history }: WholeDelivery): HTMLTableRowElement {
  const row = document.createElement("tr");
  const cell = document.createElement("td");
  cell.colSpan = COLUMNS.length;
  cell.className = "detail";
  const list = document.createElement("dl");
  const payload = element("pre", pretty(body));
  payload.tabIndex = 0; // it may scroll
  payload.setAttribute("aria-label", "What is sent");
  payload.setAttribute("role", "region");
  for (const [name, value] of [
    ["webhook-id", element("span", id)],
    ["next attempt", element("span", moment(due) || "none")],
    ["what is sent", payload],
  ] as const) {
    const description = element("dd", "");
    description.append(value);
    list.append(element("dt", name), description);
  }
  cell.append(list, attemptsOf(history));
  row.append(cell);
  return row;
}

function attemptsOf(history: WholeDelivery["history"]): HTMLElement {
  if (history.length === 0) return element("p", "No attempt yet.");
  const table = document.createElement("table");
  table.className = "attempts";
  table.createCaption().textContent = `Attempts: ${history.length}, the newest first`;
  table.createTHead().append(tableRow("th", ["time", "status", "took", "the receiver said"]));
  table
    .createTBody()
    .append(
      ...history
        .toReversed()
        .map(({ at, ms, status, diagnostics }) =>
          tableRow("td", [moment(at), status === null ? "no answer" : `${status}`, duration(ms), diagnostics]),
        ),
    );
  return table;
}

/** JSON on lines of its own; other text as it is. */
function pretty(body: string): string {
  try {
    return JSON.stringify(JSON.parse(body), null, 2);
  } catch {
    return body;
  }
}
