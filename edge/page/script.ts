// What the page does: a sequence from the text to /v1/score, the answer back into the page; streams and deliveries for who opens them.
// Runs in browsers, without a framework; its only knowledge of the service is what /v1/model and /openapi.json say. One file, and longer
// than others: the build only minifies it and puts it into the page as one script, whose hash the page's policy allows.
import type { ScoreAnswer } from "../scoring/scoring.ts";

interface Metrics {
  readonly [name: string]: number | null;
}

interface Bin {
  readonly examples: number;
  readonly predicted: number;
  readonly observed: { readonly value: number; readonly low: number; readonly high: number };
}

/** A number or a category, in each row or once a sequence. */
interface Input {
  readonly name: string;
  readonly levels?: readonly string[];
  readonly static?: true;
}

/** What is known of any model. */
interface Service {
  readonly name: string;
  readonly id: string;
  readonly features: readonly string[];
  readonly timesteps: number;
  readonly operatingPoints: readonly { readonly name: string; readonly threshold: number }[];
  readonly recipe: Taken;
}

/** What a model takes. */
interface Taken {
  /** With these, null stands for a number that is missing. */
  readonly gaps?: readonly string[];
  readonly inputs?: readonly Input[];
  /** What the row's time is called, the last of its values. */
  readonly clock?: string;
}

/** And of one that was trained here. */
interface Card extends Service {
  readonly units?: number;
  readonly members: readonly Member[];
  readonly recipe: Taken & {
    readonly padding: string;
    readonly channels: readonly string[];
    readonly lengths: readonly [number, number];
  };
  readonly calibration: { readonly slope: number; readonly intercept: number };
  /** Null where the model was trained elsewhere and has seen no labelled sequence here. */
  readonly metrics: Metrics | null;
  readonly intervals: Metrics;
  readonly reliability?: readonly Bin[];
  readonly baselines: Readonly<Record<string, Metrics>>;
  readonly data: { readonly name: string };
  readonly split: { readonly by: string };
  readonly imported?: { readonly file: string };
  readonly warnings: readonly string[];
}

/** What a model's answer is made of. */
type Member = { readonly weight: number } & (
  | { readonly kind: "lstm"; readonly networks: number; readonly units: number }
  | { readonly kind: "layers"; readonly networks: number; readonly layers: string }
  | { readonly kind: "linear"; readonly columns: number }
  | { readonly kind: "trees"; readonly trees: number; readonly leaves: number }
  | { readonly kind: "onnx" }
);

const METRIC_TITLES = [
  ["logLoss", "log loss"],
  ["auc", "AUC"],
  ["prAuc", "PR-AUC"],
  ["accuracy", "accuracy"],
  ["brier", "Brier"],
  ["ece", "ECE"],
] as const;

function $<T extends HTMLElement = HTMLElement>(id: string): T {
  return document.getElementById(id) as T;
}

/** Probabilities of one answer. */
const MOST_SHOWN = 100;
/** The API takes no larger body. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;

const text = $<HTMLTextAreaElement>("sequence");
const point = $<HTMLSelectElement>("point");
let card: Service | undefined;
/** Counts the scores that were asked for: an answer that a newer question overtook is not shown. */
let asked = 0;
let key = "";

function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string>), ...(key !== "" && { authorization: `Bearer ${key}` }) };
  return fetch(path, { ...init, headers });
}

type Cell = string | number | null;

/** What stands in the fields of what is given once a sequence; undefined where the model takes nothing of the kind. */
function readStatics(): Record<string, Cell> | undefined {
  const statics = staticInputs();
  if (statics.length === 0) return undefined;
  return Object.fromEntries(
    statics.map(({ name, levels }, i) => [name, readCell($<HTMLInputElement>(`static-${i}`).value.trim(), levels)]),
  );
}

function staticInputs(): readonly Input[] {
  return card?.recipe.inputs?.filter((input) => input.static) ?? [];
}

/** What the API takes: a whole body as it is; else JSON of a sequence, or rows. What is given once a sequence comes from its fields. */
function parseBody(source: string): object {
  const trimmed = source.trim();
  if (trimmed.startsWith("{")) return JSON.parse(trimmed);
  const given = trimmed.startsWith("[") ? { sequence: JSON.parse(trimmed) } : parseRows(trimmed);
  const statics = readStatics();
  return { ...given, ...(statics && { static: statics }) };
}

