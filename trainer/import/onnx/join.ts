// Tensors of several flows that a graph joins: what stands side by side in one layer.
// Legend: N sequences, R rows, W width.
import { type DraftLayer, mergeLayers } from "../contract/draft-layers.ts";
import { codeOf, extend, type Flow, placeOf, selectRow, type Traced, unlike } from "./flow.ts";

type Recurrent = Extract<DraftLayer, { kind: "recurrent" }>;

/** Poolings of the same rows, or both directions of the same rows, side by side: a flow that has the numbers of all, and the tensors in that flow. */
export function joinFlows(parts: readonly Traced[]): Traced[] {
  return joinDirections(parts) ?? joinPoolings(parts);
}

function joinPoolings(parts: readonly Traced[]): Traced[] {
  const single = parts.map(selectRow);
  const base = single[0].flow.pooled;
  if (base === undefined || single.some(({ flow }) => flow.pooled !== base)) return unlike("joins numbers of different layers");
  const by = single.flatMap(({ flow }) => {
    const last = flow.layers.at(-1);
    return last?.kind === "globalPooling" ? last.by : unlike("joins numbers of different layers");
  });
  const flow: Flow = { ...extend(base, [{ kind: "globalPooling", by }], 1), pooled: base };
  let offset = 0;
  return single.map((part) => {
    const from = offset;
    offset += part.flow.W;
    return {
      flow,
      codes: {
        dims: part.codes.dims,
        data: part.codes.data.map((code) => codeOf(flow, placeOf(part.flow, code).n, 0, from + placeOf(part.flow, code).w)),
      },
    };
  });
}

/** A recurrent layer over rows, and what it is with its neighbours: backwards, or over all steps. */
interface Direction {
  readonly cell: Recurrent["cell"];
  readonly isBackwards: boolean;
  readonly returns: Recurrent["returns"];
}

/** Two recurrent layers over the same rows, one of which reads them backwards: a bidirectional one. Undefined where the parts are something else. */
function joinDirections(parts: readonly Traced[]): Traced[] | undefined {
  if (parts.length !== 2) return undefined;
  const whole = parts.every(({ flow }) => flow.layers.at(-1)?.kind === "recurrent") ? parts : parts.map(selectRow);
  const [a, b] = whole.map(({ flow }) => flow.layers);
  let shared = 0;
  while (shared < a.length && a[shared] === b[shared]) shared++;
  const directions = [a, b].map((layers) => directionOf(layers.slice(shared)));
  const [forward, backward] = [false, true].map((isBackwards) => directions.find((one) => one?.isBackwards === isBackwards));
  if (forward === undefined || backward === undefined || forward.returns !== backward.returns || forward.returns === "cell")
    return undefined;
  const { returns } = forward;
  const base: Flow = { ...whole[0].flow, layers: a.slice(0, shared) };
  const layer = { kind: "bidirectional", forward: forward.cell, backward: backward.cell, merge: "concat", returns } as const;
  const R = returns === "sequence" ? base.R : 1;
  const flow: Flow = { layers: [...base.layers, layer], R, W: forward.cell.units + backward.cell.units };
  return whole.map((part, k) => {
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
