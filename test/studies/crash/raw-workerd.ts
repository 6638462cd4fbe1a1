// The Worker as it is deployed, on raw workerd with its objects on disk.
import { existsSync } from "node:fs";
import { bundle, type Server, serve } from "../bench/workerd.ts";
import type { Receiver } from "./receiver.ts";
import { type Mortal, textsFor } from "./run.ts";

export const OBJECTS = { STREAMS: "Stream", DIRECTORY: "Directory", BREAKERS: "Breaker" };

/** Files in memory, where there are such: SIGKILL takes nothing from them either, and no commit waits for a disk. */
export const MEMORY = existsSync("/dev/shm") ? "/dev/shm" : undefined;

/** `folder`: where the objects' files are; default: on disk. */
export async function openRawWorkerd(receiver: Receiver, folder?: string): Promise<Mortal> {
  const bundled = bundle("wrangler.toml", {
    texts: textsFor("https://receiver.example.com"),
    objects: OBJECTS,
    outbound: receiver.port,
    folder,
  });
  let server: Server | undefined;
  const ports: { port?: number; clockPort?: number } = {};
  return {
    get url() {
      return `http://localhost:${ports.port}`;
    },
    async kill() {
      await server?.stop();
    },
    async start() {
      server = await serve(bundled, { ...ports, quiet: true });
      ports.port = server.port;
      ports.clockPort = server.clockPort;
    },
    async sweep() {
      await (await fetch(`http://localhost:${ports.clockPort}/`)).text();
    },
    async end() {
      await server?.stop();
      bundled.remove();
    },
  };
}