/** What people write for a number that is missing. */
const MISSING = /^(?:#?n\/?a|<na>|nan|null|none|)$/i;

/** What pandas and R call a column that numbers the rows. */
const INDEX = /^(?:|unnamed: 0|index|level_\d+)$/i;

/** A number, null for one that is missing where that may be, and any other text as it is: a category's level, or for the API to refuse. */
function readCell(cell: string, levels?: readonly string[]): Cell {
  if (MISSING.test(cell) && (levels !== undefined || card?.recipe.gaps !== undefined)) return null;
  return cell === "" || levels !== undefined || Number.isNaN(Number(cell)) ? cell : Number(cell);
}

/**
 * Rows of values separated by commas or semicolons, else by white space; under a first row of names, in the order in which the model takes
 * them. Times that are no numbers stand beside.
 */
function parseRows(trimmed: string): { readonly sequence: readonly (readonly Cell[])[]; readonly times?: readonly string[] } {
  const separator = /[,;]/.test(trimmed) ? /\s*[,;]\s*/ : /\s+/;
  const rows = trimmed
    .split("\n")
    .filter((line) => line.trim() !== "")
    .map((line) => line.trim().split(separator))
    .map((row) => row.map((cell) => cell.replace(/^"(.*)"$/, "$1")));
  const ordered = isNamed(rows) ? orderByName(rows[0], rows.slice(1)) : rows;
  const times = ordered.map((row) => row[row.length - 1]);
  const isTimed = card?.recipe.clock !== undefined && times.some((cell) => Number.isNaN(Number(cell)));
  const own = card?.recipe.inputs?.filter((input) => !input.static);
  const sequence = ordered.map((row) => (isTimed ? row.slice(0, -1) : row).map((cell, i) => readCell(cell, own?.[i]?.levels)));
  return { sequence, ...(isTimed && { times }) };
}

/** Whether the first row is names: no cell of it is a number, and it is no row of categories alone. */
function isNamed(rows: readonly (readonly string[])[]): boolean {
  const isText = rows[0].every((cell, i) => Number.isNaN(Number(cell)) || (i === 0 && cell === ""));
  const levels = card?.recipe.inputs?.flatMap((input) => input.levels ?? []) ?? [];
  return rows.length > 1 && isText && !rows[0].every((cell) => levels.includes(cell));
}

/** The cells under the model's names, in its order; by position where its features have none. Throws where names are others. */
function orderByName(header: readonly string[], rows: readonly (readonly string[])[]): string[][] {
  const names = rows.every((row) => row.length === header.length + 1) ? ["", ...header] : header; // as R writes row names
  const short = rows.findIndex((row) => row.length !== names.length);
  if (short >= 0) throw new Error(`Row ${short + 1} has ${rows[short].length} cells under ${names.length} names.`);
  takeStatics(names, rows[rows.length - 1]);
  const features = rowNames();
  const isStatic = (name: string): boolean => staticInputs().some((input) => input.name === name);
  const kept = [...names.keys()].filter((i) => features.includes(names[i]) || !(INDEX.test(names[i]) || isStatic(names[i])));
  const given = kept.map((i) => names[i]);
  if (features.every((name, f) => name === `f${f}`)) return rows.map((row) => kept.map((i) => row[i]));
  if (new Set(given).size !== given.length || [...given].sort().join("\n") !== [...features].sort().join("\n"))
    throw new Error(
      `The first row names ${given.join(", ")}; the model takes ${features.join(", ")}. Name the columns so, or leave the row of names out to take them by position.`,
    );
  return rows.map((row) => features.map((name) => row[names.indexOf(name)]));
}

/** What a row has: its inputs, else the features; and its time. */
function rowNames(): readonly string[] {
  const { recipe, features = [] } = card ?? {};
  if (recipe?.inputs === undefined) return features;
  return [...recipe.inputs.filter((input) => !input.static).map(({ name }) => name), ...(recipe.clock === undefined ? [] : [recipe.clock])];
}

/** Columns of what is given once a sequence go from the last row into their fields. */
function takeStatics(names: readonly string[], row: readonly string[]): void {
  for (const [i, { name }] of staticInputs().entries())
    if (names.includes(name)) $<HTMLInputElement>(`static-${i}`).value = row[names.indexOf(name)];
}

/** A field for each input that is given once a sequence: its levels to choose from, or a number. */
function showStatics(): void {
  const statics = staticInputs();
  $("statics").hidden = statics.length === 0;
  $("static-fields").replaceChildren(
    ...statics.flatMap(({ name, levels }, i) => {
      const label = element("label", `${name} `);
      const field = element("input", "") as HTMLInputElement;
      field.id = `static-${i}`;
      field.autocomplete = "off";
      label.append(field);
      if (levels === undefined) {
        field.inputMode = "decimal";
        return [label];
      }
      const list = element("datalist", "");
      list.id = `levels-${i}`;
      list.append(...levels.filter((level) => level !== "").map((level) => new Option(level, level)));
      field.setAttribute("list", list.id);
      return [label, list];
    }),
  );
}

async function score(): Promise<void> {
  $("problem").textContent = "";
  const mine = ++asked;
  let given: object;
  try {
    given = parseBody(text.value);
  } catch (error) {
    return fail((error as Error).message);
  }
  const body = JSON.stringify({ ...given, operatingPoint: point.value, explain: true });
  const response = await ask("/v1/score", { method: "POST", headers: { "content-type": "application/json" }, body });
  const answer: ScoreAnswer & { detail?: string } = await response.json();
  if (mine !== asked) return;
  if (response.ok) showResult(answer);
  else fail(`${answer.detail}`);
}

/** Says what is wrong, and takes the last result away: it belongs to another sequence. */
function fail(message: string): void {
  $("problem").textContent = message;
  $("probability").textContent = "–";
  $("bar").style.width = "0";
  $("label").textContent = "no score yet";
  $("decision").textContent = "";
  for (const id of ["threshold", "range", "explanation", "others"]) $(id).hidden = true;
  text.focus();
}

function showResult({ results, operatingPoint }: ScoreAnswer): void {
  const [result] = results;
  const threshold = card?.operatingPoints.find(({ name }) => name === operatingPoint)?.threshold;
  $("probability").textContent = result.probability.toFixed(4);
  $("bar").style.width = `${100 * result.probability}%`;
  $("threshold").hidden = threshold === undefined;
  $("threshold").style.left = `calc(${100 * (threshold ?? 0)}% - 1px)`;
  $("label").textContent = `Label ${result.label}`;
  $("decision").textContent = `at ${operatingPoint}${threshold === undefined ? "" : `: 1 from ${threshold.toFixed(4)} on`}`;
  $("others").hidden = results.length === 1;
  $("others").textContent =
    `The first of ${results.length} sequences. All: ` +
    `${results
      .slice(0, MOST_SHOWN)
      .map(({ probability }) => probability.toFixed(4))
      .join(", ")}${results.length > MOST_SHOWN ? ", …" : ""}`;
  $("range").hidden = result.outOfRange !== true;
  const { explanation } = result;
  if (explanation === undefined) return;
  $("explanation").hidden = false;
  const last = explanation.steps.length;
  fillStrip(
    "steps",
    explanation.steps.map((change, t) => [t + 1 === last ? "last step" : `step −${last - 1 - t}`, change]),
  );
  fillStrip(
    "features",
    explanation.features.map((change, f) => [card?.features[f] ?? `feature ${f + 1} of a row`, change]),
  );
}

/** A row a step or feature: its name, its change as a number, and a bar of that length beside the number. */
function fillStrip(id: string, changes: readonly (readonly [string, number | null])[]): void {
  const max = Math.max(...changes.map(([, change]) => Math.abs(change ?? 0)), 1e-12);
  $(id).replaceChildren(
    ...changes.map(([name, change]) => {
      const row = document.createElement("tr");
      const cell = document.createElement("td");
      cell.append(element("span", change === null ? "padding" : `${change < 0 ? "−" : "+"}${Math.abs(change).toFixed(3)}`));
      if (change !== null) {
        const width = (100 * Math.abs(change)) / max;
        const colour = change < 0 ? "var(--down-rgb)" : "var(--up-rgb)";
        const bar = document.createElement("i");
        bar.style.width = `${width}%`;
        bar.style.background = `rgba(${colour}, .6)`;
        cell.prepend(bar);
      }
      row.append(element("th", name), cell);
      row.firstElementChild!.setAttribute("scope", "row");
      return row;
    }),
  );
}

function element(tag: string, content: string): HTMLElement {
  const made = document.createElement(tag);
  made.textContent = content;
  return made;
}

/** `LSTM(32)`, or `0.50 × 212 trees + 0.30 × LSTM(32) + 0.20 × linear`, the most weighty first. */
function describeMembers(members: readonly Member[]): string {
  const nameOf = (member: Member): string => {
    switch (member.kind) {
      case "trees":
        return `${member.trees} trees`;
      case "linear":
        return "linear";
      case "onnx":
        return "an ONNX graph";
      case "layers":
        return `${member.networks > 1 ? `${member.networks} × ` : ""}${member.layers}`;
      case "lstm":
        return `${member.networks === 1 ? "" : `${member.networks} × `}LSTM(${member.units})`;
    }
  };
  if (members.length === 1 && members[0].kind !== "linear" && members[0].kind !== "trees") return nameOf(members[0]);
  return [...members]
    .sort((a, b) => b.weight - a.weight)
    .map((member) => `${member.weight.toFixed(2)} × ${nameOf(member)}`)
    .join(" + ");
}

/** What a row has, with the levels of categories. */
function namesOf(inputs: readonly Input[], clock: string | undefined): string {
  const names = inputs
    .filter((input) => !input.static)
    .map(({ name, levels }) => (levels === undefined ? name : `${name} (${levels.filter((level) => level !== "").join(", ")})`));
  return [...names, ...(clock === undefined ? [] : [`${clock}, its time`])].join(", ");
}

function showCard(about: Card | Service): void {
  card = about;
  document.title = `${about.name} · Quickstep`;
  $("name").textContent = about.id;
  $("hint").textContent =
    about.recipe.inputs === undefined
      ? `Up to ${about.timesteps} rows, oldest first, of ${about.features.length} numbers: ${about.features.join(", ")}. Or JSON.`
      : `Up to ${about.timesteps} rows, oldest first, of ${namesOf(about.recipe.inputs, about.recipe.clock)}. Or JSON.`;
  showStatics();
  point.replaceChildren(...about.operatingPoints.map(({ name }) => new Option(name, name)));
  $("card").hidden = false;
  $("streams").hidden = false;
  if (!("metrics" in about)) {
    $("model-line").textContent = "The model takes the rows as they are; nothing is known of its training.";
    $("occluded").textContent = "0";
    $("recipe-line").textContent = "None: the network sees the rows, as float32.";
    return;
  }
  $("model-line").textContent =
    `${describeMembers(about.members)}, ` +
    (about.imported ? `imported from ${about.imported.file}.` : `trained on ${about.data.name}, split by ${about.split.by}.`);
  const { metrics } = about;
  const rows: [string, Metrics][] = [
    ...(metrics ? [["this model", metrics] as [string, Metrics]] : []),
    ...Object.entries(about.baselines),
  ];
  const table = $<HTMLTableElement>("metrics");
  $("metrics-title").textContent = metrics
    ? `On ${metrics.examples} sequences held out, ${percent(metrics.positiveRate)} of them 1`
    : "No metrics yet: the model has seen no labelled sequence here";
  const head = document.createElement("tr");
  head.append(...["", ...METRIC_TITLES.map(([, title]) => title)].map((title) => element("th", title)));
  table.tHead!.replaceChildren(head);
  table.tBodies[0].replaceChildren(
    ...rows.map(([name, values]) => {
      const row = document.createElement("tr");
      row.append(
        element("th", name),
        ...METRIC_TITLES.map(([metric]) =>
          element("td", withInterval(values[metric], values === metrics ? about.intervals[metric] : undefined)),
        ),
      );
      return row;
    }),
  );
  const { slope, intercept } = about.calibration;
  $("calibration").textContent =
    (metrics ? `Reliability: probabilities are off by ${percent(metrics.ece)} on average (ECE); calibrated` : "Calibrated") +
    ` with slope ${slope.toFixed(3)}, intercept ${intercept.toFixed(3)}.`;
  showReliability(about.reliability ?? []);
  const [shortest, longest] = about.recipe.lengths;
  $("recipe-line").textContent =
    `All-zero rows: padding ${about.recipe.padding}. Lengths seen in training: ${shortest} to ${longest}. The channels of the feature search:`;
  $("channels").replaceChildren(...about.recipe.channels.map((channel) => element("li", channel)));
  $("warnings").replaceChildren(...about.warnings.map((warning) => element("li", warning)));
}

/** A row a bin: a band where the interval of what came lies on the way from 0 to 100 %, and a line at what was predicted. */
function showReliability(bins: readonly Bin[]): void {
  $("reliability").hidden = bins.length === 0;
  $<HTMLTableElement>("reliability").tBodies[0].replaceChildren(
    ...bins.map(({ examples, predicted, observed: { value, low, high } }) => {
      const row = document.createElement("tr");
      const bar = element("td", "");
      const band = `rgba(var(--up-rgb), .4) ${100 * low}% ${Math.max(100 * high, 100 * low + 0.5)}%`;
      bar.style.background = `linear-gradient(to right, transparent ${100 * low}%, ${band}, transparent 0)`;
      const line = document.createElement("i");
      line.style.left = `calc(${100 * predicted}% - 1px)`;
      bar.append(line);
      row.append(
        element("th", percent(predicted)),
        element("td", `${percent(value)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`),
        bar,
        element("td", String(examples)),
      );
      row.firstElementChild!.setAttribute("scope", "row");
      return row;
    }),
  );
}

function withInterval(value: number | null | undefined, half: number | null | undefined): string {
  if (typeof value !== "number") return "–";
  return typeof half === "number" ? `${value.toFixed(3)} ± ${half.toFixed(3)}` : value.toFixed(3);
}

function percent(share: number | null | undefined): string {
  return typeof share === "number" ? `${(100 * share).toFixed(1)} %` : "–";
}

async function loadSample(): Promise<void> {
  const { paths } = await (await fetch("/openapi.json")).json();
  const { example } = paths["/v1/score"].post.requestBody.content["application/json"];
  const cells: readonly unknown[] = example.sequence.flat();
  if ((card === undefined && example.static !== undefined) || cells.some((cell) => typeof cell === "string" && /[\s,;"]/.test(cell))) {
    text.value = JSON.stringify(example);
    return;
  }
  text.value = example.sequence.map((row: readonly unknown[]) => row.map((cell) => cell ?? "NA").join(", ")).join("\n");
  const names = Object.keys(example.static ?? {});
  takeStatics(
    names,
    names.map((name) => String(example.static[name] ?? "")),
  );
}

/** A key that may score and not read: what to score with is in the open document. */
async function showScoring(): Promise<void> {
  const { info, components } = await (await fetch("/openapi.json")).json();
  $("name").textContent = info.title;
  const names: readonly string[] = components.schemas.ScoreOne.properties.operatingPoint.enum;
  point.replaceChildren(...names.map((name) => new Option(name, name)));
}

async function load(): Promise<void> {
  const response = await ask("/v1/model");
  const needsKey = response.status === 401;
  $("key-form").hidden = !needsKey;
  $("try").hidden = needsKey;
  if (needsKey) {
    $("key-problem").textContent = key === "" ? "" : (await response.json()).detail;
    $("key").focus();
    return;
  }
  if (response.status !== 403 && !response.ok) return fail((await response.json()).detail);
  $("problem").textContent = "";
  if (response.ok) showCard(await response.json());
  else await showScoring();
  if (text.value === "") await loadSample();
}

interface Listed {
  readonly [name: string]: string | number | null;
}

/** A column: its title, and what of a row it shows. */
type Column = readonly [title: string, show: (row: Listed) => string];

const DELIVERY_COLUMNS: readonly Column[] = [
  ["key", ({ key }) => `${key}`],
  ["event", ({ seq }) => `${seq}`],
  ["destination", ({ destination }) => `${destination}`],
  ["state", ({ state }) => `${state}`],
  ["attempts", ({ attempts }) => `${attempts}`],
  ["last answer", ({ status, diagnostics }) => [status, diagnostics].filter(Boolean).join(" ").slice(0, 200)],
  ["next attempt", ({ due }) => (due === null ? "" : new Date(due).toLocaleString(undefined, { dateStyle: "short", timeStyle: "short" }))],
];
const STREAM_COLUMNS: readonly Column[] = [
  ["key", ({ key }) => `${key}`],
  ...["pending", "delivered", "dead", "dropped"].map((state): Column => [state, (row) => `${row[state]}`]),
];

/** The first page of what `path` lists; the list stands under `name`, which is the table's caption, too. */
async function fillList(id: string, path: string, name: string, columns: readonly Column[]): Promise<void> {
  const response = await ask(path);
  const answer = await response.json();
  if (!response.ok) throw new Error(answer.detail);
  const list: readonly Listed[] = answer[name];
  const table = $<HTMLTableElement>(id);
  const count = list.length === 0 ? "none" : `${answer.cursor === undefined ? "" : "the first "}${list.length}`;
  table.caption!.textContent = `${name[0].toUpperCase()}${name.slice(1)}: ${count}`;
  const rowOf = (tag: string, texts: readonly string[]): HTMLElement => {
    const row = document.createElement("tr");
    row.append(...texts.map((content, i) => element(i === 0 ? "th" : tag, content)));
    return row;
  };
  table.tHead!.replaceChildren(
    ...(list.length === 0
      ? []
      : [
          rowOf(
            "th",
            columns.map(([title]) => title),
          ),
        ]),
  );
  table.tBodies[0].replaceChildren(
    ...list.map((row) =>
      rowOf(
        "td",
        columns.map(([, show]) => show(row)),
      ),
    ),
  );
}

async function showStreams(): Promise<void> {
  $("streams-problem").textContent = "";
  const state = $<HTMLSelectElement>("state").value;
  try {
    await fillList("deliveries", `/v1/deliveries${state === "" ? "" : `?state=${state}`}`, "deliveries", DELIVERY_COLUMNS);
    await fillList("keys", "/v1/streams", "streams", STREAM_COLUMNS);
    const { streams, deliveries } = await (await ask("/v1/metrics")).json();
    $("totals").textContent = [[streams === 1 ? "stream" : "streams", streams], ...Object.entries(deliveries)]
      .map(([name, count]) => `${count} ${name}`)
      .join(", ");
  } catch (error) {
    $("streams-problem").textContent = (error as Error).message;
  }
}

/** Throws where `file` is no text or too large for a request. */
async function readText(file: File): Promise<string> {
  if (file.size > MAX_FILE_BYTES) throw new Error(`${file.name} must have at most ${MAX_FILE_BYTES} bytes, got ${file.size}`);
  const noText = new Error(`${file.name} must be text, CSV or JSON, got bytes that are none`);
  try {
    const content = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
    if (!content.includes("\0")) return content;
  } catch {
    throw noText;
  }
  throw noText;
}

/** Shows what goes wrong on the way, a lost connection above all, where problems are shown. */
function showFailure(work: Promise<void>): void {
  work.catch((error: Error) => fail(error.message));
}

$("score-form").addEventListener("submit", (event) => {
  event.preventDefault();
  showFailure(score());
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  key = $<HTMLInputElement>("key").value.trim();
  showFailure(load());
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) showFailure(score());
});
point.addEventListener("change", () => {
  if (!$("explanation").hidden) showFailure(score());
});
$("sample").addEventListener("click", () => showFailure(loadSample()));
$<HTMLInputElement>("file").addEventListener("change", (event) => {
  const [file] = (event.target as HTMLInputElement).files ?? [];
  if (file !== undefined)
    showFailure(
      readText(file).then((content) => {
        text.value = content;
      }),
    );
});
for (const [id, event] of [
  ["streams", "toggle"],
  ["state", "change"],
  ["refresh", "click"],
])
  $(id).addEventListener(event, () => {
    if ($<HTMLDetailsElement>("streams").open) void showStreams();
  });
showFailure(load());
