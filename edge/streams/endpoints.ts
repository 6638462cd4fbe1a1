// Sources, destinations and settings of streams together, as a Worker is configured: checked at start-up, or the reason why they cannot
// be used.
import { describe } from "../../shared/errors.ts";
import { ConfigurationError } from "../config/configuration.ts";
import { type Destination, parseDestinations, refuseOwnHost } from "../deliveries/destinations.ts";
import { RequestError } from "../http/problem.ts";
import { parseSources, type Source } from "../webhooks/sources.ts";
import { DEFAULT_SETTINGS, parseSettings, type Settings } from "./settings.ts";

export interface Endpoints {
  readonly sources: ReadonlyMap<string, Source>;
  readonly destinations: ReadonlyMap<string, Destination>;
  readonly settings: Settings;
  /** Why the configuration cannot be used: then nothing comes in and nothing goes out. */
  readonly unusable?: string;
}

/** Nothing comes in but by the API, and nothing goes out. */
export const NO_ENDPOINTS: Endpoints = { sources: new Map(), destinations: new Map(), settings: DEFAULT_SETTINGS };

/** The same for a model of F features; unusable where a source names more or fewer places for a row. */
export function endpointsFor(endpoints: Endpoints, F: number): Endpoints {
  for (const { name, pointers } of endpoints.sources.values()) {
    const { content } = pointers;
    if (content.kind !== "numbers" || content.at.length === F) continue;
    const error = new ConfigurationError(
      ["SOURCES", name, "values"],
      `must name ${F} places, one a feature of the model`,
      `${content.at.length}`,
    );
    return { ...NO_ENDPOINTS, unusable: error.message };
  }
  return endpoints;
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
    return { sources, destinations, settings: parseSettings(rest, (name) => destinations.has(name)) };
  } catch (error) {
    if (!(error instanceof ConfigurationError)) throw error;
    return { ...NO_ENDPOINTS, unusable: error.message };
  }
}

/** Throws RequestError where the configuration is unusable, or one of these destinations is the very host that was asked. */
export function checkUsable({ unusable, destinations }: Endpoints, names: readonly string[], requestUrl: string): void {
  if (unusable !== undefined) throw new RequestError("configuration", unusable);
  try {
    refuseOwnHost(
      names.map((name) => destinations.get(name)!),
      requestUrl,
    );
  } catch (error) {
    throw error instanceof ConfigurationError ? new RequestError("configuration", error.message) : error;
  }
}
