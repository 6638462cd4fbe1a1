// Two recurrent layers over the same rows, one of which reads them backwards, as a bidirectional one.
// Legend: R rows.
import { type DraftLayer, mergeLayers } from "../contract/draft-layers.ts";
import { codeOf, countShared, type Flow, placeOf, type Traced } from "./flow.ts";

type Recurrent = Extract<DraftLayer, { kind: "recurrent" }>;

/** A recurrent layer over rows, and what it is with its neighbours: backwards, or over all steps. */
interface Direction {
  readonly cell: Recurrent["cell"];
  readonly isBackwards: boolean;
  readonly returns: Recurrent["returns"];
}

/** Both directions side by side: the bidirectional layer's flow, and the parts in that flow. Undefined where the parts are something else. */
export function joinDirections(parts: readonly Traced[]): Traced[] | undefined {
  if (parts.length !== 2) return undefined;
  const [a, b] = parts.map(({ flow }) => flow.layers);
  const shared = countShared(parts.map(({ flow }) => flow));
  const directions = [a, b].map((layers) => directionOf(layers.slice(shared)));
  const [forward, backward] = [false, true].map((isBackwards) => directions.find((one) => one?.isBackwards === isBackwards));
  if (forward === undefined || backward === undefined || forward.returns !== backward.returns || forward.returns === "cell")
    return undefined;
  const { returns } = forward;
  const layer = { kind: "bidirectional", forward: forward.cell, backward: backward.cell, merge: "concat", returns } as const;
  const R = returns === "sequence" ? parts[0].flow.R : 1;
  const flow: Flow = { layers: [...a.slice(0, shared), layer], R, W: forward.cell.units + backward.cell.units };
  return parts.map((part, k) => {
    const isBackwards = directions[k]!.isBackwards;
    const data = part.codes.data.map((code) => {
      const { n, r, w } = placeOf(part.flow, code);
      return codeOf(flow, n, isBackwards ? R - 1 - r : r, (isBackwards ? forward.cell.units : 0) + w);
    });
    return { flow, codes: { dims: part.codes.dims, data } };
  });
}

/** Layers that are one recurrent layer: over steps as they are or turned around, whose rows then stay turned around. */
function directionOf(layers: readonly DraftLayer[]): Direction | undefined {
  const isTurned = layers[0]?.kind === "reverse";
  const last = layers.at(-1);
  if (last?.kind === "recurrent" && last.returns === "sequence")
    return layers.length === (isTurned ? 2 : 1) && !last.backwards
      ? { cell: last.cell, isBackwards: isTurned, returns: "sequence" }
      : undefined;
  const [only, ...more] = mergeLayers(layers);
  if (only?.kind !== "recurrent" || more.length > 0) return undefined;
  return { cell: only.cell, isBackwards: only.backwards === true, returns: only.returns };
}
