// GitHub: `X-Hub-Signature-256: sha256=…`. Its delivery id is not signed, so it says nothing about what the event is.
import type { Bytes } from "../../http/encoding.ts";
import { hmac } from "./hmac.ts";
import { type SchemeDefinition, textSecrets } from "./scheme.ts";

export interface GithubScheme {
  readonly kind: "github";
  readonly secrets: readonly Bytes[];
}

export const github: SchemeDefinition<GithubScheme> = {
  keys: [],
  signsTime: false,
  parse: (given) => ({ kind: "github", secrets: textSecrets(given) }),
  begin: ({ secrets }, incoming, nowSeconds) =>
    hmac.begin({ kind: "hmac", secrets, header: "x-hub-signature-256", encoding: "hex", prefix: "sha256=" }, incoming, nowSeconds),
};
