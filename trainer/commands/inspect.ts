// inspect: what is in an artifact, for people; with --json, for programs.
import { FORMAT } from "../../shared/artifact/artifact.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { type Engines, loadModel } from "../artifact/artifact-file.ts";
import { formatMetrics, formatOperatingPoints, formatPercent, type Terminal } from "../cli/terminal.ts";

export interface InspectCommand {
  readonly artifact: string;
  readonly json: boolean;
}

export function inspect(command: InspectCommand, engines: Engines, terminal: Terminal): void {
  const { model, id, bytes } = loadModel(command.artifact, engines);
  const { recipe, network, calibration, operatingPoints, card } = model;
  const channels = recipe.channels.map((channel) => describeChannel(channel, recipe.features));
  if (command.json) {
    const { timesteps, features, padding, clip, lengths } = recipe;
    terminal.print(
      JSON.stringify({
        id,
        format: FORMAT,
        bytes: bytes.length,
        timesteps,
        features,
        units: network.units,
        recipe: { padding, channels, clip, lengths },
        calibration,
        operatingPoints,
        card,
      }),
    );
    return;
  }
  const { split, training, versions } = card;
  const lines = [
    `${id}  ${FORMAT}  ${bytes.length} bytes`,
    `takes      up to ${recipe.timesteps} rows of ${recipe.features.length} features: ${recipe.features.join(", ")}; padding: ${recipe.padding}`,
    `channels   ${channels.join(", ")}`,
    `network    LSTM(${network.units}) → Dense(1) → sigmoid; calibration slope ${calibration.slope.toFixed(4)}, intercept ${calibration.intercept.toFixed(4)}`,
    ...(card.imported
      ? [
          `imported   from ${card.imported.file} (sha256 ${card.imported.sha256.slice(0, 12)}…), ${card.imported.format}; parity ${card.imported.parity.toExponential(1)}`,
          ...card.imported.found.map((line) => `           ${line}`),
        ]
      : []),
    ...(card.calibrated
      ? [
          `calibrated on ${card.calibrated.data.name} (sha256 ${card.calibrated.data.sha256.slice(0, 12)}…), ${Object.entries(
            card.calibrated.examples,
          )
            .map(([part, n]) => `${n} ${part}`)
            .join(", ")}, split by ${card.calibrated.by}`,
        ]
      : []),
    ...(card.imported
      ? []
      : [
          `trained    on ${card.data.name} (sha256 ${card.data.sha256.slice(0, 12)}…), ${Object.entries(split.examples)
            .map(([part, n]) => `${n} ${part}`)
            .join(", ")}, split by ${split.by}`,
          `           ${training.optimizer}, batch ${training.batch}, best of ${training.epochs} epochs: ${training.bestEpoch}, seed ${training.seed}; quickstep ${versions.quickstep}, node ${versions.node}, ${versions.path}`,
        ]),
    "golden     32 vectors score bit for bit here",
    ...(card.test === null
      ? ["figures    none yet: quickstep calibrate gives them, from labelled sequences"]
      : [
          formatMetrics({ model: card.test, ...card.baselines }),
          `${card.test.examples} test sequences, ${formatPercent(card.test.positiveRate)} positive`,
        ]),
    formatOperatingPoints(operatingPoints),
    ...card.warnings.map((warning) => `note: ${warning}`),
  ];
  terminal.print(lines.join("\n"));
}
