// Microsoft Graph: the subscription's `clientState` in each element of `value`. It is a token: it proves who, not what.
import { followPointer } from "../../config/json-pointer.ts";
import type { Bytes } from "../../http/encoding.ts";
import { isSecret } from "./keys.ts";
import { GENUINE, jsonIn, rejected, type SchemeDefinition, textSecrets } from "./scheme.ts";

export interface GraphScheme {
  readonly kind: "graph";
  readonly secrets: readonly Bytes[];
}

/** Elements of one body: each costs a computation, and Graph sends 100 at most. */
const MAX_ELEMENTS = 1000;

export const graph: SchemeDefinition<GraphScheme> = {
  keys: [],
  signsTime: () => false,
  parse: (given) => ({ kind: "graph", secrets: textSecrets(given) }),
  begin:
    ({ secrets }) =>
    async (bytes) => {
      const { value } = followPointer(jsonIn(bytes), ["value"]);
      const elements: readonly unknown[] = Array.isArray(value) ? value : [];
      if (elements.length === 0 || elements.length > MAX_ELEMENTS)
        return rejected(`value is not an array of 1 to ${MAX_ELEMENTS} elements`);
      for (const element of elements) {
        const state = (element as { clientState?: unknown } | null)?.clientState;
        if (typeof state !== "string" || !(await isSecret(secrets, state)))
          return rejected("an element's clientState is not this source's");
      }
      return GENUINE;
    },
};
