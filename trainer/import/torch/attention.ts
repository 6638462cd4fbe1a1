// Attention pooling in PyTorch: `scores = self.attention(output)`, `weights = torch.softmax(scores, 1)`, `(weights * output).sum(1)`. Which of the
// Linear modules make the scores, and what PyTorch computes of them, in float64.
// Legend: T steps, W width.
import { type DraftLayer, widthBehind } from "../contract/draft-layers.ts";
import { rejectFile, SECOND_ENGINE } from "../contract/reject-file.ts";
import type { TorchDescription, TorchStep } from "../contract/said.ts";
import type { TorchModule } from "./modules.ts";
import type { Rows, TorchLayer } from "./windows.ts";

type AttentionStep = Extract<TorchStep, { kind: "attention" }>;

/** A module that people name after attention: `attention`, `attn`, `att_fc`, `self_attention.0`. */
const NAMED = /att/i;

/** Linear modules of a state dict, those of the scores apart; each list in the order of names. */
export interface LinearModules {
  readonly scorers: readonly TorchModule[];
  readonly others: readonly TorchModule[];
}

/**
 * The Linear modules that make scores, of as many as the forward pass has. Their names tell: a score and an answer may have weights of one shape, and
 * exchanged they would be another model. Throws DataError where names do not tell, and no outputs of the model prove the order of names (`isChecked`).
 */
export function splitLinears(steps: TorchDescription, linears: readonly TorchModule[], isChecked: boolean, source: string): LinearModules {
  const at = steps.findIndex(({ kind }) => kind === "attention");
  if (at < 0) return { scorers: [], others: linears };
  const count = countLinears([steps[at]]);
  const named = linears.filter(({ name }) => NAMED.test(name));
  if (named.length === count) return { scorers: named, others: linears.filter((module) => !named.includes(module)) };
  if (!isChecked)
    rejectFile(
      source,
      `does not say which of its Linear modules (${linears.map(({ name }) => name).join(", ")}) make the scores of attention: ${named.length} of them ${named.length === 1 ? "has" : "have"} att in the name, where --torch says ${count}`,
      "name them so (attention.weight) in the state dict, or prove the order of names with --check pairs.npz",
    );
  const before = countLinears(steps.slice(0, at));
  return { scorers: linears.slice(before, before + count), others: linears.toSpliced(before, count) };
}

/** How many Linear modules a forward pass has, those of scores among them. */
export function countLinears(steps: TorchDescription): number {
  return steps.reduce((sum, step) => sum + (step.kind === "attention" ? countLinears(step.steps) : Number(step.kind === "linear")), 0);
}

/** The attention that modules named so look like: Linear layers with a tanh between them. Undefined where no module is named so. */
export function likelyAttention(linears: readonly TorchModule[]): AttentionStep | undefined {
  const named = linears.filter(({ name }) => NAMED.test(name));
  const tanh = { kind: "activation", activation: { kind: "tanh" } } as const;
  return named.length === 0 || named.length === linears.length
    ? undefined
    : { kind: "attention", steps: named.flatMap((_, k) => [...(k > 0 ? [tanh] : []), { kind: "linear" } as const]) };
}

/** The pooling of rows of width W; `build` makes a step of the scores, given its module and width. Throws DataError where a step has several scores. */
export function buildAttention(
  { steps }: AttentionStep,
  scorers: readonly TorchModule[],
  W: number,
  build: (step: TorchStep, module: TorchModule | undefined, W: number) => TorchLayer,
  source: string,
): TorchLayer {
  const left = [...scorers];
  const built: TorchLayer[] = [];
  const scores: DraftLayer[] = [];
  for (const step of steps) {
    const layer = build(step, step.kind === "linear" ? left.shift() : undefined, widthBehind(scores, W));
    built.push(layer);
    scores.push(...layer.layers);
  }
  const count = widthBehind(scores, W);
  if (count !== 1)
    rejectFile(
      source,
      `${scorers.at(-1)!.name} makes ${count} scores of each step`,
      `quickstep weights a step by one, Linear(units, 1); ${SECOND_ENGINE}`,
    );
  return {
    layers: [{ kind: "branches", merge: "concat", branches: [[], scores] }, { kind: "attentionPooling" }],
    words: `attention(${built.map(({ words }) => words).join(" → ")})`,
    run(rows) {
      const scored = built.reduce((given: Rows, { run }) => run(given), rows).map(([score]) => score);
      const max = Math.max(...scored);
      const exponentials = scored.map((score) => Math.exp(score - max));
      const total = exponentials.reduce((sum, one) => sum + one, 0);
      return [rows[0].map((_, w) => rows.reduce((sum, row, t) => sum + (exponentials[t] / total) * row[w], 0))];
    },
  };
}
