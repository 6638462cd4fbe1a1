// The page's own script: from the text to /v1/score, the answer back into the page; the other tabs are watch.ts and the desk's. Runs in
// browsers, without a framework; its only knowledge of the service is what /v1/model, /v1/models and
// /openapi.json say.
import type { ScoreAnswer } from "../scoring/scoring.ts";
import { showBatch } from "./batch.ts";
import { showCard, showForm } from "./card.ts";
import { openDesk, showRights, wireDesk } from "./desk.ts";
import { $ } from "./elements.ts";
import { cardPath, isDefault, listModels, scorePath, takenPath } from "./models.ts";
import { drawSequence } from "./plot.ts";
import { REAL_FEATURES, REAL_SAMPLES } from "./real-samples.ts";
import { fail, showResult } from "./result.ts";
import { parseBody, rowNames, takeStatics } from "./rows.ts";
import { ask, askJson, type Card, type Service, session } from "./service.ts";
import { type Call, curlOf, javascriptOf, pythonOf } from "./snippets.ts";
import { openWatch } from "./watch.ts";

/** The API takes no larger body. */
const MAX_FILE_BYTES = 2 * 1024 * 1024;

/** An explanation costs as much as many scores; that of the first is shown. */
const MOST_EXPLAINED = 10;

const text = $<HTMLTextAreaElement>("sequence");
const point = $<HTMLSelectElement>("point");
/** Counts the scores that were asked for: an answer that a newer question overtook is not shown. */
let asked = 0;

/** What the form asks for, as the API takes it. Throws where the text is no sequence. */
function requestOf(explain: boolean): Call & { readonly body: string } {
  const given = parseBody(text.value);
  const count = "sequences" in given ? (given.sequences as readonly unknown[]).length : 1;
  const body = JSON.stringify({
    ...given,
    ...(point.value !== "" && { operatingPoint: point.value }),
    ...(explain && count <= MOST_EXPLAINED && { explain: true }),
  });
  return { url: scorePath(), method: "POST", headers: { "content-type": "application/json" }, body };
}

async function score(): Promise<void> {
  $("problem").textContent = "";
  const mine = ++asked;
  const { url, ...init } = requestOf(true);
  const response = await ask(url, init);
  const answer: ScoreAnswer & { detail?: string } = await response.json();
  if (mine !== asked) return;
  if (!response.ok) return fail(`${answer.detail}`);
  showResult(answer);
  showBatch(answer);
}

/** The lines that do what the form does, into the clipboard; where that is refused they can be copied by hand. */
async function copy(language: string): Promise<void> {
  const call = requestOf(false);
  const headers = { ...call.headers, ...(session.key !== "" && { authorization: "Bearer" }) };
  const write = { curl: curlOf, python: pythonOf, javascript: javascriptOf }[language]!;
  const lines = write({ ...call, url: new URL(call.url, location.href).href, headers });
  const shown = $<HTMLTextAreaElement>("snippet");
  shown.hidden = false;
  shown.value = lines;
  shown.select();
  await navigator.clipboard?.writeText(lines).catch(() => {});
}

/** What is in the text, as lines; nothing while it is no sequence. */
function draw(): void {
  try {
    const given = parseBody(text.value) as {
      readonly sequence?: readonly (readonly unknown[])[];
      readonly sequences?: readonly (readonly unknown[])[][];
    };
    drawSequence($("plot"), given.sequence ?? given.sequences?.[0] ?? [], rowNames());
  } catch {
    $("plot").hidden = true;
  }
}

/** Real sequences, where the model takes such: what came next stands beside each. */
function offerReal(): void {
  const real = $<HTMLSelectElement>("real");
  const { features = [], timesteps = 0 } = session.card ?? {};
  const fits = features.join() === REAL_FEATURES.join() && REAL_SAMPLES.every(({ rows }) => rows.length <= timesteps);
  real.replaceChildren(
    real.options[0],
    ...REAL_SAMPLES.filter(() => fits).map(({ last, move, label }, i) => new Option(`to ${last}, then ${move}: ${label}`, `${i}`)),
  );
  real.parentElement!.hidden = !fits;
}

