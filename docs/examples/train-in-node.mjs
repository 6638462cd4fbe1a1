// Trains a model of sequences in memory and writes its artifact. Needs the package, which `npm pack` makes: docs/operations.md.
import { writeFileSync } from "node:fs";
import { trainModel } from "quickstep/train";

// waves of three speeds, each begun somewhere: 1 is the fastest
const wave = (n) => Array.from({ length: 5 }, (_, t) => [Math.sin(0.37 * n * n + t * (1 + (n % 3)))]);
const sequences = Array.from({ length: 300 }, (_, n) => wave(n));
const labels = sequences.map((_, n) => Number(n % 3 === 2));
const options = { learner: "lstm", splitVersion: 1, units: 8, epochs: 30 };
const model = await trainModel({ sequences, labels, name: "waves" }, options, (event) => {
  if (event.kind === "note") console.error(event.text);
});
writeFileSync("waves.safetensors", model.artifact);
console.log(`${model.id}: log loss ${model.card.test.logLoss.toFixed(3)}. ${model.verdict.text}`);
