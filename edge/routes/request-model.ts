// The model of one request: chosen by its path's name and its headers, and named in its answer.
import { type EdgeContext, nameModel, waitUntil } from "../http/request-context.ts";
import type { ModelRequest, Models, ServedModel } from "../models/models.ts";

/** The header by which a request says which artifact alone may answer; answers name theirs in it. */
const MODEL_HEADER = "x-quickstep-model";

/** The model that answers the request: of `name`, or the default one. Throws as Models.choose. */
export type RequestModel = (c: EdgeContext, name?: string) => ServedModel | Promise<ServedModel>;

/** Chooses among `models`. No promise is made where the model is loaded already. */
export function requestModel(models: Models): RequestModel {
  return (c, name) => {
    const pin = c.req.raw.headers.get(MODEL_HEADER)?.toLowerCase();
    const request: ModelRequest = { name, pin, waitUntil: (promise) => waitUntil(c, promise) };
    const chosen = models.choose(request);
    if (chosen instanceof Promise) return chosen.then((model) => named(c, model));
    return named(c, chosen);
  };
}

function named(c: EdgeContext, model: ServedModel): ServedModel {
  nameModel(c, model);
  return model;
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