async function loadSample(): Promise<void> {
  const chosen = REAL_SAMPLES[Number.parseInt($<HTMLSelectElement>("real").value, 10)];
  if (chosen !== undefined) {
    text.value = chosen.rows.map((row) => row.join(", ")).join("\n");
    return;
  }
  if (!isDefault()) return; // the example is the default model's
  const { paths } = await (await fetch("/openapi.json")).json();
  const { example } = paths["/v1/score"].post.requestBody.content["application/json"];
  const cells: readonly unknown[] = example.sequence.flat();
  if (cells.some((cell) => typeof cell === "string" && /[\s,;"]/.test(cell))) {
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

/** The page for whoever has the key: a key that may score and not read sees no card, and the form as all others. */
async function load(): Promise<void> {
  const response = await ask("/v1/key");
  const needsKey = response.status === 401;
  $("key-form").hidden = !needsKey;
  $("try").hidden = needsKey;
  const key: { readonly scopes: readonly string[]; readonly detail: string } = await response.json();
  if (needsKey) {
    $("key-problem").textContent = session.key === "" ? "" : key.detail;
    $("key").focus();
    return;
  }
  if (!response.ok) return fail(key.detail);
  $("problem").textContent = "";
  session.mayAct = key.scopes.includes("admin");
  const mayRead = session.mayAct || key.scopes.includes("read");
  await listModels();
  if (mayRead) showCard(await askJson<Card | Service>(cardPath()));
  else showForm(await askJson<Service>(takenPath()));
  offerReal();
  for (const tab of ["watch-tab", "desk-tab"]) $(tab).hidden = !mayRead;
  $("sample").hidden = !isDefault();
  showRights();
  if (text.value === "") await loadSample();
  draw();
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

async function take(file: File | undefined): Promise<void> {
  if (file === undefined) return;
  text.value = await readText(file);
  draw();
}

/** Tabs as WAI-ARIA's authoring practices have them: arrows move between them. */
function openTabs(): void {
  const tabs = [$("try-tab"), $("watch-tab"), $("desk-tab")];
  const choose = (chosen: HTMLElement): void => {
    for (const tab of tabs) {
      tab.setAttribute("aria-selected", `${tab === chosen}`);
      tab.tabIndex = tab === chosen ? 0 : -1;
      $(tab.getAttribute("aria-controls")!).hidden = tab !== chosen;
    }
    openDesk(chosen.id === "desk-tab");
    if (chosen.id === "watch-tab") void openWatch();
  };
  for (const tab of tabs) {
    tab.addEventListener("click", () => choose(tab));
    tab.addEventListener("keydown", ({ key }) => {
      const step = { ArrowLeft: -1, ArrowRight: 1 }[key];
      const shown = tabs.filter(({ hidden }) => !hidden);
      if (step === undefined || shown.length < 2) return;
      const other = shown[(shown.indexOf(tab) + step + shown.length) % shown.length];
      choose(other);
      other.focus();
    });
  }
}

$("score-form").addEventListener("submit", (event) => {
  event.preventDefault();
  showFailure(score());
});
$("key-form").addEventListener("submit", (event) => {
  event.preventDefault();
  session.key = $<HTMLInputElement>("key").value.trim();
  showFailure(load());
});
text.addEventListener("keydown", (event) => {
  if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) showFailure(score());
});
point.addEventListener("change", () => {
  if (!$("explanation").hidden) showFailure(score());
});
$("sample").addEventListener("click", () => showFailure(loadSample().then(draw)));
$("real").addEventListener("change", () => showFailure(loadSample().then(draw)));
$<HTMLInputElement>("file").addEventListener("change", (event) => {
  const [file] = (event.target as HTMLInputElement).files ?? [];
  showFailure(take(file));
});
text.addEventListener("input", draw);
$("watch-refresh").addEventListener("click", () => void openWatch());
$("model").addEventListener("change", () => {
  text.value = "";
  showFailure(load());
  if (!$("watch").hidden) void openWatch();
});
for (const language of ["curl", "python", "javascript"]) $(`copy-${language}`).addEventListener("click", () => showFailure(copy(language)));
const form = $("score-form");
form.addEventListener("dragover", (event) => event.preventDefault());
form.addEventListener("drop", (event) => {
  event.preventDefault();
  showFailure(take(event.dataTransfer?.files[0]));
});
openTabs();
wireDesk();
$("desk-key-button").addEventListener("click", () => {
  $("key-form").hidden = false;
  $("key").focus();
});
showFailure(load());
