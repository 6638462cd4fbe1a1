// Which streams a webhook's events may be written to. The route asks before it stores; `quickstep hooks check` asks, too.
import { LimitError } from "../../shared/errors.ts";
import { RequestError } from "../http/problem.ts";
import { MAX_KEYS } from "../webhooks/bodies.ts";
import { mayWrite, type Source } from "../webhooks/sources.ts";
import type { Endpoints } from "./endpoints.ts";
import { modelFor } from "./stream-models.ts";

/**
 * Throws RequestError where the source may not write the stream of one of `keys`, or STREAM_MODELS names another model for the stream than
 * the source, and LimitError where they are too many.
 */
export function checkStreams(keys: Iterable<string>, source: Source, endpoints: Endpoints): void {
  const distinct = new Set(keys);
  for (const key of distinct) {
    if (!mayWrite(source, endpoints.sources, key)) throw new RequestError("forbidden", "this source may not write the event's stream");
    const name = modelFor(key, endpoints);
    if (name === undefined || name === source.model) continue;
    throw new RequestError(
      "configuration",
      `STREAM_MODELS and SOURCES must name one model for a stream: ${key} has ${name}, ${source.name} ${source.model ?? "none"}`,
    );
  }
  if (distinct.size > MAX_KEYS)
    throw new LimitError([], `at most ${MAX_KEYS} keys a body, got ${distinct.size}: nothing is stored`, MAX_KEYS);
}
