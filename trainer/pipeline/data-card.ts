// What a card says of the data that a model was trained or calibrated on: names and facts, no row.
import type { Card } from "../../shared/model.ts";
import type { KnownColumns } from "../readers/batch.ts";
import type { Dataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import type { LabelMeaning } from "../readers/labels.ts";

/** The part `data` of a card. */
export function describeData({ name, sha256, float32, read }: Dataset): Card["data"] {
  return { name, sha256, float32, ...(read && { read: describeRead(read), facts: read }) };
}

/** The labels that a model learnt, and which of them is 1; undefined where its card does not say. */
export function learntLabels({ data, calibrated }: Card): LabelMeaning | undefined {
  const labels = (data.facts ?? calibrated?.data.facts)?.labels;
  return (typeof labels === "object" && labels.meaning) || undefined;
}

/** What training was told of columns beside the features. */
export function knownColumns({ data }: Card): KnownColumns {
  const { labels, ids = [] } = data.facts ?? {};
  const label = typeof labels === "object" && !labels.isFile ? labels.name : undefined;
  return { ids, ...(label !== undefined && { label }) };
}
