// A batch's features → the order in which a model, or the first of several files, takes them: by name where both sides have names,
// else by position. Knows no format. Legend: N sequences, T steps, F features.
import { DataError } from "../../shared/errors.ts";
import type { Batch, NameOptions, Target } from "./batch.ts";
import { plainName } from "./quoting.ts";
import type { PositionReason, Remark } from "./reading.ts";

/** Whether features are named f0, f1, …, as those without a name are, in any order. */
export function hasDefaultNames(features: readonly string[]): boolean {
  const names = new Set(features);
  return features.every((_, f) => names.has(`f${f}`));
}

/** The batch with its features in the target's order and by its names. Throws DataError where names differ, naming both lists. */
export function alignFeatures(batch: Batch, source: string, { target, rename, byPosition }: Omit<NameOptions, "pattern">): Batch {
  const features = batch.features && renameFeatures(batch.features.map(plainName), rename, source);
  if (target === undefined) return { ...batch, features };
  const byName = (names: readonly string[]): Batch => permute({ ...batch, features: names }, names, target.features);
  if (features !== null && !byPosition && isSameSet(features, target.features)) return byName(features);
  const reason = whyPosition(features, target.features, byPosition);
  if (reason === null) throw refuseFeatures(features ?? [], target, source);
  if (batch.shape.features !== target.features.length) return { ...batch, features }; // whoever takes the shape refuses it
  const ordered =
    features !== null && hasDefaultNames(features)
      ? permute(
          batch,
          features,
          features.map((_, f) => `f${f}`),
        )
      : batch;
  return remark({ ...ordered, features: target.features }, { code: "by-position", reason });
}

function renameFeatures(features: readonly string[], rename: NameOptions["rename"], source: string): readonly string[] {
  const renamed = features.map((name) => rename?.get(name) ?? name);
  if (new Set(renamed).size !== renamed.length)
    throw new DataError(source, `has the features ${renamed.join(", ")}${rename ? " after --rename" : ""}: one name twice`);
  return renamed;
}

/** Null where names on both sides forbid it. */
function whyPosition(features: readonly string[] | null, wanted: readonly string[], byPosition?: boolean): PositionReason | null {
  if (byPosition) return "asked";
  if (features === null || hasDefaultNames(features)) return "no-names";
  return hasDefaultNames(wanted) ? "default-names" : null;
}

/** Whether two lists hold the same names, in any order. */
export function isSameSet(a: readonly string[], b: readonly string[]): boolean {
  const names = new Set(a);
  return a.length === b.length && b.every((name) => names.has(name));
}

/** The values with their features in the order of `wanted`, a permutation of `features`. */
function permute(batch: Batch, features: readonly string[], wanted: readonly string[]): Batch {
  const from = wanted.map((name) => features.indexOf(name));
  if (from.every((f, i) => f === i)) return batch;
  const { test, validation } = batch;
  const permuted = {
    ...batch,
    features: wanted,
    values: permuteRows(batch.values, from),
    test: test && { ...test, values: permuteRows(test.values, from) },
    ...(validation && { validation: { ...validation, values: permuteRows(validation.values, from) } }),
  };
  return remark(permuted, { code: "reordered" });
}

function permuteRows(values: Float64Array, from: readonly number[]): Float64Array {
  const F = from.length;
  const out = new Float64Array(values.length);
  for (let row = 0; row < values.length; row += F) for (let f = 0; f < F; f++) out[row + f] = values[row + from[f]];
  return out;
}

function remark(batch: Batch, fact: Remark): Batch {
  const { remarks = [] } = batch;
  if (fact.code === "by-position" && remarks.some(({ code }) => code === "by-position")) return batch;
  return { ...batch, remarks: [...remarks, fact] };
}

/** What to say where the data name other features than are wanted. */
export function refuseFeatures(features: readonly string[], target: Target, source: string): DataError {
  const wanted = target.features;
  const owner = target.source === undefined ? "as the model takes them" : `as in ${target.source}`;
  const lists = `has the features ${features.join(", ")}, expected ${wanted.join(", ")} ${owner}`;
  if (features.length !== wanted.length) return new DataError(source, `${lists}: ${features.length} instead of ${wanted.length}`);
  const unknown = features.find((name) => !wanted.includes(name));
  const lacking = wanted.find((name) => !features.includes(name));
  return new DataError(
    source,
    `${lists}: rename them, as --rename "${unknown}=${lacking}", or say --by-position to take them in the order in which they stand`,
  );
}
