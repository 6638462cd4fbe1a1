// The load itself: what a server does to its connections ends no run.
import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openLoad } from "./load.ts";

const BODY = '{"model":"m","results":[{"probability":0.5}]}';
const ANSWER = `HTTP/1.1 200 OK\r\ncontent-length: ${BODY.length}\r\n\r\n${BODY}`;

/** A load on a server that does `onRequest` with each request. `drop` closes the server's side of all connections. */
async function openLoadOn(onRequest: (socket: Socket) => void, timeoutMs?: number) {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => sockets.add(socket.on("data", () => onRequest(socket)).on("error", () => {})));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const load = await openLoad((server.address() as AddressInfo).port, Buffer.from("?"), new Map([["m", 0.5]]), timeoutMs);
  const drop = () => [...sockets].map((socket) => socket.destroy());
  return { load, drop, close: () => [load.close(), server.close()] };
}

test("connections that the server has closed are opened anew: no error, and the run ends", async () => {
  const { load, drop, close } = await openLoadOn((socket) => socket.write(ANSWER));
  await load.run(100, sleep(300));
  drop(); // as workerd does with what was idle for 5 s
  await sleep(200);
  const { times } = await load.run(100, sleep(300));
  close();
  expect(load).toMatchObject({ errors: 0, wrongBits: 0 });
  expect(times.length).toBeGreaterThan(1);
});

test("requests that nobody answers are errors, and the run ends", async () => {
  const { load, close } = await openLoadOn(() => {}, 100);
  const { times } = await load.run(100, sleep(300));
  close();
  expect(load.errors).toBe(times.length);
  expect(times.length).toBeGreaterThan(0);
});
