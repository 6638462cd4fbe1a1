// An artifact's metadata: what it says of the model in texts, most of them JSON. docs/architecture.md lists the fields.
// Legend: F features.
import { type Card, type Model, type OperatingPoint, POINT_METRICS } from "../model.ts";
import type { Calibration } from "../networks/lstm.ts";
import type { Channel } from "../recipe/channel.ts";
import type { Plan, Recipe } from "../recipe/recipe.ts";
import { MAX_TIMESTEPS, PADDINGS, type Padding } from "../sequence.ts";
import { checkChannel } from "./channel-text.ts";
import { asObject, fail, isFiniteNumber, isIndex, parseJson, show } from "./checks.ts";
import { describeInputs, parseInputs } from "./input-text.ts";
import { describeMember } from "./member-texts.ts";
import { encodeView } from "./view-text.ts";

/** The format that is written. Older code refuses it; format 1 is read for ever. */
export const FORMAT = "quickstep/2";
export const FORMATS: readonly string[] = ["quickstep/1", FORMAT];
const MAX_CHANNELS = 1024;

export type RecipePlan = Omit<Plan, "standardise"> & Pick<Recipe, "clip" | "lengths">;

/** What a model says in texts. */
export interface ModelTexts extends Pick<Model, "name" | "positiveRate" | "operatingPoints" | "card"> {
  readonly format: string;
  readonly plan: RecipePlan;
  readonly calibration: Calibration;
}

/** All fields but the checksum, in the order of the file. */
export function encodeMetadata(model: Model): Record<string, string> {
  const { timesteps, padding, mask, channels, clip, lengths, gaps, clock } = model.recipe;
  const features = describeInputs(model.recipe);
  return {
    format: FORMAT,
    name: model.name,
    recipe: JSON.stringify({ timesteps, features, padding: describePadding(padding, mask), channels, clip, lengths, gaps, clock }),
    ...(model.view && { view: encodeView(model.view) }),
    members: JSON.stringify(model.members.map(describeMember)),
    ...(model.stack && { stack: JSON.stringify(model.stack) }),
    calibration: JSON.stringify(model.calibration),
    positiveRate: JSON.stringify(model.positiveRate),
    operatingPoints: JSON.stringify(model.operatingPoints),
    card: JSON.stringify(model.card),
  };
}

/** Checks every field but the checksum and what says the members. Throws ArtifactError naming the first that is off. */
export function parseMetadata(metadata: Readonly<Record<string, unknown>>): ModelTexts {
  const format = parseFormat(metadata.format);
  const { name } = metadata;
  if (typeof name !== "string" || name === "") fail(`name is ${show(name)}, expected text`);
  return {
    format,
    name,
    plan: parsePlan(parseJson(metadata.recipe, "recipe"), format),
    calibration: parseCalibration(parseJson(metadata.calibration, "calibration")),
    positiveRate: parseRate(parseJson(metadata.positiveRate, "positiveRate")),
    operatingPoints: parsePoints(parseJson(metadata.operatingPoints, "operatingPoints")),
    card: asObject(parseJson(metadata.card, "card"), "card") as unknown as Card, // for people: shown, never computed with
  };
}

/** Throws ArtifactError where this code does not read the format. */
export function parseFormat(format: unknown): string {
  if (typeof format !== "string" || !format.startsWith("quickstep/"))
    fail(`format is ${show(format)}, expected ${FORMAT}: this safetensors file was not written by quickstep train`);
  if (!FORMATS.includes(format))
    fail(
      `format ${format} is not the ${FORMAT} this code reads: ${Number(format.slice(10)) > 2 ? "update and redeploy quickstep" : "retrain the model"}`,
    );
  return format;
}

function parsePlan(value: unknown, format: string): RecipePlan {
  const { timesteps, features: given, padding, channels, clip, lengths, gaps, clock } = asObject(value, "recipe");
  if (!isIndex(timesteps, MAX_TIMESTEPS + 1) || timesteps < 1)
    fail(`recipe.timesteps is ${show(timesteps)}, expected 1 to ${MAX_TIMESTEPS}`);
  if (clock !== undefined && clock !== true) fail(`recipe.clock is ${show(clock)}, expected true or nothing`);
  const { features, inputs } = parseInputs(given, clock === true && format === FORMAT, "recipe.features");
  if (inputs !== undefined && format !== FORMAT) fail(`recipe.features is ${show(given)}, expected names, as ${format} has them`);
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
    ...parsePadding(padding, format),
    channels: channels as Channel[],
    clip,
    lengths: [lengths[0], lengths[1]],
    ...(gaps !== undefined && format === FORMAT && { gaps: parseFeatures(gaps, "recipe.gaps", features.length) }),
    ...(clock === true && format === FORMAT && { clock }),
    ...(inputs && { inputs }),
  };
}

/** What stands for `padding`: a text, or an object where a number besides 0 marks padding, which code that knows no masks refuses. */
function describePadding(padding: Padding, mask: number | undefined): unknown {
  return mask === undefined ? padding : { zeros: padding, mask };
}

function parsePadding(value: unknown, format: string): Pick<Plan, "padding" | "mask"> {
  const isObject = typeof value === "object" && value !== null && format === FORMAT;
  const { zeros, mask } = isObject ? asObject(value, "recipe.padding") : { zeros: value, mask: undefined };
  const padding = PADDINGS.find((known) => known === zeros);
  if (padding === undefined || (isObject && !isFiniteNumber(mask)))
    fail(`recipe.padding is ${show(value)}, expected ${PADDINGS.join(", ")}${isObject ? " as zeros, beside a number as mask" : ""}`);
  return { padding, ...(isFiniteNumber(mask) && { mask }) };
}

/** Positions of features, ascending. */
function parseFeatures(value: unknown, what: string, F: number): readonly number[] {
  if (!Array.isArray(value) || !value.every((f, i) => isIndex(f, F) && (i === 0 || f > value[i - 1])))
    fail(`${what} is ${show(value)}, expected ascending positions of the ${F} features`);
  return value;
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
