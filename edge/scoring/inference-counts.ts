// How many infer requests of the Open Inference Protocol this isolate has answered, as Triton's statistics extension words it. Each
// isolate counts for itself and from nothing. Nothing is timed: a Worker's clock stands still while it computes.

/** Counts of one isolate. */
export interface InferCounts {
  /** One request that was answered, at `now`, in milliseconds since 1970. */
  add(sequences: number, now: number): void;
  /** One request that was answered with a problem. */
  addFailure(): void;
  /** The body of GET /v2/models/{name}/stats. */
  describe(name: string, version: string): object;
}

/** Nothing counted yet. */
export function createInferCounts(): InferCounts {
  const counted = { requests: 0, sequences: 0, failures: 0, last: 0 };
  const untimed = (count: number) => ({ count, ns: 0 });
  return {
    add(sequences, now) {
      counted.requests++;
      counted.sequences += sequences;
      counted.last = now;
    },
    addFailure() {
      counted.failures++;
    },
    describe(name, version) {
      const { requests, sequences, failures, last } = counted;
      const answered = untimed(requests);
      return {
        note: "counted since this isolate of the Worker started; other isolates count for themselves; nothing is timed, so that ns is 0",
        model_stats: [
          {
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
          },
        ],
      };
    },
  };
}
