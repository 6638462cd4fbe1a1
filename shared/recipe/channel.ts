// What one channel is: a view of a base, one number a step. Knows no data.

export type View = "level" | "delta" | "log" | "logDelta" | "centred";
export const VIEWS: readonly View[] = ["level", "delta", "log", "logDelta", "centred"];

/** What a channel looks at: feature `a`, the difference `a − b`, or the log ratio `log(a / b)` of two features. */
export type Base =
  | { readonly base: "feature"; readonly a: number }
  | { readonly base: "difference"; readonly a: number; readonly b: number }
  | { readonly base: "logRatio"; readonly a: number; readonly b: number };

/**
 * One number a step: a view of a base. `delta`: this row minus the previous valid row. `centred`: minus the sequence's own
 * mean over valid rows. `log`, `logDelta`: level and delta of the base's logarithm, so of a log ratio's too.
 */
export type Channel = Base & { readonly view: View };

/** `log(high / low)`, `Δ close`, … as people read it; `features` (F) names. */
export function describeChannel(channel: Channel, features: readonly string[]): string {
  const a = features[channel.a];
  const base =
    channel.base === "feature" ? a : channel.base === "difference" ? `${a} − ${features[channel.b]}` : `log(${a} / ${features[channel.b]})`;
  const inner = channel.base === "difference" ? `(${base})` : base;
  switch (channel.view) {
    case "level":
      return base;
    case "delta":
      return `Δ ${inner}`;
    case "log":
      return `log(${base})`;
    case "logDelta":
      return `Δ log(${base})`;
    case "centred":
      return `${inner} − its mean`;
  }
}

/** Whether the view takes the base's logarithm. */
export function takesLogarithm({ view }: Channel): boolean {
  return view === "log" || view === "logDelta";
}

/** Which of a channel's three floors it needs: of feature a, of feature b, of the base, as Recipe.floor orders them. */
export function usesFloors(channel: Channel): readonly [a: boolean, b: boolean, base: boolean] {
  const isRatio = channel.base === "logRatio";
  return [isRatio, isRatio, takesLogarithm(channel)];
}
