// Probabilities of raw sequences that an explanation has edited. Legend: N sequences.
import type { Engine, EngineInputs } from "../../shared/engine.ts";
import { take } from "../data/sequences.ts";

/** (N) probabilities; `baseRate` of a sequence of which the edit left nothing but padding, which no model scores. */
export function scoreEdited(engine: Pick<Engine, "probabilities">, inputs: EngineInputs, baseRate: number): Float32Array {
  const { channels, lengths, columns } = inputs;
  const N = lengths.length;
  const valid = Int32Array.from(lengths.keys()).filter((n) => lengths[n] > 0);
  if (valid.length === N) return engine.probabilities(inputs);
  const probabilities = new Float32Array(N).fill(baseRate);
  if (valid.length === 0) return probabilities;
  const scored = engine.probabilities({
    channels: take(channels, valid, channels.length / N),
    lengths: valid.map((n) => lengths[n]),
    ...(columns && { columns: take(columns, valid, columns.length / N) }),
  });
  valid.forEach((n, i) => {
    probabilities[n] = scored[i];
  });
  return probabilities;
}
