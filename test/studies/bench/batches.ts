// What 1000 sequences a request cost on raw workerd: CPU of the process, user and system, with all that a request takes, for LSTMs of
// several sizes in float32 and in whole numbers of 16 bits.
import { encodeArtifact } from "../../../shared/artifact/artifact.ts";
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

interface Measured {
  readonly name: string;
  readonly server: Server;
  readonly request: Buffer;
  /** Milliseconds of CPU a request, one a round. */
  readonly samples: number[];
}

/** Milliseconds of CPU a request, over REQUESTS of them, one after the other. */
async function measure({ server, request }: Measured): Promise<number> {
  const connection = await Connection.open(server.port);
  const before = server.cpu();
  for (let i = 0; i < REQUESTS; i++) await connection.send(request);
  connection.close();
  return (server.cpu() - before) / REQUESTS;
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
          measured.push({ name: `LSTM(${units}), ${precision}, ${format}`, server, request: requests[request], samples: [] });
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
  console.log("CPU of 1000 sequences a request, user and system");
  for (const { name, samples } of measured) {
    samples.sort((a, b) => a - b);
    console.log(`  ${name.padEnd(32)} min ${samples[0].toFixed(1).padStart(6)}  median ${samples[ROUNDS >> 1].toFixed(1).padStart(6)} ms`);
  }
}
