// Bytes of a pipe, whatever pieces they come in.
import { execFileSync, spawn } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, onTestFinished, test } from "vitest";
import { readDataset } from "../../../trainer/readers/dataset.ts";
import { openSource } from "../../../trainer/readers/source.ts";

test("gzip is known by its two bytes, also where a pipe hands over the first alone", async () => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-"));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const [pipe, packed] = [join(folder, "data.csv.gz"), join(folder, "packed")];
  writeFileSync(packed, gzipSync("f0,label\n1,0\n"));
  execFileSync("mkfifo", [pipe]);
  spawn("sh", ["-c", '(head -c 1 "$0"; sleep 0.3; tail -c +2 "$0") > "$1"', packed, pipe]);
  let text = "";
  for await (const chunk of openSource(pipe, undefined, null).chunks()) text += Buffer.from(chunk).toString();
  expect(text).toBe("f0,label\n1,0\n");
});

test.each([
  ["table.xlsx", /expected \.csv, .*: save the sheet as CSV, or write it with pd\.read_excel/],
  ["table.csv.zip", /: unpack it first, or pack it with gzip$/],
  ["page.html", /: write it as Parquet or CSV$/],
  ["frame.PKL", /: write it as Parquet or CSV$/],
])("%s, of another program, is refused with the way forward", async (name, way) => {
  const path = join(mkdtempSync(join(tmpdir(), "quickstep-source-")), name);
  writeFileSync(path, "x");
  await expect(readDataset([path], {})).rejects.toThrow(way);
});
