// Sources, destinations and settings of streams together, as a Worker is configured: checked at start-up, or the reason why they cannot
// be used.
import { describe, type Path } from "../../shared/errors.ts";
import { shapeOf, type TakenRecipe } from "../../shared/recipe/recipe.ts";
import { widthWithoutTime } from "../../shared/sequence.ts";
import { ConfigurationError } from "../config/configuration.ts";
import { checkPlaces, WORD_PLACES } from "../deliveries/bodies.ts";
import { type Destination, parseDestinations, refuseOwnHost } from "../deliveries/destinations.ts";
import { RequestError } from "../http/problem.ts";
import type { Pointers } from "../webhooks/extraction.ts";
import { parseSources, type Source } from "../webhooks/sources.ts";
import { DEFAULT_SETTINGS, parseSettings, type Settings } from "./settings.ts";
import { parseStreamModels, type StreamModel } from "./stream-models.ts";

export interface Endpoints {
  readonly sources: ReadonlyMap<string, Source>;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly settings: Settings;
  /** The longest pattern first. */
  readonly streamModels: readonly StreamModel[];
  /** Why the configuration cannot be used: then nothing comes in and nothing goes out. */
  readonly unusable?: string;
}

/** Nothing comes in but by the API, and nothing goes out. */
export const NO_ENDPOINTS: Endpoints = { sources: new Map(), destinations: new Map(), settings: DEFAULT_SETTINGS, streamModels: [] };

/** By recipe: a model's is looked at once. */
const fitted = new WeakMap<TakenRecipe, { readonly given: Endpoints; readonly model?: string; readonly fitting: Endpoints }>();

/**
 * The same for a model of this recipe; unusable where a source names other places than the model has. `model`: the name that sources know
 * it by; absent: the default one, whose sources name none.
 */
export function endpointsFor(endpoints: Endpoints, recipe: TakenRecipe, model?: string): Endpoints {
  const known = fitted.get(recipe);
  if (known?.given === endpoints && known.model === model) return known.fitting;
  const fitting = fitEndpoints(endpoints, recipe, model);
  fitted.set(recipe, { given: endpoints, model, fitting });
  return fitting;
}

function fitEndpoints(endpoints: Endpoints, recipe: TakenRecipe, model: string | undefined): Endpoints {
  for (const { name, pointers, model: own } of endpoints.sources.values()) {
    if (own !== model) continue;
    const error = faultOf(pointers, ["SOURCES", name], recipe);
    if (error !== undefined) return { ...NO_ENDPOINTS, unusable: error.message };
  }
  return endpoints;
}

/** Why a source's pointers, a table at `path`, do not fit the model; undefined where they do. */
function faultOf({ content, statics }: Pointers, path: Path, recipe: TakenRecipe): ConfigurationError | undefined {
  const { inputs = [] } = recipe;
  const names = inputs.filter((input) => input.static).map((input) => input.name);
  if (statics !== undefined) {
    const given = statics.map((place) => place.name);
    if (names.length === 0)
      return new ConfigurationError(
        [...path, "static"],
        "must be left out, since the model takes nothing once a sequence",
        given.join(", "),
      );
    if (given.length !== names.length || given.some((one) => !names.includes(one)))
      return new ConfigurationError(
        [...path, "static"],
        `must name ${names.join(", ")}, what the model takes once a sequence`,
        given.join(", "),
      );
  }
  if (content.kind !== "numbers") return undefined;
  const own = inputs.filter((input) => !input.static).map((input) => input.name);
  const features = widthWithoutTime(shapeOf(recipe));
  const { length } = content.at;
  if (length === (inputs.length > 0 ? own.length : features) || (length === features && statics === undefined)) return undefined;
  const rule = inputs.length > 0 ? `${own.length} places, of ${own.join(", ")}` : `${features} places, one a feature of the model`;
  return new ConfigurationError([...path, "values"], `must name ${rule}`, `${length}`);
}

/** Vars and secrets of `env`. Never throws: a Worker that does not start cannot say why. */
export function readEndpoints(env: object): Endpoints {
  const { AUTH, SOURCES, DESTINATIONS, ...rest } = env as Readonly<Record<string, unknown>>;
  const secretOf = (name: string): string | undefined => {
    const secret = Object.hasOwn(rest, name) ? rest[name] : undefined;
    return typeof secret === "string" ? secret : undefined;
  };
  try {
    const destinations = parseDestinations(DESTINATIONS, secretOf, AUTH === "open");
    const sources = parseSources(SOURCES, secretOf);
    for (const { name, destinations: names } of sources.values())
      for (const [i, destination] of names.entries())
        if (!destinations.has(destination))
          throw new ConfigurationError(["SOURCES", name, "destinations", i], "must be one of DESTINATIONS", describe(destination));
    const streamModels = parseStreamModels(rest.STREAM_MODELS);
    const settings = parseSettings(rest, (name) => destinations.has(name));
    for (const name of settings.monitorDestinations) {
      const { body } = destinations.get(name)!;
      checkPlaces(body, WORD_PLACES, ["MONITOR_DESTINATIONS"], "must name destinations whose body has", `${name}, which has `);
    }
    return { sources, destinations, settings, streamModels };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { ...NO_ENDPOINTS, unusable: error.message };
  }
}

/** Throws RequestError where the configuration is unusable, or one of these destinations is the very host that was asked. */
export function checkUsable({ unusable, destinations }: Endpoints, names: readonly string[], requestUrl: string): void {
  if (unusable !== undefined) throw new RequestError("configuration", unusable);
  if (names.length === 0) return;
  try {
    refuseOwnHost(
      names.map((name) => destinations.get(name)!),
      requestUrl,
    );
  } catch (error) {
    throw error instanceof ConfigurationError ? new RequestError("configuration", error.message) : error;
  }
}
