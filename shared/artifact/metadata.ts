// An artifact's metadata: what it says of the model in texts, most of them JSON. docs/architecture.md lists the fields.
// Legend: F features.
import { soleNetwork } from "../members.ts";
import { type Card, type Model, type OperatingPoint, POINT_METRICS } from "../model.ts";
import type { Calibration, Network } from "../networks/lstm.ts";
import { type Channel, VIEWS } from "../recipe/channel.ts";
import type { Plan, Recipe } from "../recipe/recipe.ts";
import { MAX_FEATURES, MAX_TIMESTEPS, PADDINGS } from "../sequence.ts";
import { asObject, fail, isFiniteNumber, isIndex, parseJson, show } from "./checks.ts";

/** Of the artifact's format. Older code refuses a newer one. */
export const FORMAT = "quickstep/1";
const MAX_CHANNELS = 1024;

type RecipePlan = Omit<Plan, "standardise"> & Pick<Recipe, "clip" | "lengths">;

/** How an imported network may differ from a trained one, whose artifact says nothing of it. */
export interface Variant {
  readonly hardGates?: number;
  readonly backwards?: true;
  /** The state before the first step is in tensors. */
  readonly initial?: true;
}

/** What a model says in texts. */
export interface ModelTexts extends Pick<Model, "name" | "positiveRate" | "operatingPoints" | "card"> {
  readonly plan: RecipePlan;
  readonly variant: Variant;
  readonly calibration: Calibration;
}

/** All fields but the checksum, in the order of the file. */
export function encodeMetadata(model: Model): Record<string, string> {
  const { timesteps, features, padding, channels, clip, lengths } = model.recipe;
  const variant = variantOf(soleNetwork(model)!);
  const isVariant = Object.values(variant).some((value) => value !== undefined);
  return {
    format: FORMAT,
    name: model.name,
    recipe: JSON.stringify({ timesteps, features, padding, channels, clip, lengths }),
    ...(isVariant && { network: JSON.stringify(variant) }),
    calibration: JSON.stringify(model.calibration),
    positiveRate: JSON.stringify(model.positiveRate),
    operatingPoints: JSON.stringify(model.operatingPoints),
    card: JSON.stringify(model.card),
  };
}

function variantOf({ hardGates, backwards, initial }: Network): Variant {
  return { hardGates, backwards, initial: initial && true };
}

/** Checks every field but the checksum. Throws ArtifactError naming the first that is off. */
export function parseMetadata(metadata: Readonly<Record<string, unknown>>): ModelTexts {
  checkFormat(metadata.format);
  const { name } = metadata;
  if (typeof name !== "string" || name === "") fail(`name is ${show(name)}, expected text`);
  return {
    name,
    plan: parsePlan(parseJson(metadata.recipe, "recipe")),
    variant: parseVariant(metadata.network === undefined ? {} : parseJson(metadata.network, "network")),
    calibration: parseCalibration(parseJson(metadata.calibration, "calibration")),
    positiveRate: parseRate(parseJson(metadata.positiveRate, "positiveRate")),
    operatingPoints: parsePoints(parseJson(metadata.operatingPoints, "operatingPoints")),
    card: asObject(parseJson(metadata.card, "card"), "card") as unknown as Card, // for people: shown, never computed with
  };
}

function checkFormat(format: unknown): void {
  if (typeof format !== "string" || !format.startsWith("quickstep/"))
    fail(`format is ${show(format)}, expected ${FORMAT}: this safetensors file was not written by quickstep train`);
  if (format !== FORMAT)
    fail(
      `format ${format} is not the ${FORMAT} this code reads: ${Number(format.slice(10)) > 1 ? "update and redeploy quickstep" : "retrain the model"}`,
    );
}

