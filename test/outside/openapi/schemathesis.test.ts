// Schemathesis holds the Worker on raw workerd against its document, with all checks: each operation takes what the document allows,
// refuses what it does not, and answers as it says. schemathesis.toml says what a schema cannot, operation by operation.
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";
import { describeOutside, execute } from "../environment.ts";
import { ADMIN_KEY, serveWorker } from "../served.ts";

const HERE = fileURLToPath(new URL(".", import.meta.url));
/** Of both runs, side by side. */
const BUDGET_MS = 300_000;
/** Cases of an operation in the phase that makes them at random; what is made by rule is some 50 an operation. */
const EXAMPLES = "8";

describeOutside("openapi", (python) => {
  const folder = mkdtempSync(join(tmpdir(), "quickstep-schemathesis-"));
  afterAll(() => rmSync(folder, { recursive: true }));

  /** What was printed; fails where a check or an operation did. In a folder of its own: what is found is kept where it runs. */
  async function holdAgainstDocument(texts: Readonly<Record<string, string>>, ...options: string[]): Promise<string> {
    const cwd = mkdtempSync(join(folder, "run-"));
    const served = await serveWorker(texts);
    const [program, config] = [join(dirname(python.python), "schemathesis"), join(HERE, "schemathesis.toml")];
    // one worker: on two threads at once Python 3.11 counts the depth of what it parses wrongly ("AST constructor recursion depth mismatch")
    const fixed = ["--seed", "1", "--max-examples", EXAMPLES, "--workers", "1", "--no-color"];
    try {
      const args = ["--config-file", config, "run", `${served.url}/openapi.json`, ...fixed, ...options];
      return await execute(program, args, undefined, cwd, { SCHEMATHESIS_HOOKS: join(HERE, "bodies.py") });
    } finally {
      await served.stop();
    }
  }

  test(
    "all checks hold with a key of all scopes, and with none where AUTH is open",
    async () => {
      const printed = await Promise.all([
        holdAgainstDocument({}, "--header", `Authorization: Bearer ${ADMIN_KEY}`),
        // who asks needs no key on this machine then, as the operations of a deployed Worker say one does
        holdAgainstDocument({ AUTH: "open" }, "--exclude-checks", "ignored_auth"),
      ]);
      for (const summary of printed) expect(summary).toMatch(/Tested: 58/);
    },
    BUDGET_MS,
  );
});
