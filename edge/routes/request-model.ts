// The model of one request: chosen by its path's name and its headers, and named in its answer.
import { ArtifactError } from "../../shared/errors.ts";
import { RequestError } from "../http/problem.ts";
import { addHeader, type EdgeContext, nameModel, waitUntil } from "../http/request-context.ts";
import type { ModelRequest, Models, ServedModel } from "../models/models.ts";
import { type Accepted, OtherModel } from "../streams/store.ts";

/** The header by which a request says which artifact alone may answer; answers name theirs in it. */
const MODEL_HEADER = "x-quickstep-model";

/** Requests of one such key are answered by one model, where a challenger answers a part; without it each draws anew. What is read is the current one's. */
const KEY_HEADER = "x-quickstep-key";

/** On answers of a model that may not be the one that the registry means: GET /health/ready says why. */
const REGISTRY_HEADER = "x-quickstep-registry";

/** The model that answers the request: of `name`, or the default one; `isLatest`: looked for again. Throws as Models.choose. */
export type RequestModel = (c: EdgeContext, name?: string, isLatest?: boolean) => ServedModel | Promise<ServedModel>;

/** Chooses among `models`. No promise is made where the model is loaded already. */
export function requestModel(models: Models): RequestModel {
  return (c, name, isLatest) => {
    const pin = pinOf(c);
    const key = c.req.method === "POST" ? (c.req.raw.headers.get(KEY_HEADER) ?? c.get("record").id) : undefined;
    const request: ModelRequest = { name, pin, key, isLatest, waitUntil: (promise) => waitUntil(c, promise) };
    const chosen = models.choose(request);
    const named = (model: ServedModel): ServedModel => {
      nameModel(c, model.sha256);
      if (models.faultOf(name) !== undefined) addHeader(c, REGISTRY_HEADER, "unread");
      return model;
    };
    return chosen instanceof Promise ? chosen.then(named) : named(chosen);
  };
}

/** SHA-256 of the only artifact that may answer; undefined: any. */
export function pinOf(c: EdgeContext): string | undefined {
  return c.req.raw.headers.get(MODEL_HEADER)?.toLowerCase();
}

/** The model that the configuration names for events. Throws as Models.choose, but ArtifactError where there is none of the name. */
export async function configuredModel(modelOf: RequestModel, c: EdgeContext, name: string | undefined, isLatest = false) {
  try {
    return await modelOf(c, name, isLatest);
  } catch (error) {
    if (name === undefined || !(error instanceof RequestError && error.kind === "notFound")) throw error;
    throw new ArtifactError(`there is no model ${name}, which the configuration names for these events: publish it, then send them again`);
  }
}

/** `take` with the model `served`; and once more with the `latest` one where the stream's object has that already. Else throws as `take`. */
export async function takeWith<T>(
  served: ServedModel,
  latest: () => Promise<ServedModel>,
  take: (served: ServedModel) => Promise<T>,
): Promise<T> {
  try {
    return await take(served);
  } catch (error) {
    if (error instanceof OtherModel) return take(await latest());
    throw error;
  }
}

/** The answer's header names the artifact that the streams' objects scored with, which may have changed since the request's was chosen. */
export function nameScorer(c: EdgeContext, accepted: readonly Accepted[]): void {
  const sha256 = accepted.findLast((one) => one.sha256 !== undefined)?.sha256;
  if (sha256 !== undefined) nameModel(c, sha256);
}

/** What `make` makes of a model, made when it is first asked for, since starting up stays short, and kept for as long as the model is. */
export function ofModel<T>(make: (served: ServedModel) => Promise<T>): (served: ServedModel) => Promise<T> {
  const made = new WeakMap<ServedModel, { readonly value: T }>();
  return async (served) => {
    const known = made.get(served);
    if (known !== undefined) return known.value;
    const value = await make(served);
    made.set(served, { value });
    return value;
  };
}
