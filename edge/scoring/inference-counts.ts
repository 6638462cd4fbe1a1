// How many infer requests of the Open Inference Protocol this isolate has answered, as Triton's statistics extension words it. Each
// isolate counts for itself and from nothing. Nothing is timed: a Worker's clock stands still while it computes.

/** A model as the protocol lists it, by its name and the beginning of its hash. */
export interface NamedVersion {
  readonly name: string;
  readonly version: string;
}

/** Counts of one isolate, by the model's name. */
export interface InferCounts {
  /** One request that was answered, at `now`, in milliseconds since 1970. */
  add(name: string, sequences: number, now: number): void;
  /** One request that was answered with a problem. */
  addFailure(name: string): void;
  /** The body of GET /v2/models/{name}/stats, of one model or more. */
  describe(models: readonly NamedVersion[]): object;
}

const NONE = { requests: 0, sequences: 0, failures: 0, last: 0 };
const untimed = (count: number) => ({ count, ns: 0 });

/** Nothing counted yet. */
export function createInferCounts(): InferCounts {
  const counted = new Map<string, typeof NONE>();
  const of = (name: string): typeof NONE => {
    const known = counted.get(name) ?? { ...NONE };
    counted.set(name, known);
    return known;
  };
  return {
    add(name, sequences, now) {
      const counts = of(name);
      counts.requests++;
      counts.sequences += sequences;
      counts.last = now;
    },
    addFailure(name) {
      of(name).failures++;
    },
    describe: (models) => ({
      note: "counted since this isolate of the Worker started; other isolates count for themselves; nothing is timed, so that ns is 0",
      model_stats: models.map((one) => describeCounts(one, counted.get(one.name) ?? NONE)),
    }),
  };
}

function describeCounts({ name, version }: NamedVersion, { requests, sequences, failures, last }: typeof NONE) {
  const answered = untimed(requests);
  return {
    name,
    version,
    last_inference: last,
    inference_count: sequences,
    execution_count: requests,
    inference_stats: {
      success: answered,
      fail: untimed(failures),
      queue: answered,
      compute_input: answered,
      compute_infer: answered,
      compute_output: answered,
      cache_hit: untimed(0),
      cache_miss: untimed(0),
    },
    batch_stats: [],
  };
}
