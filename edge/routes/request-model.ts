// The model of one request: chosen by its path's name and its headers, and named in its answer.
import { addHeader, type EdgeContext, nameModel, waitUntil } from "../http/request-context.ts";
import type { ModelRequest, Models, ServedModel } from "../models/models.ts";

/** The header by which a request says which artifact alone may answer; answers name theirs in it. */
const MODEL_HEADER = "x-quickstep-model";

/** Requests of one such key are answered by one model, where a challenger answers a part; without it each draws anew. */
const KEY_HEADER = "x-quickstep-key";

/** On answers of a model that may not be the one that the registry means: GET /health/ready says why. */
const REGISTRY_HEADER = "x-quickstep-registry";

/** The model that answers the request: of `name`, or the default one. Throws as Models.choose. */
export type RequestModel = (c: EdgeContext, name?: string) => ServedModel | Promise<ServedModel>;

/** Chooses among `models`. No promise is made where the model is loaded already. */
export function requestModel(models: Models): RequestModel {
  return (c, name) => {
    const pin = c.req.raw.headers.get(MODEL_HEADER)?.toLowerCase();
    const key = c.req.raw.headers.get(KEY_HEADER) ?? c.get("record").id;
    const request: ModelRequest = { name, pin, key, waitUntil: (promise) => waitUntil(c, promise) };
    const chosen = models.choose(request);
    const named = (model: ServedModel): ServedModel => {
      nameModel(c, model.sha256);
      if (models.faultOf(name) !== undefined) addHeader(c, REGISTRY_HEADER, "unread");
      return model;
    };
    return chosen instanceof Promise ? chosen.then(named) : named(chosen);
  };
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
