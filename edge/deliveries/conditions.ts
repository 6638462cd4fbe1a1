// `when`: which answers a destination gets, in a small closed grammar: conditions joined by `and`, those by `or`.
import { describe, type Path } from "../../shared/errors.ts";
import { ConfigurationError, parseString } from "../config/configuration.ts";

type Test =
  | { readonly of: "probability"; readonly operator: ">=" | ">" | "<=" | "<"; readonly than: number }
  | { readonly of: "label"; readonly is: 0 | 1 }
  | { readonly of: "change" }
  | { readonly of: "warming" };

/** True where all tests of any of its groups are. */
export type Condition = readonly (readonly Test[])[];

/** What a condition looks at. */
export interface Judged {
  readonly probability?: number;
  readonly label?: 0 | 1;
  readonly warming?: true;
  /** Of the stream's last scored window by the same model; undefined where there is none. */
  readonly previous?: 0 | 1;
}

const RULE = 'must be conditions such as probability >= 0.8, label = 1, "label changed" and warming, joined by "and" and "or"';

/** `probability >= 0.8 and label changed or warming`. Throws ConfigurationError. */
export function parseCondition(value: unknown, path: Path): Condition {
  const text = parseString(value, path, RULE.slice("must be ".length));
  return text.split(/\s+or\s+/).map((group) =>
    group.split(/\s+and\s+/).map((part): Test => {
      const test = parseTest(part.trim());
      if (test === undefined) throw new ConfigurationError(path, RULE, describe(text));
      return test;
    }),
  );
}

function parseTest(text: string): Test | undefined {
  const [, operator, number] = /^probability\s*(>=|>|<=|<)\s*(0|1|[01]?\.\d{1,17})$/.exec(text) ?? [];
  if (operator !== undefined) return { of: "probability", operator: operator as ">=", than: Number(number) };
  const [, label] = /^label\s*={1,2}\s*([01])$/.exec(text) ?? [];
  if (label !== undefined) return { of: "label", is: label === "1" ? 1 : 0 };
  if (/^label\s+changed$/.test(text)) return { of: "change" };
  return text === "warming" ? { of: "warming" } : undefined;
}

/** Whether the answer is one that the destination gets; without a condition each that has a score. */
export function holds(condition: Condition | undefined, judged: Judged): boolean {
  if (condition === undefined) return judged.probability !== undefined;
  return condition.some((tests) => tests.every((test) => isTrue(test, judged)));
}

function isTrue(test: Test, { probability, label, warming, previous }: Judged): boolean {
  switch (test.of) {
    case "warming":
      return warming === true;
    case "label":
      return label === test.is;
    case "change":
      return label !== undefined && previous !== undefined && label !== previous;
    case "probability": {
      if (probability === undefined) return false;
      if (test.operator === ">=") return probability >= test.than;
      if (test.operator === ">") return probability > test.than;
      return test.operator === "<=" ? probability <= test.than : probability < test.than;
    }
  }
}
