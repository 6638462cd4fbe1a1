// Activation functions as the frameworks define them, in float64: what importers check a network against. Knows no layer.
import type { Activation } from "../../../shared/networks/activation.ts";
import { sigmoid } from "./imported-network.ts";

/** What an activation makes of one number, in float64, as frameworks define it. Shares no code with the network's definition. */
export function evaluateActivation(activation: Activation, x: number): number {
  const negative = (below: number): number => (x > 0 ? x : below);
  switch (activation.kind) {
    case "linear":
      return x;
    case "relu":
      return negative(0);
    case "leakyRelu":
      return negative(activation.alpha * x);
    case "elu":
      return negative(activation.alpha * (Math.exp(x) - 1));
    case "selu":
      return 1.0507009873554805 * negative(1.6732632423543772 * (Math.exp(x) - 1));
    case "silu":
      return x * sigmoid(x);
    case "tanh":
      return Math.tanh(x);
    case "sigmoid":
      return sigmoid(x);
    case "softplus":
      return x > 30 ? x : Math.log(1 + Math.exp(x));
    case "softsign":
      return x / (1 + Math.abs(x));
    case "hardSigmoid":
      return Math.max(0, Math.min(1, activation.slope * x + 0.5));
    case "gelu":
      return activation.approximate
        ? (x / 2) * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)))
        : x * normalDistribution(x);
  }
}

/** Φ(x), by Simpson's rule over the density from 0: far below 1e-9 in steps of 1/256. */
function normalDistribution(x: number): number {
  const end = Math.min(Math.abs(x), 9);
  const n = 2 * Math.ceil(end * 128) + 2;
  const density = (z: number): number => Math.exp((-z * z) / 2) / Math.sqrt(2 * Math.PI);
  let sum = density(0) + density(end);
  for (let k = 1; k < n; k++) sum += (k % 2 === 1 ? 4 : 2) * density((k * end) / n);
  const half = (sum * end) / n / 3;
  return x < 0 ? 0.5 - half : 0.5 + half;
}
