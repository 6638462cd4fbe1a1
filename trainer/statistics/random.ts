// Seeded randomness that draws the same numbers on every host: integer arithmetic, + − × ÷ and comparisons only.
// Not for secrets.

export interface Random {
  /** Uniform in [0, 1), 53 bits. */
  uniform(): number;
  /** Standard normal. */
  normal(): number;
  /** Uniform among 0 … below − 1; off by at most below / 2^53. */
  integer(below: number): number;
  /** Reorders in place, every order as likely. */
  shuffle(values: Int32Array): void;
}

/**
 * xoshiro128** (Blackman & Vigna, prng.di.unimi.it/xoshiro128starstar.c), its state filled by splitmix64
 * (prng.di.unimi.it/splitmix64.c) as its authors advise. `seed` and `stream` are whole numbers; streams of one seed are
 * unrelated, so that drawing more in one place does not change what another draws.
 */
export function createRandom(seed: number, stream = 0): Random {
  const splitmix = createSplitmix64(mix64(BigInt(seed) + GAMMA) + BigInt(stream));
  let [a, b, c, d] = Int32Array.from([splitmix(), splitmix()].flatMap((word) => [Number(word >> 32n), Number(word & 0xffffffffn)]));

  /** 32 random bits, unsigned. */
  function next(): number {
    const times5 = Math.imul(b, 5);
    const result = Math.imul((times5 << 7) | (times5 >>> 25), 9) >>> 0;
    const shifted = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= shifted;
    d = (d << 11) | (d >>> 21);
    return result;
  }

  function uniform(): number {
    const high = next() >>> 5;
    return (high * 2 ** 26 + (next() >>> 6)) / 2 ** 53;
  }

  /** True with probability exp(−x): the run of falling uniforms that starts below x ≤ 1 has even length (von Neumann 1951). */
  function withProbabilityExp(x: number): boolean {
    for (; x > 1; x--) if (!withProbabilityExp(1)) return false;
    let even = true;
    for (let last = x, draw = uniform(); draw < last; draw = uniform()) {
      even = !even;
      last = draw;
    }
    return even;
  }

  /** Karney 2016, "Sampling exactly from the normal distribution" (doi.org/10.1145/2710016), in float64: no logarithm, no tables. */
  function normal(): number {
    while (true) {
      let whole = 0;
      while (withProbabilityExp(0.5)) whole++; // exp(−whole / 2) of the density; the rest decides below
      const size = whole + uniform();
      if (withProbabilityExp((size * size - whole) / 2)) return next() & 1 ? size : -size;
    }
  }

  function integer(below: number): number {
    return Math.floor(uniform() * below);
  }

  function shuffle(values: Int32Array): void {
    for (let i = values.length - 1; i > 0; i--) {
      const j = integer(i + 1);
      [values[i], values[j]] = [values[j], values[i]];
    }
  }

  return { uniform, normal, integer, shuffle };
}

const GAMMA = 0x9e3779b97f4a7c15n; // splitmix64's step

function mix64(word: bigint): bigint {
  let z = BigInt.asUintN(64, word);
  z = BigInt.asUintN(64, (z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n);
  z = BigInt.asUintN(64, (z ^ (z >> 27n)) * 0x94d049bb133111ebn);
  return z ^ (z >> 31n);
}

function createSplitmix64(seed: bigint): () => bigint {
  let state = seed;
  return () => mix64((state += GAMMA));
}
