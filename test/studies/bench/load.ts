// The Worker on raw workerd under load: 1,000,000 requests from many clients at once, each answer compared with the one it
// has alone; 100,000 lines in one stream; clients that die in the middle. Memory is printed on the way.
import { readFileSync } from "node:fs";
import { decodeArtifact } from "../../../shared/artifact/artifact.ts";
import { shapeOf } from "../../../shared/recipe/recipe.ts";
import { BENCH_KEY, bundle, Connection, postRequest, type Server, sendAll, serve } from "./workerd.ts";

const CLIENTS = 32;
const MIB = 2 ** 20;

/** The golden vectors as rows of JSON, with the probabilities they must be answered with. */
function goldenSequences(): { sequences: number[][][]; probabilities: Float32Array } {
  const { recipe, golden } = decodeArtifact(readFileSync(new URL("../../../edge/model.safetensors", import.meta.url)));
  const { timesteps: T, features: F } = shapeOf(recipe);
  const row = (at: number): number[] => Array.from(golden.inputs.subarray(at * F, (at + 1) * F));
  const sequences = Array.from(golden.probabilities, (_, k) => Array.from({ length: T }, (_, t) => row(k * T + t)));
  return { sequences, probabilities: golden.probabilities };
}

/** Throws at the first answer that is not the golden one. `onProgress` gets the requests so far and the resident bytes. */
export async function interleave(server: Server, requests: number, onProgress: (sent: number, memory: number) => void): Promise<void> {
  const { sequences, probabilities } = goldenSequences();
  const bodies = sequences.map((sequence) => postRequest("/v1/score", "application/json", JSON.stringify({ sequence })));
  const connections = await Promise.all(Array.from({ length: CLIENTS }, () => Connection.open(server.port)));
  const step = Math.ceil(requests / 10);
  for (let sent = 0; sent < requests; sent += step) {
    await sendAll(
      connections,
      Math.min(step, requests - sent),
      (i) => bodies[i % bodies.length],
      (i, body) => {
        const { probability } = JSON.parse(`${body}`).results[0];
        const expected = probabilities[i % bodies.length];
        if (!Object.is(probability, expected)) throw new Error(`request ${sent + i} was answered ${probability}, expected ${expected}`);
      },
    );
    onProgress(Math.min(requests, sent + step), server.memory());
  }
  for (const connection of connections) connection.close();
}

/** Streams `lines` lines and compares every answer. Returns the most memory seen, in bytes. */
export async function streamLines(server: Server, lines: number): Promise<number> {
  const { sequences, probabilities } = goldenSequences();
  const texts = sequences.map((sequence) => `${JSON.stringify(sequence)}\n`);
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    pull(controller) {
      let text = "";
      for (let i = 0; i < 100 && sent < lines; i++) text += texts[sent++ % texts.length];
      if (text === "") controller.close();
      else controller.enqueue(new TextEncoder().encode(text));
    },
  });
  const init = {
    method: "POST",
    body,
    headers: { "content-type": "application/x-ndjson", authorization: `Bearer ${BENCH_KEY}` },
    duplex: "half",
  };
  const response = await fetch(`http://localhost:${server.port}/v1/score`, init as RequestInit);
  let buffered = "";
  let answered = 0;
  let memory = 0;
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    const answers = (buffered + chunk).split("\n");
    buffered = answers.pop()!;
    for (const answer of answers) {
      const expected = probabilities[answered++ % probabilities.length];
      if (!Object.is(JSON.parse(answer).probability, expected))
        throw new Error(`line ${answered} was answered ${answer}, expected ${expected}`);
    }
    memory = Math.max(memory, server.memory());
  }
  if (answered !== lines) throw new Error(`${answered} of ${lines} lines were answered`);
  return memory;
}

/** Clients that say they send a body, send half of it, and go. */
export async function dieInTheMiddle(server: Server, clients: number): Promise<void> {
  const { sequences } = goldenSequences();
  const whole = postRequest("/v1/score", "application/json", JSON.stringify({ sequences }));
  for (let i = 0; i < clients; i++) {
    const connection = await Connection.open(server.port);
    connection.send(whole.subarray(0, whole.length / 2)).catch(() => {});
    if (i % 2 === 0) await new Promise((done) => setTimeout(done, 1));
    connection.close();
  }
}

/** Clients that send half a body and stall while others ask, then the rest: each gets its own answer. */
export async function stallInTheMiddle(server: Server, clients: number, meanwhile: () => Promise<void>): Promise<void> {
  const { sequences, probabilities } = goldenSequences();
  const requests = sequences.map((sequence) => postRequest("/v1/score", "application/json", JSON.stringify({ sequence })));
  const connections = await Promise.all(Array.from({ length: clients }, () => Connection.open(server.port)));
  const answers = connections.map((connection, i) => {
    const request = requests[i % requests.length];
    return connection.send(request.subarray(0, request.length - 20));
  });
  await meanwhile();
  connections.forEach((connection, i) => {
    connection.write(requests[i % requests.length].subarray(-20));
  });
  for (const [i, answer] of answers.entries()) {
    const [{ probability }] = JSON.parse(`${await answer}`).results;
    if (!Object.is(probability, probabilities[i % requests.length])) throw new Error(`client ${i} got ${probability}`);
  }
  for (const connection of connections) connection.close();
}

const inMib = (bytes: number): string => `${(bytes / MIB).toFixed(0)} MiB`;

export async function run(): Promise<void> {
  const bundled = bundle();
  const server = await serve(bundled);
  try {
    const start = performance.now();
    await interleave(server, 1_000_000, (sent, memory) => console.log(`${String(sent).padStart(9)} requests, no error, ${inMib(memory)}`));
    console.log(`${(1e9 / (performance.now() - start)).toFixed(0)} requests/s with ${CLIENTS} clients, each answer its golden vector's`);
    console.log(`100,000 lines in one stream, each answer its golden vector's: at most ${inMib(await streamLines(server, 100_000))}`);
    await dieInTheMiddle(server, 1000);
    await interleave(server, 1000, () => {});
    console.log(`after 1,000 clients that died in the middle of a body: ${inMib(server.memory())}`);
  } finally {
    await server.stop();
    bundled.remove();
  }
}
