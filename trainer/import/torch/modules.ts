// The tensors of a state dict by module: what each module is, as its parameters' names and shapes tell. Knows no forward pass.
// Sources: docs.pytorch.org/docs/stable/generated/torch.nn.LSTM.html ("Variables"), …torch.nn.Linear.html, …torch.nn.BatchNorm1d.html,
// …torch.nn.LayerNorm.html.

import { RECURRENT_PARAMETER } from "../../export/torch-layout.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import type { Safetensors } from "./safetensors.ts";

type Tensor = Safetensors["tensors"] extends ReadonlyMap<string, infer T> ? T : never;

export type ModuleKind = "cell" | "conv" | "linear" | "batchnorm" | "layernorm";

export interface TorchModule {
  /** `lstm`, `head.0`; nothing where the state dict is the module's own. */
  readonly name: string;
  readonly kind: ModuleKind;
  /** By the parameter's name in the module. */
  readonly parameters: ReadonlyMap<string, Tensor>;
}

/** Every module, by kind, each kind in the order of names. Throws DataError for modules that are none of the kinds. */
export function readModules({ tensors }: Pick<Safetensors, "tensors">, source: string): Map<ModuleKind, TorchModule[]> {
  const groups = new Map<string, Map<string, Tensor>>();
  for (const [path, tensor] of tensors) {
    const cut = path.lastIndexOf(".");
    const name = path.slice(0, Math.max(cut, 0));
    const group = groups.get(name) ?? new Map<string, Tensor>();
    groups.set(name, group.set(path.slice(cut + 1), tensor));
  }
  const modules = new Map<ModuleKind, TorchModule[]>();
  const names = [...groups.keys()].sort((a, b) => a.localeCompare(b, "en", { numeric: true }));
  for (const name of names) {
    const parameters = groups.get(name)!;
    const kind = kindOf(name, parameters, source);
    modules.set(kind, [...(modules.get(kind) ?? []), { name, kind, parameters }]);
  }
  return modules;
}

function kindOf(name: string, parameters: ReadonlyMap<string, Tensor>, source: string): ModuleKind {
  const keys = [...parameters.keys()];
  if (parameters.has("weight_ih_l0") && keys.every((key) => RECURRENT_PARAMETER.test(key))) return "cell";
  const weight = parameters.get("weight");
  if (parameters.has("running_mean") && parameters.has("running_var")) return "batchnorm";
  if (weight?.shape.length === 3 && keys.every((key) => key === "weight" || key === "bias")) return "conv";
  if (weight?.shape.length === 2 && keys.every((key) => key === "weight" || key === "bias")) return "linear";
  if (weight?.shape.length === 1 && keys.every((key) => key === "weight" || key === "bias")) return "layernorm";
  return rejectFile(
    source,
    `holds ${keys.map((key) => (name === "" ? key : `${name}.${key}`)).join(", ")}, unknown to quickstep`,
    `quickstep reads recurrent modules, Conv1d, Linear, BatchNorm1d and LayerNorm from a state dict; ${SECOND_ENGINE}`,
  );
}

/** A parameter of exactly these sizes. Throws DataError. */
export function parameterOf({ name, parameters }: TorchModule, key: string, shape: readonly number[], source: string): Float64Array {
  const tensor = parameters.get(key);
  const path = name === "" ? key : `${name}.${key}`;
  if (tensor === undefined) return rejectFile(source, `lacks ${path}`, "save the whole state dict");
  if (String(tensor.shape) !== String(shape))
    rejectFile(source, `${path} is (${tensor.shape.join(", ")})`, `expected (${shape.join(", ")}), as the layers in front leave it`);
  return tensor.data;
}
