// A folder of parts, as Spark, Dask and pyarrow write one set → its files. Knows no format's inside.
import { readdirSync, statSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../../shared/errors.ts";
import { reason } from "../files/whole-files.ts";
import { isDataFile } from "./source.ts";

/** Each path as it is, and a folder as its data files: by name, numbers in names by their size. Throws DataError. */
export function expandFolders(paths: readonly string[]): readonly string[] {
  return paths.flatMap((path) => (statSync(path, { throwIfNoEntry: false })?.isDirectory() ? listParts(path) : path));
}

/** Whatever begins with . or _ is the writer's own, as _SUCCESS. */
function listParts(folder: string): string[] {
  let names: string[];
  try {
    names = readdirSync(folder)
      .filter((name) => !/^[._]/.test(name))
      .sort(byName);
  } catch (error) {
    throw new DataError(folder, `cannot be read: ${reason(error)}`);
  }
  const inner = names.find((name) => statSync(join(folder, name), { throwIfNoEntry: false })?.isDirectory());
  if (inner?.includes("="))
    throw new DataError(
      folder,
      `holds the folder ${inner}, whose name holds values of a column (a Hive partition): write one file, as pd.read_parquet("folder").to_parquet("data.parquet")`,
    );
  if (inner !== undefined)
    throw new DataError(folder, `holds the folder ${inner}, expected parts of one set: name the folders that hold files`);
  const parts = names.filter(isDataFile);
  if (parts.length === 0) throw new DataError(folder, "is a folder without a data file");
  const endings = [...new Set(parts.map((name) => name.replace(/^.*?(?=\.[^.]+(?:\.gz)?$)/, "")))];
  if (endings.length > 1)
    throw new DataError(
      folder,
      `holds files that end in ${endings.slice(0, 4).join(", ")}, expected parts of one set: name the files that are meant`,
    );
  return parts.map((name) => join(folder, name));
}

/** `part-2` before `part-10`. */
function byName(a: string, b: string): number {
  const [x, y] = [a, b].map((name) => name.replace(/\d+/g, (digits) => digits.padStart(20, "0")));
  return x < y ? -1 : x > y ? 1 : 0;
}
