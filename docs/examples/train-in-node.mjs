// Trains a model of sequences in memory and writes its artifact. Needs the package, which `npm pack` makes: docs/operations.md.
import { writeFileSync } from "node:fs";
import { trainModel } from "quickstep/train";

const sequences = Array.from({ length: 200 }, (_, n) => Array.from({ length: 5 }, (_, t) => [Math.sin(0.37 * n * n + t)]));
const labels = sequences.map((rows) => Number(rows[4][0] > rows[2][0]));
const options = { learner: "lstm", splitVersion: 1, units: 8, epochs: 20 };
const model = await trainModel({ sequences, labels, name: "waves" }, options, (event) => {
  if (event.kind === "note") console.error(event.text);
});
writeFileSync("waves.safetensors", model.artifact);
console.log(`${model.id}: log loss ${model.card.test.logLoss.toFixed(3)}. ${model.verdict.text}`);
