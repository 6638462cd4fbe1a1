// Which of the deployment's models the page is about: a selector where there are several, and the paths that follow from it.
import { $ } from "./elements.ts";
import { askJson, session } from "./service.ts";

interface Listed {
  readonly defaultModel: string | null;
  readonly models: readonly { readonly name: string; readonly fault?: string; readonly challenger?: object }[];
  /** Which parts of the monitor are bound. */
  readonly watched: { readonly drift: boolean; readonly outcomes: boolean };
}

const NOTHING: Listed = { defaultModel: null, models: [], watched: { drift: false, outcomes: false } };
let listed = NOTHING;
/** The name that the first look gave; what has no name in its path is about it. */
let defaultName: string | null = null;

/** The chosen name; undefined: the default one. */
function chosenModel(): string | undefined {
  const { value } = $<HTMLSelectElement>("model");
  return value === "" || value === defaultName ? undefined : value;
}

/** The path under the chosen model's name, `drift` say; the default one's, too. */
export function pathOf(part: string): string {
  return `/v1/models/${encodeURIComponent(chosenModel() ?? defaultName ?? session.card?.name ?? "")}/${part}`;
}

/** Why a part of the tab of drift and outcomes has nothing to show; undefined where the service is to be asked. */
export function whyUnwatched(part: "drift" | "performance" | "compare"): string | undefined {
  const [isBound, binding] = part === "drift" ? [listed.watched.drift, "DRIFT"] : [listed.watched.outcomes, "OUTCOMES"];
  if (!isBound) return `Off: this deployment does not bind ${binding}. wrangler.toml says how, docs/operations.md what it costs.`;
  const name = chosenModel() ?? defaultName;
  const hasChallenger = listed.models.some((model) => model.name === name && model.challenger !== undefined);
  if (part === "compare" && !hasChallenger) return `${name} has no challenger: quickstep publish --shadow 0.1 makes one.`;
}

/** Where sequences are scored by the chosen model. */
export const scorePath = (): string => (chosenModel() === undefined ? "/v1/score" : pathOf("score"));

/** Where the chosen model's card is. */
export const cardPath = (): string => (chosenModel() === undefined ? "/v1/model" : pathOf("card"));

/** What the chosen model takes, for a key that may score and not read. A Worker without a model says so under any name. */
export const takenPath = (): string => `/v1/models/${encodeURIComponent(chosenModel() ?? defaultName ?? "model")}`;

/** Whether what the open document says, its example above all, is of the chosen model. */
export const isDefault = (): boolean => chosenModel() === undefined;

/** Lists the models. Nothing is to be chosen where there is one. */
export async function listModels(): Promise<void> {
  listed = await askJson<Listed>("/v1/models").catch(() => NOTHING);
  defaultName = listed.defaultModel;
  const names = new Set([...(defaultName === null ? [] : [defaultName]), ...listed.models.map(({ name }) => name)]);
  const select = $<HTMLSelectElement>("model");
  const { value } = select;
  select.replaceChildren(...[...names].map((name) => new Option(name === defaultName ? `${name} (default)` : name, name)));
  if (names.has(value)) select.value = value;
  $("model-choice").hidden = names.size < 2;
}
