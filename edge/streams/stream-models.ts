// Which model scores a stream's events: STREAM_MODELS says it by the stream's key, a source says it of what it sends.
import { describe } from "../../shared/errors.ts";
import { ConfigurationError, parseJsonTable, parseTable } from "../config/configuration.ts";
import { isWithin, parsePattern, type StreamPattern } from "../config/stream-patterns.ts";
import { parseModelName, type Source } from "../webhooks/sources.ts";

/** Streams whose events that come with a key are scored by the registry's model of that name. */
export interface StreamModel {
  readonly streams: StreamPattern;
  readonly model: string;
}

/** The var STREAM_MODELS: `{ "north-*" = { model = "north" } }`. The longest pattern first, which counts. Throws ConfigurationError. */
export function parseStreamModels(value: unknown): readonly StreamModel[] {
  const path = ["STREAM_MODELS"];
  const models = Object.entries(parseJsonTable(value, path)).map(([text, table]): StreamModel => {
    const streams = parsePattern(text);
    if (streams === undefined)
      throw new ConfigurationError(path, "must have names of streams, or how they begin and a star", describe(text));
    const at = [...path, text];
    return { streams, model: parseModelName(parseTable(table, at, ["model"]).model, [...at, "model"]) };
  });
  const rank = ({ streams: { text, isPrefix } }: StreamModel): number => 2 * text.length + (isPrefix ? 0 : 1);
  return models.sort((a, b) => rank(b) - rank(a));
}

/**
 * The name of the model that scores events of `key` which come with an API key: as STREAM_MODELS says, else as the source whose own the
 * stream is; undefined: the default one.
 */
export function modelFor(
  key: string,
  { streamModels, sources }: { readonly streamModels: readonly StreamModel[]; readonly sources: ReadonlyMap<string, Source> },
): string | undefined {
  const named = streamModels.find(({ streams }) => isWithin(key, [streams]));
  if (named !== undefined) return named.model;
  return [...sources.values()].find(({ streams, model }) => model !== undefined && streams !== undefined && isWithin(key, streams))?.model;
}