function parsePlan(value: unknown): RecipePlan {
  const { timesteps, features, padding, channels, clip, lengths } = asObject(value, "recipe");
  if (!isIndex(timesteps, MAX_TIMESTEPS + 1) || timesteps < 1)
    fail(`recipe.timesteps is ${show(timesteps)}, expected 1 to ${MAX_TIMESTEPS}`);
  if (!isTexts(features) || features.length < 1 || features.length > MAX_FEATURES)
    fail(`recipe.features is ${show(features)}, expected 1 to ${MAX_FEATURES} names`);
  if (!PADDINGS.some((known) => known === padding)) fail(`recipe.padding is ${show(padding)}, expected ${PADDINGS.join(", ")}`);
  if (!Array.isArray(channels) || channels.length < 1 || channels.length > MAX_CHANNELS)
    fail(`recipe.channels is ${show(channels)}, expected 1 to ${MAX_CHANNELS} channels`);
  for (const [c, channel] of channels.entries()) checkChannel(channel, `recipe.channels[${c}]`, features.length);
  if (!isFiniteNumber(clip) || clip <= 0) fail(`recipe.clip is ${show(clip)}, expected a number above 0`);
  if (
    !Array.isArray(lengths) ||
    lengths.length !== 2 ||
    !lengths.every((n) => isIndex(n, timesteps + 1)) ||
    lengths[0] < 1 ||
    lengths[0] > lengths[1]
  )
    fail(`recipe.lengths is ${show(lengths)}, expected the shortest and longest length, 1 to ${timesteps}`);
  return {
    timesteps,
    features,
    padding: padding as Plan["padding"],
    channels: channels as Channel[],
    clip,
    lengths: [lengths[0], lengths[1]],
  };
}

function isTexts(value: unknown): value is string[] {
  return Array.isArray(value) && value.every((entry) => typeof entry === "string");
}

function checkChannel(channel: unknown, what: string, F: number): void {
  const { base, view, a, b } = asObject(channel, what);
  const isPair = base === "difference" || base === "logRatio";
  if (base !== "feature" && !isPair) fail(`${what}.base is ${show(base)}, expected feature, difference or logRatio`);
  if (!VIEWS.some((known) => known === view)) fail(`${what}.view is ${show(view)}, expected ${VIEWS.join(", ")}`);
  if (!isIndex(a, F) || (isPair && (!isIndex(b, F) || a === b))) fail(`${what} looks at features ${show(a)} and ${show(b)} of ${F}`);
}

function parseVariant(value: unknown): Variant {
  const variant = asObject(value, "network");
  for (const [key, entry] of Object.entries(variant)) {
    const isGood = key === "hardGates" ? isFiniteNumber(entry) && entry > 0 : (key === "backwards" || key === "initial") && entry === true;
    if (!isGood) fail(`network.${key} is ${show(entry)}, which this code does not know: update and redeploy quickstep`);
  }
  return variant;
}

function parseCalibration(value: unknown): Calibration {
  const { slope, intercept } = asObject(value, "calibration");
  if (!isFiniteNumber(slope) || slope <= 0 || !isFiniteNumber(intercept))
    fail(`calibration is ${show(value)}, expected a slope above 0 and an intercept`);
  return { slope, intercept };
}

function parseRate(rate: unknown): number {
  if (!isFiniteNumber(rate) || rate <= 0 || rate >= 1) fail(`positiveRate is ${show(rate)}, expected a number above 0 and below 1`);
  return rate;
}

function parsePoints(value: unknown): OperatingPoint[] {
  if (!Array.isArray(value) || value.length === 0) fail(`operatingPoints is ${show(value)}, expected at least one`);
  return value.map((point: unknown, i) => {
    const { name, threshold, figures } = asObject(point, `operatingPoints[${i}]`);
    if (typeof name !== "string" || name === "") fail(`operatingPoints[${i}].name is ${show(name)}, expected text`);
    if (!isFiniteNumber(threshold) || threshold < 0 || threshold > 1)
      fail(`operatingPoints[${i}].threshold is ${show(threshold)}, expected 0 to 1`);
    const first = value.findIndex((other) => other.name === name);
    if (first < i)
      fail(`operatingPoints[${i}].name is ${show(name)}, which operatingPoints[${first}] has already: a name must say one thing`);
    return { name, threshold, ...(figures !== undefined && { figures: parseFigures(figures, `operatingPoints[${i}].figures`) }) };
  });
}

function parseFigures(value: unknown, what: string): OperatingPoint["figures"] {
  const figures = Object.entries(asObject(value, what));
  for (const [name, figure] of figures) {
    if (!POINT_METRICS.some((known) => known === name)) fail(`${what} holds ${show(name)}, expected ${POINT_METRICS.join(", ")}`);
    const { value, low, high } = asObject(figure, `${what}.${name}`);
    if (![value, low, high].every(isFiniteNumber)) fail(`${what}.${name} is ${show(figure)}, expected the numbers value, low and high`);
  }
  return Object.fromEntries(figures) as OperatingPoint["figures"];
}
