// Interleaved repetitions, so that a noisy machine is noisy to every contestant, told as min, median and max.

export interface Contestant {
  readonly name: string;
  /** Does the work `times` times. */
  run(times: number): Promise<void> | void;
}

export interface Timing {
  readonly name: string;
  /** Milliseconds for one time, ascending. */
  readonly samples: readonly number[];
}

/** Times every contestant once a round, `rounds` rounds, each sample over `times` times. The first two rounds warm up. */
export async function race(contestants: readonly Contestant[], rounds: number, times: number): Promise<Timing[]> {
  const samples: number[][] = contestants.map(() => []);
  for (let round = -2; round < rounds; round++)
    for (const [i, contestant] of contestants.entries()) {
      const start = performance.now();
      await contestant.run(times);
      if (round >= 0) samples[i].push((performance.now() - start) / times);
    }
  return contestants.map(({ name }, i) => ({ name, samples: samples[i].sort((a, b) => a - b) }));
}

export function medianOf({ samples }: Timing): number {
  return samples[samples.length >> 1];
}

/** One line a contestant: min, median, max in `unit`, a sample divided by `per`; then the median's ratio to the last contestant's. */
export function report(title: string, timings: readonly Timing[], unit: "µs" | "ms", per = 1): void {
  const factor = (unit === "µs" ? 1000 : 1) / per;
  console.log(title);
  const last = medianOf(timings[timings.length - 1]);
  for (const timing of timings) {
    const { name, samples } = timing;
    const [min, median, max] = [samples[0], medianOf(timing), samples[samples.length - 1]].map((ms) =>
      (factor * ms).toFixed(1).padStart(8),
    );
    console.log(`  ${name.padEnd(16)} min ${min}  median ${median}  max ${max} ${unit}   ${(medianOf(timing) / last).toFixed(3)}×`);
  }
}
