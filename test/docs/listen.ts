// A handler of Fetch requests at a port of this machine, for examples that call an address.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";

export interface Listening {
  /** `http://127.0.0.1:PORT` */
  readonly url: string;
  close(): void;
}

/** Listens at a free port. `answer` is asked as if `base` had been called. */
export async function listen(base: string, answer: (request: Request) => Response | Promise<Response>): Promise<Listening> {
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const { method, headers, url } = request;
    const body = chunks.length === 0 ? undefined : Buffer.concat(chunks);
    const answered = await answer(new Request(`${base}${url}`, { method, headers: headers as Record<string, string>, body }));
    response.writeHead(answered.status, Object.fromEntries(answered.headers)).end(Buffer.from(await answered.arrayBuffer()));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
