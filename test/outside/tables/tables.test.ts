// What numpy, pandas, polars and pyarrow write with their defaults is read to the last bit, or refused with the way forward.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { readForModel } from "../../trainer/readers/forms.ts";
import { describeOutside } from "../environment.ts";

interface Written {
  readonly name: string;
  /** Of the sentence that refuses the file. */
  readonly says?: string;
  readonly key?: string;
  readonly time?: string;
}

describeOutside("tables", async (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-tables-"));
  afterAll(() => rmSync(folder, { recursive: true }));
  const { X, files }: { X: number[][]; files: Written[] } = JSON.parse(await python.run("write.py", [folder]));

  test.each(files.filter(({ says }) => says === undefined))("$name is read to the last bit", async ({ name, key, time }) => {
    const { values } = await readForModel(join(folder, name), { key, time });
    expect(values).toEqual(X);
  });

  test.each(files.filter(({ says }) => says !== undefined))("$name is refused with the way forward", async ({ name, says }) => {
    await expect(readForModel(join(folder, name))).rejects.toThrow(says);
  });
});
