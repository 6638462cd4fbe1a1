// score: a probability for every sequence of a file, in input order.
import { UsageError } from "../../shared/errors.ts";
import { encodeNpy } from "../../shared/npy.ts";
import { type Engines, fitShape, loadModel } from "../artifact-file.ts";
import { writeWhole } from "../files.ts";
import { readDataset } from "../readers/dataset.ts";
import type { Terminal } from "../terminal.ts";

export interface ScoreCommand {
  readonly artifact: string;
  readonly data: string;
  /** `.npy` (float64, (N,)) or `.csv` (a `probability` column); undefined prints the CSV. */
  readonly out?: string;
  readonly json: boolean;
}

export async function scoreFile(command: ScoreCommand, engines: Engines, terminal: Terminal): Promise<void> {
  const { out } = command;
  if (out !== undefined && !/\.(npy|csv)$/.test(out)) throw new UsageError(`--out must end in .npy or .csv, got ${out}`);
  const loaded = loadModel(command.artifact, engines);
  const data = await readDataset(command.data, { ignoreLabels: true });
  const { probabilities, outOfRange } = loaded.score(fitShape(data, loaded.model));
  const csv = (): string => `probability\n${Array.from(probabilities, String).join("\n")}\n`;
  if (out === undefined) {
    if (!command.json) terminal.print(csv().trimEnd());
  } else {
    const bytes = out.endsWith(".npy")
      ? encodeNpy(Float64Array.from(probabilities), [probabilities.length])
      : new TextEncoder().encode(csv());
    writeWhole(out, bytes);
    terminal.say(`wrote ${probabilities.length} probabilities of ${loaded.id} to ${out}`);
  }
  const strange = outOfRange.reduce((sum, flag) => sum + flag, 0);
  if (strange > 0) terminal.say(`note: ${strange} sequences lie outside what training saw`);
  if (command.json)
    terminal.print(
      JSON.stringify({
        model: loaded.id,
        examples: probabilities.length,
        outOfRange: strange,
        ...(out === undefined ? { probabilities: Array.from(probabilities) } : { out }),
      }),
    );
}
