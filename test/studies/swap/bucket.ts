// A bucket of R2 as workerd's own binding speaks to it: HTTP with the request as JSON in the header cf-r2-request, or in front of the body of a
// put, whose length cf-r2-metadata-size says. As far as the registry asks: get, put with a condition and a hash, list of names.
import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

export interface TestBucket {
  readonly port: number;
  readonly objects: Map<string, Buffer>;
  /** Gets so far. */
  reads: number;
  close(): void;
}

interface Condition {
  readonly etagMatches?: readonly { readonly value: string }[];
  readonly etagDoesNotMatch?: readonly { readonly value?: string; readonly type?: string }[];
}

const etagOf = (value: Buffer): string => createHash("md5").update(value).digest("hex");

/** A bucket in memory, on a port of this machine. */
export async function openBucket(): Promise<TestBucket> {
  const objects = new Map<string, Buffer>();
  const server = createServer(async (request, response) => {
    const body = await readAll(request);
    if (request.method === "GET") answerGet(JSON.parse(String(request.headers["cf-r2-request"])), response);
    else {
      const size = Number(request.headers["cf-r2-metadata-size"]);
      put(JSON.parse(body.toString("utf8", 0, size)), body.subarray(size), response);
    }
  });
  const describe = (key: string, value: Buffer) => ({
    name: key,
    version: etagOf(value),
    size: `${value.length}`,
    etag: etagOf(value),
    uploaded: `${Date.now()}`,
    httpFields: {},
    customFields: [],
    checksums: { 0: etagOf(value) },
  });
  function answer(response: ServerResponse, metadata: object, value: Buffer = Buffer.alloc(0)): void {
    const json = Buffer.from(JSON.stringify(metadata));
    const headers = { "cf-r2-metadata-size": json.length, "content-length": json.length + value.length };
    response.writeHead(200, headers).end(Buffer.concat([json, value]));
  }
  function refuse(response: ServerResponse, status: number, v4code: number, message: string): void {
    response.writeHead(status, { "cf-r2-error": JSON.stringify({ version: 1, v4code, message }) }).end();
  }
  function answerGet({ method, object, prefix = "" }: { method: string; object: string; prefix?: string }, response: ServerResponse): void {
    if (method === "list") {
      const names = [...objects.keys()]
        .filter((key) => key.startsWith(prefix))
        .map((key) => key.slice(0, key.indexOf("/", prefix.length) + 1));
      answer(response, { objects: [], delimitedPrefixes: [...new Set(names)], truncated: false });
      return;
    }
    bucket.reads++;
    const value = objects.get(object);
    if (value === undefined) refuse(response, 404, 10007, "The specified key does not exist.");
    else answer(response, { ...describe(object, value), range: { offset: "0", length: `${value.length}` } }, value);
  }
  function put({ object, onlyIf }: { object: string; onlyIf?: Condition }, value: Buffer, response: ServerResponse): void {
    const old = objects.get(object);
    const matches = onlyIf?.etagMatches?.every((etag) => old !== undefined && etag.value === etagOf(old)) ?? true;
    const differs = onlyIf?.etagDoesNotMatch === undefined || old === undefined;
    if (!matches || !differs) {
      refuse(response, 412, 10031, "At least one of the pre-conditions you specified did not hold.");
      return;
    }
    objects.set(object, Buffer.from(value));
    answer(response, describe(object, value));
  }
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const bucket: TestBucket = {
    port: (server.address() as AddressInfo).port,
    objects,
    reads: 0,
    close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return bucket;
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}
