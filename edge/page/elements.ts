// How the page's scripts find and make its parts. Knows nothing of the service.

/** The part of that id, which index.html has. */
export function $<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** A new part with a text. */
export function element(tag: string, content: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = content;
  return made;
}

/** A paragraph that is beside the point. */
export function quiet(content: string): HTMLElement {
  const made = element("p", content);
  made.className = "quiet";
  return made;
}

/** A new part of a picture. */
export function svg(tag: string, attributes: Readonly<Record<string, string | number>>): SVGElement {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, `${value}`);
  return made;
}

/** A share as per cent. */
export function percent(share: number | null | undefined): string {
  return typeof share === "number" ? `${(100 * share).toFixed(1)} %` : "–";
}

/** A row of a table: its first cell names it. */
export function tableRow(tag: "th" | "td", cells: readonly (string | Node)[]): HTMLTableRowElement {
  const row = document.createElement("tr");
  row.append(
    ...cells.map((cell, i) => {
      const made = document.createElement(i === 0 ? "th" : tag) as HTMLTableCellElement;
      made.append(cell);
      if (i === 0 || tag === "th") made.scope = tag === "th" ? "col" : "row";
      return made;
    }),
  );
  return row;
}

/** The rows of a table of index.html, with how many there are in its caption; `isPart`: there are more. */
export function fillTable(
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

/** A time of the service's as this browser writes it; empty for none. */
export function moment(time: string | null): string {
  return time === null ? "" : new Date(time).toLocaleString(undefined, { dateStyle: "short", timeStyle: "medium" });
}
