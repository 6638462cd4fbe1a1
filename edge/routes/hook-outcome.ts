// What came true, told by a webhook: found in its body by the source's pointers, and settled as POST /v1/outcomes settles it.
import { followPointer } from "../config/json-pointer.ts";
import { RequestError } from "../http/problem.ts";
import type { ServedModel } from "../models/models.ts";
import { parseName } from "../webhooks/event.ts";
import type { OutcomePointers } from "../webhooks/outcome-pointers.ts";
import { mayWrite, type Source } from "../webhooks/sources.ts";
import type { Dependencies } from "./dependencies.ts";
import { monitorOf, parseLabel, parsePrediction } from "./monitor.ts";
import { type GivenOutcome, settleOutcomes } from "./outcome-places.ts";

/**
 * What became of each outcome that a verified body tells. Throws SequenceError at the place a pointer names; RequestError `storage` where
 * an event has not come yet, so that its sender sends again: those that counted do not count twice.
 */
export async function settleHook(
  { told, isList }: { readonly told: readonly unknown[]; readonly isList: boolean },
  source: Source,
  served: ServedModel,
  dependencies: Pick<Dependencies, "monitor" | "streams" | "report" | "endpoints">,
): Promise<object> {
  const monitor = monitorOf(dependencies);
  const given = told.map((document) => findOutcome(document, source.outcome!));
  if (given.some((one) => "stream" in one && !mayWrite(source, dependencies.endpoints.sources, one.stream)))
    throw new RequestError("forbidden", "this source may not tell outcomes of the event's stream");
  const states = await settleOutcomes(given, served, monitor, dependencies.streams, dependencies.report);
  if (states.includes("unknown")) throw new RequestError("storage", "the event of an outcome has not come yet: send the outcome again");
  const results = states.map((state) => ({ source: source.name, state }));
  return isList ? { results } : results[0];
}

function findOutcome(document: unknown, pointers: OutcomePointers): GivenOutcome {
  const at = (tokens: readonly string[]) => followPointer(document, tokens);
  const { value: said, path: saidAt } = at(pointers.label);
  const label = parseLabel(said, saidAt);
  if ("prediction" in pointers) {
    const { value, path } = at(pointers.prediction);
    return { prediction: parsePrediction(value, path), label };
  }
  const [stream, id] = [at(pointers.stream), at(pointers.id)];
  return { stream: parseName(stream.value, stream.path), source: pointers.source, id: parseName(id.value, id.path), label };
}
