// What tools call a column that numbers rows, when they write it among the others. Knows no table.

/** As pandas, R's packages and collections, and polars name it. */
const INDEX = /^(?:Unnamed: 0(?:[._].*)?|index|level_\d+|__index_level_\d+__|row[._]?names|row_nr)$/;

/** Whether the column at `position` is an index by its name; one without a name stands in front. */
export function isIndex(name: string, position: number): boolean {
  return name === "" ? position === 0 : INDEX.test(name);
}
