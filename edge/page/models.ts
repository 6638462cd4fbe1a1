// Which of the deployment's models the page is about: a selector where there are several, and the paths that follow from it.
import { $ } from "./elements.ts";
import { askJson, session } from "./service.ts";

/** The name that the first look gave; what has no name in its path is about it. */
let defaultName: string | null = null;

interface Listed {
  readonly defaultModel: string | null;
  readonly models: readonly { readonly name: string; readonly fault?: string }[];
}

/** The chosen name; undefined: the default one. */
function chosenModel(): string | undefined {
  const { value } = $<HTMLSelectElement>("model");
  return value === "" || value === defaultName ? undefined : value;
}

/** The path under the chosen model's name, `drift` say; the default one's, too. */
export function pathOf(part: string): string {
  return `/v1/models/${encodeURIComponent(chosenModel() ?? defaultName ?? session.card?.name ?? "")}/${part}`;
}

/** Where sequences are scored by the chosen model. */
export const scorePath = (): string => (chosenModel() === undefined ? "/v1/score" : pathOf("score"));

/** Where the chosen model's card is. */
export const cardPath = (): string => (chosenModel() === undefined ? "/v1/model" : pathOf("card"));

/** Whether what the open document says, its example above all, is of the chosen model. */
export const isDefault = (): boolean => chosenModel() === undefined;

/** Lists the models. Nothing is to be chosen where there is one. */
export async function listModels(): Promise<void> {
  const listed = await askJson<Listed>("/v1/models").catch((): Listed => ({ defaultModel: null, models: [] }));
  defaultName = listed.defaultModel;
  const names = new Set([...(defaultName === null ? [] : [defaultName]), ...listed.models.map(({ name }) => name)]);
  const select = $<HTMLSelectElement>("model");
  const { value } = select;
  select.replaceChildren(...[...names].map((name) => new Option(name === defaultName ? `${name} (default)` : name, name)));
  if (names.has(value)) select.value = value;
  $("model-choice").hidden = names.size < 2;
}
