// Model → files for tfjs: a LayersModel of each member that tfjs can hold, and recipe.js, which makes of raw rows what they take.
import { fileURLToPath } from "node:url";
import { ArtifactError } from "../../../shared/errors.ts";
import type { LinearClassifier } from "../../../shared/linear.ts";
import type { Member } from "../../../shared/members.ts";
import type { Model } from "../../../shared/model.ts";
import { readText } from "../../files/whole-files.ts";
import { encodeLayers, encodeLinear, encodeNetworks, type LayersModelFiles } from "./layers-model.ts";
import type { RecipeText } from "./recipe-module.ts";

/** recipe-module.ts, bundled by `npm run build`. */
const MODULE = fileURLToPath(new URL("./recipe-module.js", import.meta.url));

export interface TfjsExport {
  /** By path in the folder. */
  readonly files: ReadonlyMap<string, Uint8Array>;
  /** What was written, one sentence a member. */
  readonly held: readonly string[];
  /** Members that are not there, and why. */
  readonly missing: readonly string[];
}

/** A member's files, or why tfjs cannot hold it. */
type Encoded = LayersModelFiles | string;

function encodeMember(member: Member, { stack, calibration, recipe }: Model, maskValue: number): Encoded {
  const own = stack === undefined ? calibration : { slope: 1, intercept: 0 };
  switch (member.kind) {
    case "lstm":
      return encodeNetworks(member.networks, own, recipe.timesteps, maskValue);
    case "linear":
      return encodeLinear(member.classifier);
    case "trees":
      return "trees: tfjs has no layer of decision trees";
    case "onnx":
      return "onnx: the graph is a file of its own, beside the artifact";
    case "layers":
      try {
        return encodeLayers(member.networks, own, recipe.timesteps, maskValue, recipe.padding === "none");
      } catch (error) {
        if (error instanceof ArtifactError) return `layers: ${error.message}`;
        throw error;
      }
  }
}

/** Throws ArtifactError where tfjs can hold no member. */
export function encodeTfjs(model: Model): TfjsExport {
  const { members, stack, recipe } = model;
  const maskValue = Math.fround(-2 * recipe.clip);
  const encoded = members.map((member) => encodeMember(member, model, maskValue));
  const missing = [...new Set(encoded.filter((own) => typeof own === "string"))]; // two members of trees have one
  if (encoded.every((own) => typeof own === "string"))
    throw new ArtifactError(`has nothing that tfjs can hold (${missing.join("; ")}): export with --onnx FILE --preprocessing`);
  const files = new Map<string, Uint8Array>();
  const held: string[] = [];
  let linear: LinearClassifier | undefined;
  members.forEach((member, m) => {
    const own = encoded[m];
    if (typeof own === "string") return;
    const weight = stack?.weights[m];
    const folder = stack === undefined ? "" : `${member.kind}/`;
    const share = weight === undefined ? "" : `, weight ${weight.toFixed(2)} in the stack: the member's own probability, not calibrated`;
    for (const [name, bytes] of Object.entries(own)) files.set(`${folder}${name}`, bytes);
    if (member.kind === "linear") linear = member.classifier;
    held.push(`${folder}model.json takes ${member.kind === "linear" ? "columns" : "channels"}${share}`);
  });
  files.set("recipe.js", encodeRecipe(model, maskValue, linear));
  return { files, held, missing };
}

function encodeRecipe({ name, recipe, view }: Model, maskValue: number, classifier: LinearClassifier | undefined): Uint8Array {
  const columns = classifier && { columns: classifier.columns, mean: classifier.mean, scale: classifier.scale };
  const text: RecipeText = { recipe, maskValue, ...(view && columns && { linear: { view, columns } }) };
  const lists = (_: string, value: unknown): unknown => (ArrayBuffer.isView(value) ? Array.from(value as Float64Array) : value);
  const source = readText(MODULE);
  const header = `// The preprocessing of the model ${JSON.stringify(name)}: raw rows in, what its LayersModels take out. Depends on nothing.
//   const { channels, channelsShape } = prepare(sequences);
//   model.predict(tf.tensor3d(channels, channelsShape));\n`;
  return new TextEncoder().encode(`${header}${source}\nexport const prepare = openRecipe(${JSON.stringify(text, lists)});\n`);
}
