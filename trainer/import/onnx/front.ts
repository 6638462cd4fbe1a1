// What stands in front of a graph's LSTM: what is done to features, and where states start. Found out by asking the graph through the
// interpreter, which layout.ts has shown to be linear in each feature.
// Legend: N sequences, F features, U units.
import type { Network } from "../../../shared/networks/lstm.ts";
import { createRandom } from "../../statistics/random.ts";
import { STREAMS } from "../../statistics/random-streams.ts";
import { addFront, type Front, plainFront } from "../contract/front.ts";
import { rejectFile } from "../contract/reject-file.ts";
import { evaluate } from "./interpreter.ts";
import { feed, type Layout } from "./layout.ts";
import { LSTM_INPUT, type RecurrentGraph } from "./recurrent.ts";

/** The means and scales of features in front of the LSTM, or null where there are none. Throws DataError where one is a constant. */
export function readFront({ graph, source, node, F }: RecurrentGraph, layout: Layout): Front | null {
  const arriving = (value: number): Float64Array => {
    const feeds = feed(layout, F, () => value);
    return evaluate(graph, feeds, node.inputs[LSTM_INPUT.X], source).data;
  };
  const [zero, one] = [arriving(0), arriving(1)];
  const features = Array.from({ length: F }, (_, f) => f);
  if (features.every((f) => zero[f] === 0 && one[f] === 1)) return null;
  const scale = features.map((f) => 1 / (one[f] - zero[f]));
  const constant = features.find((f) => !Number.isFinite(scale[f]));
  if (constant !== undefined)
    rejectFile(source, `makes a constant of feature ${constant} in front of its LSTM`, "leave that feature out and train again");
  return addFront(
    plainFront(F),
    features.map((f) => -zero[f] * scale[f]),
    scale,
  );
}

/**
 * The state before the first step, undefined where it is 0. Throws DataError where the graph computes states or lengths from its
 * input, or starts sequences differently.
 */
export function readInitial(recurrent: RecurrentGraph, layout: Layout): Network["initial"] {
  const { source, U } = recurrent;
  const independent = readIndependent(recurrent, layout);
  const lengths = layout.lengths === null ? independent(LSTM_INPUT.sequenceLens, "sequence_lens") : undefined;
  if (lengths?.some((length) => length !== layout.T))
    rejectFile(source, "has fixed sequence_lens below its steps", "quickstep reads every step: export the model with all of its steps");
  const [hidden, cell] = [independent(LSTM_INPUT.initialH, "initial_h"), independent(LSTM_INPUT.initialC, "initial_c")].map((state) => {
    if (state?.some((value, at) => value !== state[at % U]))
      rejectFile(source, "starts sequences from different states", "quickstep starts every sequence alike");
    return Float32Array.from({ length: U }, (_, u) => state?.[u] ?? 0);
  });
  return [hidden, cell].some((state) => state.some((value) => value !== 0)) ? { hidden, cell } : undefined;
}

/** Reads inputs of the LSTM, of which the same must come for zeros and for noise. */
function readIndependent({ graph, source, node, F }: RecurrentGraph, layout: Layout) {
  const random = createRandom(1, STREAMS.generatedData);
  const both = [feed(layout, F, () => 0), feed(layout, F, () => random.normal())];
  return (k: number, what: string): Float64Array | undefined => {
    if (!node.inputs[k]) return undefined;
    const [a, b] = both.map((feeds) => evaluate(graph, feeds, node.inputs[k], source).data);
    if (a.some((value, at) => value !== b[at]))
      rejectFile(source, `computes ${what} from its input`, "quickstep takes constants there; for a mask, import the Keras file instead");
    return a;
  };
}
