// Scores a sequence from TypeScript, with the types of the Worker's own routes.
import { client } from "../../edge/client.ts";

export async function probabilityOf(worker: string, key: string, sequence: number[][]): Promise<number> {
  const quickstep = client(worker, { headers: { authorization: `Bearer ${key}` } });
  const response = await quickstep.v1.score.$post({ json: { sequence } });
  if (!response.ok) throw new Error(`the Worker answered ${response.status}`);
  const { results } = await response.json();
  return results[0].probability;
}
