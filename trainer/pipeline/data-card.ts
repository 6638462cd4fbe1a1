// What a card says of the data that a model was trained or calibrated on, and how data are read for that model: names and facts, no row.
import type { Card, Model, ReadingFacts } from "../../shared/model.ts";
import type { KnownColumns } from "../readers/batch.ts";
import type { Dataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import type { LabelMeaning } from "../readers/labels.ts";
import { fillFrom, type ReadOptions } from "../readers/options.ts";

/** The part `data` of a card. */
export function describeData({ name, sha256, float32, read }: Pick<Dataset, "name" | "sha256" | "float32" | "read">): Card["data"] {
  return { name, sha256, float32, ...(read && { read: describeRead(read), facts: read }) };
}

/** How data are read for a model: as it takes them, with the labels that it learnt and the columns that its training knew. Throws as fillFrom does. */
export function fillFromModel(options: ReadOptions, { recipe, card }: Pick<Model, "recipe" | "card">): ReadOptions {
  return { ...fillFrom(options, recipe), learnt: learntLabels(card), known: knownColumns(card) };
}

/** The labels that a model learnt, and which of them is 1; undefined where its card does not say. */
function learntLabels({ data, calibrated }: Card): LabelMeaning | undefined {
  const labels = (data.facts ?? calibrated?.data.facts)?.labels;
  return (typeof labels === "object" && labels.meaning) || undefined;
}

/** What training was told of columns beside the features. */
function knownColumns({ data }: Card): KnownColumns {
  const { labels, ids = [], remarks }: Partial<ReadingFacts> = data.facts ?? {};
  const series = remarks?.find((remark) => remark.code === "series");
  const label = typeof labels === "object" && !labels.isFile ? labels.name : undefined;
  return { ids, ...(label !== undefined && { label }), ...(series && { series: { key: series.key, time: series.time } }) };
}
