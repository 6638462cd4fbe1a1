// Which all-zero rows an imported network passes over: as the file says, else as the person who imports it says.
// Legend: L rows, F features.
import { isZeroRow, type Padding } from "../../shared/sequence.ts";
import type { ImportedNetwork, SettledNetwork } from "./contract/imported-network.ts";
import { rejectFile } from "./contract/reject-file.ts";
import { PADDING_MEANINGS } from "./contract/said.ts";

/**
 * The network with its padding settled. `said` is the person's word. Throws DataError where the file cannot say and nobody does, and
 * where the file says something else.
 */
export function settlePadding(imported: ImportedNetwork, said: Padding | undefined, source: string): SettledNetwork {
  const { padding, exportMetadata, timesteps } = imported;
  if (padding === null) {
    if (said === undefined) rejectFile(source, problemOf(imported), `say --padding: ${PADDING_MEANINGS}`);
    return {
      ...imported,
      padding: said,
      findings: [...imported.findings, `padding: ${said}, as --padding says`],
      forward: forwardOf(imported, said),
    };
  }
  if (said === undefined || said === padding) return { ...imported, padding };
  // A graph of any length, without a mask, computes a shorter sequence as it stands
  if (said === "leading" && padding === "none" && timesteps === null && !exportMetadata)
    return {
      ...imported,
      padding: said,
      findings: [...imported.findings, "padding: leading, as --padding says: shorter sequences are computed alone"],
    };
  return rejectFile(source, `says padding: ${padding}`, `--padding ${said} would be another model: leave --padding out`);
}

function problemOf({ mask }: ImportedNetwork): string {
  return mask === undefined
    ? "does not say what all-zero rows are"
    : `passes over rows of ${mask}, and does not say what all-zero rows and shorter sequences are`;
}

/** Where rows are passed over wherever they stand, the source never sees them. */
function forwardOf({ forward, front }: ImportedNetwork, padding: Padding): (rows: Float64Array) => number {
  if (padding !== "any") return forward;
  const F = front.mean.length;
  return (rows) => forward(rows.filter((_, at) => !isZeroRow(rows, at - (at % F), { features: F })));
}
