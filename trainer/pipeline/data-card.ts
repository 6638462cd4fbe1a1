// What a card says of the data that a model was trained or calibrated on, and how data are read for that model: names and facts, no row.
import type { Card, Model, ReadingFacts } from "../../shared/model.ts";
import type { KnownColumns } from "../readers/batch.ts";
import type { Dataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { learntMeaning } from "../readers/labels.ts";
import { fillFrom, isLong, type ReadOptions } from "../readers/options.ts";

/** The part `data` of a card. */
export function describeData({ name, sha256, float32, read }: Pick<Dataset, "name" | "sha256" | "float32" | "read">): Card["data"] {
  return { name, sha256, float32, ...(read && { read: describeRead(read), facts: read }) };
}

/**
 * How data are read for a model: as it takes them, with the labels that it learnt, as many rows later, and the columns that its training knew.
 * Throws as fillFrom does.
 */
export function fillFromModel(options: ReadOptions, { recipe, card }: Pick<Model, "recipe" | "card">): ReadOptions {
  const horizon = options.horizon ?? (isLong(options) ? seriesOf(card)?.horizon : undefined);
  return {
    ...fillFrom(options, recipe),
    horizon,
    learnt: learntMeaning(card.data.facts ?? card.calibrated?.data.facts),
    known: knownColumns(card),
  };
}

/** What is said of the rows that training's windows were cut from; undefined of whole sequences. */
function seriesOf({ data }: Card): { readonly key?: string; readonly time?: string; readonly horizon?: number } | undefined {
  return data.facts?.remarks?.find((remark) => remark.code === "series");
}

/** What training was told of columns beside the features. */
function knownColumns(card: Card): KnownColumns {
  const { labels, ids = [] }: Partial<ReadingFacts> = card.data.facts ?? {};
  const series = seriesOf(card);
  const label = typeof labels === "object" && !labels.isFile ? labels.name : undefined;
  return { ids, ...(label !== undefined && { label }), ...(series && { series: { key: series.key, time: series.time } }) };
}
