// Which functions stand behind a layer or inside a recurrent cell, as data. Knows no layer; layers-definition.ts says what each
// computes.

export type Activation =
  | { readonly kind: "linear" | "relu" | "selu" | "silu" | "tanh" | "sigmoid" | "softplus" | "softsign" }
  /** x below 0 becomes alpha · x. */
  | { readonly kind: "leakyRelu"; readonly alpha: number }
  /** x below 0 becomes alpha · (e^x − 1). */
  | { readonly kind: "elu"; readonly alpha: number }
  /** x · Φ(x): by erf, or, where `approximate`, by tanh (Hendrycks & Gimpel 2016). */
  | { readonly kind: "gelu"; readonly approximate: boolean }
  /** min(max(slope · x + ½, 0), 1). Keras 1 and 2 have 0.2 there, Keras 3 has 1/6. */
  | { readonly kind: "hardSigmoid"; readonly slope: number };

/** The kinds of which nothing but the kind is said. */
export const PLAIN_ACTIVATIONS = ["linear", "relu", "selu", "silu", "tanh", "sigmoid", "softplus", "softsign"] as const;

/** Of selu (Klambauer et al. 2017). */
export const SELU_ALPHA = 1.6732632423543772;
export const SELU_SCALE = 1.0507009873554805;
