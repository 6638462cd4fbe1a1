// A diagnosis under the names that `diagnose --json` has always had: they stay readable for ever.
import type { Cause } from "./cause.ts";
import type { Diagnosis } from "./diagnosis.ts";
import { listNotes } from "./notes.ts";

type Document<D> = Omit<D, "verdict" | "causes" | "baseline" | "fixed" | "tensors"> & {
  readonly verdict: Pick<Diagnosis["verdict"], "code" | "text">;
  readonly causes: readonly (Omit<Cause, "fix"> & { readonly remedy: string })[];
  readonly tried: Diagnosis["baseline"];
  readonly cured: Diagnosis["fixed"];
  readonly tensors: { readonly tried: unknown; readonly cured: unknown } | null;
};

/** `fix` is written as `remedy`, `baseline` as `tried`, `fixed` as `cured`; `notes` are all there are, and the verdict is one text. Else names stay. */
export function toDocument(diagnosis: Diagnosis): Document<Diagnosis> {
  const { verdict, causes, baseline, fixed, tensors, ...rest } = diagnosis;
  const { code, text, next } = verdict;
  return {
    verdict: { code, text: `${text} ${next}` },
    ...rest,
    notes: listNotes(diagnosis),
    causes: causes.map(({ fix, ...cause }) => ({ ...cause, remedy: fix })),
    tried: baseline,
    cured: fixed,
    tensors: tensors && { tried: tensors.baseline, cured: tensors.fixed },
  };
}
