// Outcomes to where their predictions lie: by the id's own shard, or by the stream's object. Those of one object go in one call.
import { RequestError } from "../http/problem.ts";
import type { ServedModel } from "../models/models.ts";
import type { Monitor } from "../monitor/monitor.ts";
import { predictionsName, readPredictionId, shardOfId } from "../monitor/prediction-id.ts";
import type { Outcome, OutcomeState } from "../monitor/predictions-object.ts";
import type { StreamStore } from "../streams/store.ts";
import { eventPredictionId } from "../streams/window.ts";

/** An outcome as it is given: of a prediction of ours, or of a stream's event. */
export type GivenOutcome = { readonly label: 0 | 1 } & (
  | { readonly prediction: string }
  | { readonly stream: string; readonly source: string; readonly id: string }
);

interface Placed {
  /** Of the object. */
  readonly name: string;
  /** The model's id: it counts under the name in it. */
  readonly model: string;
  readonly outcome: Outcome;
}

/** What became of each, in their order. Throws RequestError `storage` where one could not be stored: sending all again is safe. */
export async function settleOutcomes(
  given: readonly GivenOutcome[],
  served: ServedModel,
  monitor: Monitor,
  streams: StreamStore | undefined,
  report: (error: Error) => void,
): Promise<readonly OutcomeState[]> {
  const placed = await Promise.all(
    given.map((one) => ("stream" in one ? placeOfEvent(one, served, streams) : placeOfPrediction(one, served))),
  );
  const groups = Map.groupBy(placed, ({ name, model }) => `${name} ${model}`);
  const states = new Map<Placed, OutcomeState>();
  try {
    await Promise.all(
      Array.from(groups.values(), async (group) => {
        const [{ name, model }] = group;
        const settled = await monitor.settle(
          name,
          model,
          group.map(({ outcome }) => outcome),
        );
        group.forEach((one, i) => {
          states.set(one, settled[i]);
        });
      }),
    );
  } catch (error) {
    if (error instanceof RequestError) throw error;
    report(error as Error);
    throw new RequestError("storage", "the outcomes could not be stored: send them again, those that counted are not counted twice");
  }
  return placed.map((one) => states.get(one)!);
}

function placeOfPrediction({ prediction, label }: Extract<GivenOutcome, { prediction: string }>, { id }: ServedModel): Placed {
  const { model, shard, at } = readPredictionId(prediction)!;
  const isUnnamed = model.startsWith("@"); // an id of before: the default model's, if that is of the same artifact
  return {
    name: predictionsName(model, shard),
    model: isUnnamed && id.endsWith(model) ? id : model,
    outcome: { id: prediction, label, at },
  };
}

async function placeOfEvent(
  { stream, source, id, label }: Extract<GivenOutcome, { stream: string }>,
  served: ServedModel,
  streams: StreamStore | undefined,
): Promise<Placed> {
  const said = await streams?.prediction(stream, source, id);
  const model = said?.model ?? served.id;
  const own = eventPredictionId(stream, source, id);
  const name = predictionsName(model, shardOfId(own));
  return said === undefined
    ? { name, model, outcome: { id: own, label, at: 0, isUnknown: true } }
    : { name, model, outcome: { id: own, label, at: said.at, probability: said.probability } };
}
