// What a Worker exports, whatever engine its composition root chose: the app, the sweep, and the Durable Objects' classes.
import { createApp } from "./app.ts";
import type { Deployment } from "./models/servable-model.ts";
import { storeOf, streamSurroundingsOf, surroundingsOf, type WorkerEnv } from "./worker-env.ts";
import { directoryClass, streamClass } from "./worker-objects.ts";

export function partsOf(env: WorkerEnv, page: string, deployment: Deployment) {
  if ("unready" in deployment) console.error(deployment.unready);
  const surroundings = surroundingsOf(env, page);
  const streams = storeOf(env, deployment);
  return {
    Stream: streamClass(streamSurroundingsOf(env, deployment, surroundings.endpoints)),
    Directory: directoryClass(),
    handlers: {
      fetch: createApp(deployment, { ...surroundings, streams }).fetch,
      /** The sweep of wrangler.toml's cron. */
      async scheduled(): Promise<void> {
        const woken = await streams?.sweep();
        console.log(JSON.stringify({ event: "sweep", woken }));
      },
    },
  };
}
