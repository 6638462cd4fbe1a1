// A deployment as commands call it: its address, its key, and what is said where it cannot be reached or refuses. Knows no route.
import { DataError, UsageError } from "../../shared/errors.ts";

/** What commands say of a deployment's address. */
export const URL_HELP =
  "address of the deployment, https://… (or http://localhost:PORT); its API key, where it needs one, goes into the variable QUICKSTEP_KEY";

/** `what`: what the address is called. Throws UsageError for what is no address. */
export function checkAddress(url: string, what: string): void {
  if (!/^https?:/.test(url) || !URL.canParse(url)) throw new UsageError(`${what} must be an address like https://…, got ${url}`);
}

/** `https://host/path//` → `https://host/path` */
export function withoutSlashes(url: string): string {
  let end = url.length;
  while (url[end - 1] === "/") end--;
  return url.slice(0, end);
}

export interface DeploymentRequest {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: BodyInit;
  readonly timeoutMs: number;
}

/** Whatever it answers. Throws DataError where it cannot be reached. */
export async function askDeployment(
  base: string,
  path: string,
  key: string | undefined,
  { method, headers, body, timeoutMs }: DeploymentRequest,
): Promise<Response> {
  return fetch(`${base}${path}`, {
    method,
    headers: { ...headers, ...(key !== undefined && { authorization: `Bearer ${key}` }) },
    body,
    redirect: "manual", // a key goes nowhere but where it was sent
    signal: AbortSignal.timeout(timeoutMs),
  }).catch((error: Error) => {
    throw new DataError(base, `cannot be reached: ${(error.cause as Error | undefined)?.message ?? error.message}`);
  });
}

/** What an answer that is none of a 200 says. `key`: what it takes where it wants a key. */
export async function refusalOf(base: string, response: Response, key: string): Promise<DataError> {
  const { status } = response;
  const problem: { detail?: string } = await response.json().catch(() => ({}));
  const fix = status === 401 || status === 403 ? `; ${key} goes into the variable QUICKSTEP_KEY` : "";
  return new DataError(base, `answered ${status}: ${problem.detail ?? "nothing more"}${fix}`);
}
