// npm run bench [-- name …]: every benchmark, or the named ones, one after the other.
const BENCHES: Record<string, () => Promise<{ run(): Promise<void> }>> = {
  batches: () => import("./batches.ts"),
  boosting: () => import("./boosting.ts"),
  edge: () => import("./edge.ts"),
  inference: () => import("./inference.ts"),
  layers: () => import("./layers.ts"),
  load: () => import("./load.ts"),
  streams: () => import("./streams.ts"),
  tfjs: () => import("./tfjs.ts"),
  train: () => import("./train.ts"),
};

const named = process.argv.slice(2);
for (const name of named.length > 0 ? named : Object.keys(BENCHES)) {
  if (!Object.hasOwn(BENCHES, name)) {
    console.error(`no benchmark ${name}: there are ${Object.keys(BENCHES).join(", ")}`);
    process.exit(2);
  }
  const { run } = await BENCHES[name]();
  await run();
}
