// What the report says of the model: how it learnt, what it sees, what it leans on, where it comes from.
import { count, formatNumber, short } from "../html/format.ts";
import { frame } from "../html/frame.ts";
import { html, type Markup } from "../html/html.ts";
import type { ReportContent } from "./content.ts";
import { drawExample, MAX_CHANNELS, MAX_RAW } from "./example-figures.ts";
import { dependenceRange, drawDependence, drawImportance, drawStepImportance } from "./importance-figures.ts";
import { drawLearning, levelLines } from "./learning-figures.ts";

/** The learning curves, and which epoch was kept. */
export async function learningSection(content: ReportContent): Promise<Markup> {
  const { learning, card } = content;
  const { history, bestEpoch, lowestEpoch } = learning;
  const rates = history.map(({ learningRate }) => learningRate);
  const best = history[bestEpoch - 1];
  const lowest = history[lowestEpoch - 1];
  const words =
    history.length === 0
      ? html`<p>No epoch was trained.</p>`
      : html`
        <p>${
          best
            ? `The weights of epoch ${bestEpoch} of ${history.length} are kept. ${
                bestEpoch === lowestEpoch
                  ? `Their validation loss, ${formatNumber(best.validationLoss)} before calibration, is the lowest.`
                  : `Their validation loss, ${formatNumber(best.validationLoss)} before calibration, is the latest not above the lowest (${formatNumber(lowest?.validationLoss)}, epoch ${lowestEpoch}) beyond noise.`
              }`
            : `No epoch of ${history.length} was better than the initial weights, which answer the base rate.`
        } Optimizer ${card.training.optimizer}, batches of ${count(card.training.batch)}, learning rate ${short(rates[0])}${rates[rates.length - 1] === rates[0] ? "" : ` falling to ${short(rates[rates.length - 1])}`}.</p>
        <p class="note">The level lines are log losses: ${levelLines(learning)
          .map(({ name, logLoss }) => `${name} (${formatNumber(logLoss)})`)
          .join(
            ", ",
          )}. A line is of the validation part if its name does not say otherwise. A curve that stays at the base rate shows that nothing was learnt. A training curve that falls while the validation curve rises shows memorising.</p>`;
  return html`
    <section aria-labelledby="learning">
      <h2 id="learning">Learning curves</h2>
      <div class="pair">
        ${history.length === 0 ? null : frame(await drawLearning(content), html`<b>Log loss by epoch.</b> The dot marks the epoch whose weights are kept. The training loss is a mean over each epoch, while the weights still change.`)}
        <div>${words}</div>
      </div>
    </section>`;
}

/** The channels, and three test sequences before and after the recipe. */
export async function recipeSection({ channels, examples, training, standardised, card }: ReportContent): Promise<Markup> {
  const features = training.features.map(({ name }) => name);
  const plots = await Promise.all(
    examples.map(
      async (example) =>
        html`<figure><p class="title">${example.title} <span>probability ${formatNumber(example.probability, 3)}, label ${example.label}</span></p>${await drawExample(example, features, channels, isWithoutNetwork(card) ? "the recipe gives them" : "the network sees them")}</figure>`,
    ),
  );
  return html`
    <section aria-labelledby="recipe">
      <h2 id="recipe">From raw features to channels</h2>
      <p class="lead">${count(features.length)} raw ${features.length === 1 ? "feature gives" : "features give"} ${count(channels.length)} ${channels.length === 1 ? "channel" : "channels"}: ${channels.join(", ")}.${isWithoutNetwork(card) ? " No network speaks in this model; its learners see channels beside the raw features." : ""} Below are three ${testSequences(card)}. Each raw feature is drawn on its own scale, each channel ${standardised ? "in standard deviations of the training part" : "as it comes, on no common scale"}.</p>
      <div class="scale" aria-hidden="true">far below ${standardised ? "the mean" : "0"} ${Array.from({ length: 9 }, (_, i) => html`<i style="background:var(--heat-${i})"></i>`)} far above</div>
      <div class="three">${plots}</div>
      <p class="note">Colours change at ±0.25, ±0.75, ±1.5 and ±2.5${standardised ? " standard deviations" : ""}; a blank cell is padding or a first difference, which does not exist. At the right stand the lowest value and the highest. Where the two share most of their digits, the distance from the lowest to the highest stands instead, as +0.0012.${
        features.length > MAX_RAW || channels.length > MAX_CHANNELS
          ? ` The first ${MAX_RAW} features and ${MAX_CHANNELS} channels are drawn.`
          : ""
      }</p>
    </section>`;
}

