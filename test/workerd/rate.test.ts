// The platform's own rate limit, as wrangler.toml binds it.
import { exports } from "cloudflare:workers";
import { expect, test } from "vitest";

const LIMIT = 6000;
const AT_ONCE = 50;

test("a key that has used up its requests gets 429 with Retry-After, and no other key does", async () => {
  // the shortest answer that takes a key: all must be asked within the period
  const ask = (key: string) => exports.default.fetch("https://quickstep.example/v1/key", { headers: { authorization: `Bearer ${key}` } });
  let limited: Response | undefined;
  let sent = 0;
  // The period may turn over once meanwhile: then the count starts again.
  while (limited === undefined && sent < 2 * LIMIT + AT_ONCE) {
    const answers = await Promise.all(Array.from({ length: AT_ONCE }, () => ask("test-key-read")));
    limited = answers.find(({ status }) => status === 429);
    for (const answer of answers) if (answer !== limited) await answer.body?.cancel();
    sent += AT_ONCE;
  }
  expect(sent).toBeGreaterThan(LIMIT);
  expect(limited?.headers.get("retry-after")).toBe("60");
  expect(limited?.headers.get("content-type")).toBe("application/problem+json");
  await limited?.text();
  const other = await ask("test-key-score-read");
  expect(other.status).toBe(200);
  await other.text();
}, 60_000);
