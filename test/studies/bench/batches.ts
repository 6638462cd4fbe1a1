// What 1000 sequences a request cost on raw workerd: CPU of the process, user and system, with all that a request takes, for LSTMs of
// several sizes in float32 and in whole numbers of 16 bits; and what one JSON sequence costs with the committed model, a stack, beside
// the LSTM of format 1 that learnt the same data.
import { readFileSync } from "node:fs";
import { decodeArtifact, encodeArtifact } from "../../../shared/artifact/artifact.ts";
import { createWasmEngine, instantiateKernel } from "../../../shared/engine.ts";
import { withPrecision } from "../../../shared/members.ts";
import { type Model, score } from "../../../shared/model.ts";
import type { Channel } from "../../../shared/recipe/channel.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { requestsOf, withArtifact } from "./edge.ts";
import { bundle, Connection, type Server, serve } from "./workerd.ts";

const UNITS = [100, 64];
const PRECISIONS = ["float32", "int16"] as const;
const FORMATS = { "raw binary": "inBytes", JSON: "inJson" } as const;
const ROUNDS = 7;
const REQUESTS = 10;
const SINGLE_REQUESTS = 500;
const SINGLES = {
  "committed model, a stack": new URL("../../../edge/model.safetensors", import.meta.url),
  "LSTM of format 1": new URL("../../fixtures/format-1/sp500.safetensors", import.meta.url),
};

interface Measured {
  readonly name: string;
  readonly server: Server;
  readonly request: Buffer;
  /** How many requests a round has. */
  readonly times: number;
  /** Milliseconds of CPU a request, one a round. */
  readonly samples: number[];
}

/** Milliseconds of CPU a request, over `times` of them, one after the other. */
async function measure({ server, request, times }: Measured): Promise<number> {
  const connection = await Connection.open(server.port);
  const before = server.cpu();
  for (let i = 0; i < times; i++) await connection.send(request);
  connection.close();
  return (server.cpu() - before) / times;
}

function makeLstm(units: number, precision: (typeof PRECISIONS)[number]): Model {
  const channels: Channel[] = Array.from({ length: 5 }, (_, a) => ({ base: "feature", view: "level", a }));
  const model = makeModel(kernel, { units, channels });
  if (precision === "float32") return model;
  const int16 = withPrecision(model, precision);
  const { probabilities } = score(int16, createWasmEngine(kernel, int16), instantiateKernel(kernel).log, model.golden.inputs);
  return { ...int16, golden: { ...model.golden, probabilities: Float32Array.from(probabilities) } };
}

/** Runs the benchmark and prints it. Rounds go by turns over all, so that a busy machine is busy for each. */
export async function run(): Promise<void> {
  const bundled = bundle();
  const servers: Server[] = [];
  const measured: Measured[] = [];
  try {
    for (const units of UNITS)
      for (const precision of PRECISIONS) {
        const model = makeLstm(units, precision);
        const requests = requestsOf(model);
        const server = await serve(withArtifact(bundled, encodeArtifact(model)));
        servers.push(server);
        for (const [format, request] of Object.entries(FORMATS))
          measured.push({
            name: `LSTM(${units}), ${precision}, ${format}`,
            server,
            request: requests[request],
            times: REQUESTS,
            samples: [],
          });
      }
    for (const [name, url] of Object.entries(SINGLES)) {
      const artifact = readFileSync(url);
      const server = await serve(withArtifact(bundled, artifact));
      servers.push(server);
      const request = requestsOf(decodeArtifact(artifact)).one;
      measured.push({ name: `one JSON sequence, ${name}`, server, request, times: SINGLE_REQUESTS, samples: [] });
    }
    // The first round warms up
    for (let round = -1; round < ROUNDS; round++)
      for (const one of measured) {
        const cpu = await measure(one);
        if (round >= 0) one.samples.push(cpu);
      }
  } finally {
    for (const server of servers) await server.stop();
    bundled.remove();
  }
  console.log("CPU of a request of 1000 sequences, where it does not say one; user and system");
  for (const { name, samples } of measured) {
    samples.sort((a, b) => a - b);
    console.log(`  ${name.padEnd(46)} min ${samples[0].toFixed(2).padStart(6)}  median ${samples[ROUNDS >> 1].toFixed(2).padStart(6)} ms`);
  }
}