/** Whether the network that channels were searched for was left out. */
function isWithoutNetwork({ stack }: ReportContent["card"]): boolean {
  return stack?.gate !== undefined && !stack.gate.joins;
}

/** What the sequences are that the model is judged by. */
function testSequences({ assessment }: ReportContent["card"]): string {
  return assessment === "nested-cross-validation" ? "sequences" : "test sequences";
}

/** Permutation importance by feature, by channel and by row, and partial dependence. */
export async function importanceSection(content: ReportContent): Promise<Markup> {
  const { influence, card } = content;
  const { sequences, repeats, features, channels, steps, dependence } = influence;
  const range = dependenceRange(dependence);
  const ofWhat = testSequences(card);
  return html`
    <section aria-labelledby="importance">
      <h2 id="importance">What matters to the model</h2>
      <p class="lead">Rise of the log loss when the values of one feature, of one channel, or of one row are permuted among ${ofWhat} of the same length: ${count(sequences)} sequences, mean of ${repeats} ${repeats === 1 ? "permutation" : "permutations"}, with 95 % intervals over sequences.</p>
      <div class="pair">
        <div>
          ${frame(await drawImportance(features, "feature"), html`<b>By feature</b>, in all rows and all that is computed of the feature.`)}
          ${frame(await drawStepImportance(steps), html`<b>By row</b>, all features at once.`)}
        </div>
        ${frame(await drawImportance(channels, "channel"), html`<b>By channel</b>, all rows at once, with its means, changes and quantiles.${influence.channels.length > content.channels.length ? " Learners on columns see raw features as well, which are listed beside the channels of the recipe." : ""} Channels with the same information hide each other: a low rise means that the channel is not needed while the others are there.`)}
      </div>
      ${
        dependence.length === 0
          ? null
          : html`<h3>How the probability goes with the channels that matter most</h3>
      <p class="lead">Each sequence’s channel is moved by the same amount in all rows, so that the last row has the value below. The curve is the mean probability then. A level moves with all that is computed of its feature.</p>
      <div class="three">${await Promise.all(dependence.map(async (curve) => frame(await drawDependence(curve, range), html`<b>${curve.name}</b>`)))}</div>
      <p class="note">The dots are at quantiles, from 5 % to 95 % of the sequences.</p>`
      }
    </section>`;
}

function describeMembers({ learners, folds }: NonNullable<ReportContent["card"]["stack"]>): string {
  const speaking = learners.filter(({ weight }) => weight > 0).map(({ name }) => name);
  return `${speaking.join(", ")}; ${folds === 1 ? "one held-out part" : `the average of ${folds} folds each`}`;
}

/** What the learner `layers` is. */
function layersFact({ layers = "", optimizer, batch, bestEpoch, epochs }: ReportContent["card"]["training"]): [string, string] {
  return ["Network", `${layers}; ${optimizer}, batch ${count(batch)}, ${count(bestEpoch)} of ${count(epochs)} epochs`];
}

/** Warnings, and everything that fixes the bits of the model. */
export function originSection({ card, id, network, channels, training }: ReportContent): Markup {
  const facts: [name: string, value: string | Markup][] = [
    ["Model", html`<code>${id}</code>`],
    [
      card.stack ? "Members" : "Network",
      card.stack
        ? describeMembers(card.stack)
        : `${network.name}, on ${count(channels.length)} channels, ${count(network.parameters)} parameters; at most ${count(training.timesteps)} rows`,
    ],
    ...(card.stack && card.training.layers ? [layersFact(card.training)] : []),
    ["Data", html`${card.data.name}, ${card.data.float32 ? "float32" : "float64"}, SHA-256 <code>${card.data.sha256}</code>`],
    ["Recipe", card.training.recipe],
    ["Seed", String(card.training.seed)],
    ["Versions", `quickstep ${card.versions.quickstep}, Node ${card.versions.node}, ${card.versions.path}`],
  ];
  return html`
    <section aria-labelledby="origin">
      <h2 id="origin">How the model was made</h2>
      ${card.warnings.length > 0 ? html`<h3>Warnings</h3><ul class="warnings">${card.warnings.map((warning) => html`<li>${warning}</li>`)}</ul><h3>Facts</h3>` : null}
      <dl class="facts">${facts.map(([name, value]) => html`<dt>${name}</dt><dd>${value}</dd>`)}</dl>
    </section>
    <footer>All numbers come from the finished artifact and the kernel that serves the artifact. This page shows rows of the data; the artifact holds none.</footer>`;
}
