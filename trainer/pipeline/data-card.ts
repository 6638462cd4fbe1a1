// What a card says of the data that a model was trained or calibrated on, and how data are read for that model: names and facts, no row.
import type { Card, Model, ReadingFacts, ReadingRemark } from "../../shared/model.ts";
import type { KnownColumns } from "../readers/batch.ts";
import type { Dataset } from "../readers/dataset.ts";
import { describeRead } from "../readers/describe.ts";
import { parsePattern } from "../readers/header-patterns.ts";
import { learntMeaning } from "../readers/labels.ts";
import { parseMaxGap } from "../readers/max-gap.ts";
import { fillFrom, isLong, type ReadOptions } from "../readers/options.ts";
import { parseTimeFormat } from "../readers/time-format.ts";

/** The part `data` of a card. */
export function describeData({ name, sha256, float32, read }: Pick<Dataset, "name" | "sha256" | "float32" | "read">): Card["data"] {
  return { name, sha256, float32, ...(read && { read: describeRead(read), facts: read }) };
}

/**
 * How data are read for a model: as it takes them, with the labels that it learnt, its rows as training cut them, and the columns that its
 * training knew. Throws as fillFrom does.
 */
export function fillFromModel(options: ReadOptions, { recipe, card }: Pick<Model, "recipe" | "card">): ReadOptions {
  return {
    ...fillFrom(options, recipe),
    ...(isLong(options) && fillSeries(options, seriesOf(card))),
    learnt: learntMeaning(card.data.facts ?? card.calibrated?.data.facts),
    known: knownColumns(card),
  };
}

/** How rows are cut, as it is said, else as training cut them; times are written as then where they stand in the same column. */
function fillSeries(options: ReadOptions, series: ReadingRemark | undefined): Pick<ReadOptions, "horizon" | "maxGap" | "timeFormat"> {
  const { time, horizon = series?.horizon, maxGap, timeFormat } = options;
  const isSameTime = time !== undefined && time === series?.time;
  const written = isSameTime ? series?.timeFormat : undefined;
  const gap = time === undefined ? undefined : series?.maxGap;
  return {
    horizon,
    maxGap: maxGap ?? (gap === undefined ? undefined : parseMaxGap(gap)),
    timeFormat: timeFormat ?? (written === undefined ? undefined : parseTimeFormat(written)),
  };
}

/** What is said of the rows that training's windows were cut from; undefined of whole sequences. */
function seriesOf({ data }: Card): ReadingRemark | undefined {
  return data.facts?.remarks?.find((remark) => remark.code === "series");
}

/** The columns that told training how whole sequences follow each other or belong together, which whoever scores has no use for. */
function orderingColumns({ code, time, group }: ReadingRemark): string[] {
  if (code !== "sorted" && code !== "grouped") return [];
  return [time, group].filter((name) => name !== undefined);
}

/** What training was told of columns beside the features. */
function knownColumns(card: Card): KnownColumns {
  const { labels, ids = [], columns, remarks = [] }: Partial<ReadingFacts> = card.data.facts ?? {};
  const series = seriesOf(card);
  const label = typeof labels === "object" && !labels.isFile ? labels.name : undefined;
  const pattern = columns === undefined ? null : parsePattern(columns);
  return {
    ids: [...ids, ...remarks.flatMap(orderingColumns)],
    ...(label !== undefined && { label }),
    ...(series && { series: { key: series.key, time: series.time } }),
    ...(pattern && { pattern }),
  };
}
