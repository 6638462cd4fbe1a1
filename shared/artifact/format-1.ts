// Format 1, which is read for ever: one network, its tensors without a prefix, its units in a shape.
// Legend: C channels, U units.
import { ofNetwork } from "../members.ts";
import type { Model } from "../model.ts";
import { asObject, fail, parseJson, show } from "./checks.ts";
import { layOutNetwork, unpackNetwork } from "./member-tensors.ts";
import { parseVariant } from "./member-texts.ts";
import type { ModelTexts } from "./metadata.ts";
import type { Frame } from "./safetensors.ts";
import { type CommonTensors, layOut, readTensors, unpackCommon } from "./tensors.ts";

const MAX_UNITS = 4096;

/** What `metadata` and the tensors of a file of format 1 say of its network, and what every model has. Throws ArtifactError. */
export function readFormat1(
  metadata: Readonly<Record<string, unknown>>,
  frame: Pick<Frame, "entries" | "data">,
  { plan: { timesteps, features, channels }, calibration }: ModelTexts,
): CommonTensors & Pick<Model, "members"> {
  const C = channels.length;
  const variant = metadata.network === undefined ? {} : asObject(parseJson(metadata.network, "network"), "network");
  const text = { units: measureUnits(frame.entries), ...parseVariant(variant, "network") };
  const layout = layOut({ T: timesteps, F: features.length, C }, layOutNetwork(text, "", C));
  const tensors = readTensors(frame, layout);
  return { ...unpackCommon(tensors, channels), ...ofNetwork(unpackNetwork(text, tensors, "", C), calibration) };
}

/** U: the bias has 4U entries. */
function measureUnits(entries: Frame["entries"]): number {
  const { shape } = asObject(entries["lstm.bias"], "lstm.bias");
  const U = Array.isArray(shape) && shape.length === 1 ? Number(shape[0]) / 4 : Number.NaN;
  if (!Number.isInteger(U) || U < 1 || U > MAX_UNITS)
    fail(`lstm.bias has shape ${show(shape)}, expected [4·units] with 1 to ${MAX_UNITS} units`);
  return U;
}
