// Scores sequences from a page of another origin: CORS_ORIGINS in wrangler.toml lists that origin.
// A key in a page is everybody's key: give the page a key of its own with the scope `score`, or ask a server of yours.

/** `sequences`: each up to T rows of F numbers, oldest row first. Resolves to [{ probability, label }]; throws what the problem says. */
export async function score(worker, key, sequences) {
  const response = await fetch(`${worker}/v1/score`, {
    method: "POST",
    headers: { "content-type": "application/json", authorization: `Bearer ${key}` },
    body: JSON.stringify({ sequences }),
  });
  const answer = await response.json();
  if (!response.ok) throw new Error(`${answer.title}: ${answer.detail} ${answer.pointer ?? ""}`.trim());
  return answer.results;
}
