// Which model answers a request: what routes and objects ask, and the answer where one bundled model is all there is. Knows no HTTP
// but the errors that it answers with.
import { ArtifactError } from "../../shared/errors.ts";
import { modelId } from "../../shared/model.ts";
import { RequestError } from "../http/problem.ts";
import type { Ready, ServableModel } from "./servable-model.ts";

/** A model that answers. Whoever holds it answers with it to the end, whatever is swapped in meanwhile. */
export interface ServedModel extends Ready {
  /** SHA-256 of the bytes served, as hexadecimal digits. */
  readonly sha256: string;
  /** `name@hash`, by the name that it is served under. */
  readonly id: string;
  /** Scores what this one scores, after the answer, of which nobody but a monitor hears. */
  readonly shadow?: ServedModel;
}

/** What a request says of the model that it wants. */
export interface ModelRequest {
  /** Undefined: the default one. */
  readonly name?: string;
  /** SHA-256 of the only artifact that may answer. */
  readonly pin?: string;
  /** What a challenger's part is drawn by: the same key, the same model. Absent: no challenger answers. */
  readonly key?: string;
  /** The bucket is looked at before: somebody knows another model already. */
  readonly isLatest?: boolean;
  /** Keeps the request's context alive after its answer. */
  readonly waitUntil?: (promise: Promise<unknown>) => void;
}

/** The models of an isolate. */
export interface Models {
  /** The default model as it stands: nothing is read for it. */
  standing(): ServableModel;
  /**
   * The model that answers. Throws ArtifactError where it is unusable; RequestError `notFound` where there is none of the name, `model`
   * where the pinned one is none that the name has.
   */
  choose(request: ModelRequest): ServedModel | Promise<ServedModel>;
  /** Why what is served under `name`, or by default, may not be what the registry says; undefined where it is. */
  faultOf(name?: string): string | undefined;
  /** All of these by name; undefined where there is none. */
  faults(): Readonly<Record<string, string>> | undefined;
}

/** The bundled model alone, as a Worker has it that no registry is bound to. */
export function bundledOnly(servable: ServableModel): Models {
  let served: ServedModel | undefined;
  const check = ({ name, pin }: ModelRequest, model: ServedModel): ServedModel => {
    if (name !== undefined && name !== model.model.name) throw noSuchModel(name, model.model.name);
    if (pin !== undefined && pin !== model.sha256) throw notPinned(pin);
    return model;
  };
  return {
    standing: () => servable,
    faultOf: () => undefined,
    faults: () => undefined,
    choose(request) {
      if (served !== undefined) return check(request, served);
      if ("unready" in servable) throw new ArtifactError(servable.unready);
      return servable.sha256().then((sha256) => check(request, (served ??= serve(servable, sha256))));
    },
  };
}

/** A ready model as one that answers. */
export function serve(ready: Ready, sha256: string): ServedModel {
  const { model, engine, log, format } = ready;
  return { model, engine, log, format, sha256, id: modelId(model, sha256) };
}

/** `known`: the name of what is served. */
export function noSuchModel(name: string, known: string): RequestError {
  return new RequestError("notFound", `there is no model ${name}: this Worker serves ${known}`);
}

/** The artifact of that hash is none that may answer. */
export function notPinned(pin: string): RequestError {
  return new RequestError("model", `the artifact ${pin.slice(0, 12)} is not one that this model has: leave out the header, or ask again`);
}
