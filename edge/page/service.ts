// What the page knows of the service: the card's types, the key, and how it asks. The key is kept until the page is closed.
import type { ReliabilityBin } from "../../shared/model.ts";

export interface Metrics {
  readonly [name: string]: number | null;
}

/** A number or a category, in each row or once a sequence. */
export interface Input {
  readonly name: string;
  readonly levels?: readonly string[];
  readonly static?: true;
}

/** What is known of any model. */
export interface Service {
  readonly name: string;
  readonly id: string;
  readonly features: readonly string[];
  readonly timesteps: number;
  readonly operatingPoints: readonly { readonly name: string; readonly threshold: number }[];
  readonly recipe: Taken;
  /** The labels' column, and its values that count as 1 and 0; null where several do. Left out where nothing is known of them. */
  readonly labels?: { readonly name: string; readonly one: number | string; readonly zero: number | string | null };
}

/** What a model takes. */
export interface Taken {
  /** With these, null stands for a number that is missing. */
  readonly gaps?: readonly string[];
  readonly inputs?: readonly Input[];
  /** What the row's time is called, the last of its values. */
  readonly clock?: string;
}

/** And of one that was trained here. */
export interface Card extends Service {
  readonly units?: number;
  readonly members: readonly Member[];
  readonly recipe: Taken & {
    readonly padding: string;
    readonly channels: readonly string[];
    readonly lengths: readonly [number, number];
  };
  readonly calibration: { readonly slope: number; readonly intercept: number };
  /** Null where the model was trained elsewhere and has seen no labelled sequence here. */
  readonly metrics: Metrics | null;
  readonly intervals: Metrics;
  readonly reliability?: readonly ReliabilityBin[];
  readonly baselines: Readonly<Record<string, Metrics>>;
  readonly data: { readonly name: string };
  readonly assessment?: "test-part" | "nested-cross-validation";
  readonly split: { readonly by: string };
  readonly imported?: { readonly file: string };
  readonly warnings: readonly string[];
}

/** What a model's answer is made of. */
export type Member = { readonly weight: number } & (
  | { readonly kind: "lstm"; readonly networks: number; readonly units: number; readonly precision?: "int16" }
  | { readonly kind: "layers"; readonly networks: number; readonly layers: string }
  | { readonly kind: "linear"; readonly columns: number }
  | { readonly kind: "trees"; readonly trees: number; readonly leaves: number }
  | { readonly kind: "onnx" }
);

/** What the page holds: the card where the key may read it, the key, and whether it may change anything. */
export const session: { card?: Service; key: string; mayAct: boolean } = { key: "", mayAct: false };

/** Asks the service, with the key where there is one. */
export function ask(path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { ...(init.headers as Record<string, string>), ...(session.key !== "" && { authorization: `Bearer ${session.key}` }) };
  return fetch(path, { ...init, headers });
}

/** Asks for JSON. Throws Error with what the service says is wrong. */
export async function askJson<T>(path: string, init: RequestInit = {}): Promise<T> {
  const response = await ask(path, init);
  const text = await response.text();
  if (response.ok) return (text === "" ? undefined : JSON.parse(text)) as T;
  throw new Error((JSON.parse(text) as { readonly detail: string }).detail);
}
