// The OpenAPI document as it is deployed has holes where a model's figures belong. This fills them in; the rest of the room is for the
// build alone, which writes the document, and no part of the Worker.

/** A part of the document that is there where the model has a figure, and what stands in its place otherwise. */
export interface Conditional {
  readonly $if: string;
  readonly $then: unknown;
  readonly $else?: unknown;
}

/**
 * `template` with `figures`: a text that is nothing but `{{name}}` becomes the figure, and goes with its property where there is none; in
 * other texts it is written. A Conditional becomes one of its parts, `{ $join }` one text. Figures are not filled in themselves.
 */
export function fill(template: unknown, figures: Readonly<Record<string, unknown>>): unknown {
  if (typeof template === "string") {
    const [, name] = /^\{\{(\w+)\}\}$/.exec(template) ?? [];
    return name === undefined ? template.replace(/\{\{(\w+)\}\}/g, (_, part: string) => `${figures[part]}`) : figures[name];
  }
  if (typeof template !== "object" || template === null) return template;
  if (Array.isArray(template)) return template.map((part) => fill(part, figures)).filter((part) => part !== undefined);
  if ("$if" in template) {
    const { $if, $then, $else } = template as Conditional;
    return fill(figures[$if] ? $then : $else, figures);
  }
  if ("$join" in template) return (fill(template.$join, figures) as string[]).join("");
  const filled = Object.entries(template).map(([name, part]) => [name, fill(part, figures)] as const);
  return Object.fromEntries(filled.filter(([, part]) => part !== undefined));
}
