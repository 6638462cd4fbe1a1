// A layer of tfjs as model.json has it, its weights beside it.

/** 0.2x + 0.5 within [0, 1] is tfjs' hardSigmoid. */
export const TFJS_HARD_SLOPE = 0.2;

export interface LayerText {
  readonly name: string;
  readonly className: string;
  readonly config: Readonly<Record<string, unknown>>;
  /** Names of the layers whose outputs it takes. */
  readonly from: readonly string[];
  readonly weights?: readonly { readonly name: string; readonly shape: readonly number[]; readonly data: Float32Array }[];
}
