// A StandardScaler of scikit-learn as a file: mean_ and scale_, in JSON or in an archive of NumPy. Never a pickle.
import { DataError } from "../../shared/errors.ts";
import { openNpz } from "../readers/npz.ts";
import { isZip } from "../readers/zip.ts";

export interface Scaler {
  readonly mean: Float64Array;
  readonly scale: Float64Array;
}

/** `{"mean_": […], "scale_": […]}`, or the same two arrays in an .npz; names without the underscore are taken too. Throws DataError. */
export async function readScaler(bytes: Uint8Array, source: string): Promise<Scaler> {
  const arrays = isZip(bytes) ? await fromNpz(bytes, source) : fromJson(bytes, source);
  const [mean, scale] = (["mean", "scale"] as const).map((name) => {
    const values = arrays[`${name}_`] ?? arrays[name];
    if (values === undefined) throw new DataError(source, `has no ${name}_: save both mean_ and scale_ of the StandardScaler`);
    if (!Array.isArray(values) || values.length === 0 || !values.every((value) => typeof value === "number" && Number.isFinite(value)))
      throw new DataError(source, `${name}_ is not a list of finite numbers, one for each feature`);
    return Float64Array.from(values);
  });
  if (mean.length !== scale.length) throw new DataError(source, `has ${mean.length} means and ${scale.length} scales, expected as many`);
  const bad = scale.findIndex((value) => !(value > 0));
  if (bad >= 0) throw new DataError(source, `scale_[${bad}] is ${scale[bad]}, expected a number above 0`);
  return { mean, scale };
}

async function fromNpz(bytes: Uint8Array, source: string): Promise<Record<string, unknown>> {
  const npz = await openNpz(bytes, source);
  const wanted = npz.names.filter((name) => /^(mean|scale)_?$/.test(name));
  return Object.fromEntries(await Promise.all(wanted.map(async (name) => [name, [...(await npz.read(name)).data]])));
}

function fromJson(bytes: Uint8Array, source: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    if (typeof value === "object" && value !== null) return value as Record<string, unknown>;
  } catch {}
  throw new DataError(source, 'is neither JSON like {"mean_": […], "scale_": […]} nor an .npz with these two: a pickle is never read');
}
