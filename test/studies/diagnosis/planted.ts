// Synthetic data sets with one cause each of a loss that stays too high, or none. Pure: a seed gives the same numbers everywhere. The
// probability is known, so is the share of what can be learnt that a network learns, with the `fix` and without.
// Legend: N sequences, T steps, F features. Long because it is one table: each plant a few lines.
import type { Channel } from "../../../shared/recipe/channel.ts";
import type { Plan } from "../../../shared/recipe/recipe.ts";
import type { CauseCode } from "../../../trainer/diagnosis/cause.ts";
import { createRandom, type Random } from "../../../trainer/statistics/random.ts";
import { asData, type Data, drawLatent, each, labelBy, mild, observe, plain, planOf, relabel, shuffled, soundSettings } from "./latent.ts";

export interface Planted {
  readonly code: CauseCode | "healthy";
  readonly data: Data;
  /** (N) what nobody can beat, given these values; before anything was done to labels or values that no network could know. */
  readonly probability: Float64Array;
  /** As --tried takes it. */
  readonly baseline: string;
  /** Other channels, or other words for --tried. Undefined where no network fixes it. */
  readonly fix?: { readonly plan?: Plan; readonly setup?: string };
}

/** What `strength` means is said at each plant. */
export type Plant = (random: Random, strength: number) => Omit<Planted, "code">;

/** Nothing is wrong. The baseline setup differs in whether it scales, and the data in their units and in rows that are missing in front. */
export const healthy: Plant = (random) => {
  const kind = random.integer(3);
  const { latent, values } = plain(random, { missing: kind === 1 ? 4 : 0 });
  if (kind === 2) {
    // scaled in the baseline setup, whatever the units
    const unit = Float64Array.from({ length: latent.F }, () => 10 ** (3 * random.normal()));
    for (let i = 0; i < values.length; i++) values[i] *= unit[i % latent.F];
  }
  const words = kind === 0 && random.integer(2) === 0 ? "" : ",scaled";
  return { data: asData(latent, values), probability: latent.probability, baseline: `${soundSettings(random)}${words},mask` };
};

export const PLANTS = {
  /** Features in units so small that the network hears nothing. */
  "features-unscaled: small": (random, strength) => unscaled(random, () => 1 / strength),
  /** Those that say nothing in units so large that they shut every gate. */
  "features-unscaled: mixed": (random, strength) => unscaled(random, (isSignal) => (isSignal ? 1 : strength)),

  /** Sequences stand at levels of their own, `strength` times as far apart as they move, and only the movement counts. */
  "movement-tiny": (random, strength) => moving(random, strength, "scaled"),
  /** The same on raw numbers around 1.25 that differ by a few hundredths, and move so little that scales alone bring nothing. */
  "movement-tiny: raw": (random, strength) => moving(random, strength, ""),

  /** Two features walk together, `strength` times as far as they stand apart; what counts is how they stand. */
  "difference-hidden": (random, strength) => {
    const latent = drawLatent(random);
    const { T, F, u, signal } = latent;
    const [a, b] = signal;
    const near = new Float64Array(latent.N * T);
    for (let n = 0; n < latent.N; n++)
      for (let t = 0, level = random.normal(); t < T; t++) near[n * T + t] = level = 0.8 * level + 0.6 * random.normal();
    const look = mild(random, F);
    const { probability, labels } = labelBy(latent, random, (row) => u[row + a]);
    const values = observe(latent, (row, f, n, t) => {
      if (f === a) return 5 * near[n * T + t] + (5 * u[row + a]) / strength;
      return f === b ? 5 * near[n * T + t] : look(u[row + f], f);
    });
    const others = each(F, "level").filter((channel) => channel.a !== a && channel.a !== b);
    const channels: Channel[] = [{ base: "difference", a, b, view: "level" }, { base: "feature", a: b, view: "level" }, ...others];
    const own = { ...latent, labels };
    return {
      data: asData(own, values),
      probability,
      baseline: `${soundSettings(random)},scaled,mask`,
      fix: { plan: planOf(latent, channels, "any") },
    };
  },

  /** `strength` all-zero rows behind the others and a few more: an LSTM without a mask forgets over them. */
  "padding-unmasked": (random, strength) => {
    const latent = drawLatent(random, { N: 1500 });
    const { N, T, F, u } = latent;
    const longer = T + Math.round(strength) + 4;
    const look = mild(random, F);
    const values = new Float64Array(N * longer * F);
    for (let n = 0; n < N; n++) {
      const front = random.integer(5);
      for (let t = 0; t < T; t++) for (let f = 0; f < F; f++) values[(n * longer + front + t) * F + f] = look(u[(n * T + t) * F + f], f);
    }
    const settings = soundSettings(random);
    return {
      data: asData({ ...latent, T: longer }, values),
      probability: latent.probability,
      baseline: settings,
      fix: { setup: `${settings},mask` },
    };
  },

  "learning-rate-high": (random, strength) => rated(random, strength, ""),
  "learning-rate-low": (random, strength) => rated(random, strength, ",epochs=30"),

  /** Stopped after `strength` epochs. */
  undertrained: (random, strength) => {
    const { latent, values } = plain(random);
    const settings = "scaled,mask,adam,lr=0.001,batch=64,units=16";
    const epochs = Math.max(1, Math.round(strength));
    return {
      data: asData(latent, values),
      probability: latent.probability,
      baseline: `${settings},epochs=${epochs}`,
      fix: { setup: settings },
    };
  },

  /** Few sequences, a large network, and `strength` epochs without stopping. */
  overfit: (random, strength) => {
    const { latent, values } = plain(random, { N: 1000 });
    const settings = "scaled,mask,adam,lr=0.003,batch=32,units=64";
    const epochs = Math.max(1, Math.round(strength));
    return {
      data: asData(latent, values),
      probability: latent.probability,
      baseline: `${settings},epochs=${epochs}`,
      fix: { setup: settings },
    };
  },

  /** The share `strength` of the sequences stands there twice, once as 0 and once as 1. */
  "label-conflict": (random, strength) => {
    const { latent, values } = plain(random);
    const { N, T, F } = latent;
    const labels = Float64Array.from(latent.labels);
    const order = Int32Array.from({ length: N }, (_, n) => n);
    random.shuffle(order);
    for (let i = 0; i + 1 < strength * N; i += 2) {
      const [from, to] = [order[i], order[i + 1]];
      values.copyWithin(to * T * F, from * T * F, (from + 1) * T * F);
      labels[to] = 1 - labels[from];
    }
    return { data: asData(latent, values, labels), probability: latent.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },

  /** One cell, the last of a feature that says nothing else, knows the label, up to noise of `strength`. */
  leak: (random, strength) => {
    const { latent, values } = plain(random);
    const { N, T, F, signal } = latent;
    const f = Array.from({ length: F }, (_, k) => k).find((k) => !signal.includes(k))!;
    for (let n = 0; n < N; n++) values[(n * T + T - 1) * F + f] = latent.labels[n] + strength * random.normal();
    return { data: asData(latent, values), probability: latent.labels, baseline: `${soundSettings(random)},scaled,mask` };
  },

  /** The logit of the positive rate rises by `strength` from the first sequence to the last. */
  "drift-in-file": (random, strength) => {
    const N = 3000;
    const { latent, values } = plain(random, { N, drift: (n) => strength * (n / N - 0.5) });
    return { data: asData(latent, values), probability: latent.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },

  "no-signal": (random) => {
    const { latent, values } = plain(random, { missing: random.integer(2) * 3 });
    const rate = 0.2 + 0.3 * random.uniform();
    const labels = Float64Array.from(latent.labels, () => (random.uniform() < rate ? 1 : 0));
    return { data: asData(latent, values, labels), probability: labels.map(() => rate), baseline: `${soundSettings(random)},scaled,mask` };
  },

  "redundant-feature": (random) => {
    const { latent, values } = plain(random);
    const { F } = latent;
    const [k, i, j] = shuffled(F, random);
    const [a, b] = [0.5 + random.uniform(), -2 * random.uniform()];
    for (let at = 0; at < values.length; at += F) values[at + k] = a * values[at + i] + b * values[at + j];
    const own = relabel(latent, values, random, [i, j]);
    return { data: asData(own, values), probability: own.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },

  "constant-feature": (random) => {
    const { latent, values } = plain(random);
    const f = Array.from({ length: latent.F }, (_, k) => k).find((k) => !latent.signal.includes(k))!;
    const constant = Math.round(10 * random.normal());
    for (let at = f; at < values.length; at += latent.F) values[at] = constant;
    return { data: asData(latent, values), probability: latent.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },

  "non-finite": (random) => {
    const { latent, values } = plain(random);
    const count = 1 + random.integer(200);
    for (let k = 0; k < count; k++) values[random.integer(values.length)] = [Number.NaN, Infinity, -Infinity][random.integer(3)];
    return { data: asData(latent, values), probability: latent.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },

  "labels-invalid": (random) => {
    const { latent, values } = plain(random);
    const strange = [2, -1, 0.5, Number.NaN][random.integer(4)];
    const share = random.integer(2) === 0 ? 1 : 0.01 + 0.1 * random.uniform();
    const labels = Float64Array.from(latent.labels, (label) => (label === 1 && random.uniform() < share ? strange : label));
    labels[random.integer(labels.length)] = strange;
    return { data: asData(latent, values, labels), probability: latent.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },

  "one-class": (random) => {
    const { latent, values } = plain(random);
    const only = random.integer(2);
    return {
      data: asData(latent, values, new Float64Array(latent.N).fill(only)),
      probability: latent.probability,
      baseline: `${soundSettings(random)},scaled,mask`,
    };
  },

  "too-few": (random) => {
    const { latent, values } = plain(random, { N: 6 + random.integer(50) });
    return { data: asData(latent, values), probability: latent.probability, baseline: `${soundSettings(random)},scaled,mask` };
  },
} satisfies Readonly<Record<string, Plant>>;

export type PlantName = keyof typeof PLANTS;

export function codeOf(name: PlantName): CauseCode {
  return name.split(":")[0] as CauseCode;
}

/** Every data set of one seed is its own: the stream is the plant's place in the list, the share's behind it. */
export function plant(name: PlantName, strength: number, seed: number, stream: number): Planted {
  const make: Plant = PLANTS[name];
  return { code: codeOf(name), ...make(createRandom(seed, stream), strength) };
}

export function plantHealthy(seed: number, stream: number): Planted {
  return { code: "healthy", ...healthy(createRandom(seed, stream), 0) };
}

/** A healthy data set, or one that needs a fix, with its labels in another order: nothing in it can be learnt. */
export function plantPermuted(seed: number, stream: number): Planted {
  const random = createRandom(seed, stream);
  const makers: Plant[] = [healthy, PLANTS["movement-tiny"], PLANTS["features-unscaled: small"], PLANTS["difference-hidden"]];
  const made = makers[random.integer(makers.length)](random, 10);
  const order = Int32Array.from(made.data.labels.keys());
  random.shuffle(order);
  const labels = Float64Array.from(order, (n) => made.data.labels[n]);
  return { ...made, code: "no-signal", data: { ...made.data, labels } };
}

function unscaled(random: Random, factorOf: (isSignal: boolean) => number): Omit<Planted, "code"> {
  const { latent, values } = plain(random);
  for (let i = 0; i < values.length; i++) values[i] *= factorOf(latent.signal.includes(i % latent.F));
  const settings = soundSettings(random);
  return {
    data: asData(latent, values),
    probability: latent.probability,
    baseline: `${settings},mask`,
    fix: { setup: `${settings},scaled,mask` },
  };
}

function moving(random: Random, strength: number, words: "scaled" | ""): Omit<Planted, "code"> {
  const latent = drawLatent(random);
  const { N, T, F, u, signal } = latent;
  const size = words === "scaled" ? 1 : 0.03;
  const centre = words === "scaled" ? 0 : 1.25;
  const levels = Float64Array.from({ length: N * F }, () => random.normal());
  const walk = new Float64Array(u.length);
  for (let n = 0; n < N; n++)
    for (let t = 0; t < T; t++)
      for (let f = 0; f < F; f++) {
        const at = (n * T + t) * F + f;
        walk[at] = t === 0 ? centre + size * levels[n * F + f] : walk[at - F] + (size * u[at]) / strength;
      }
  // the first movement is not in the values, so it cannot count
  const seen = labelBy(latent, random, (row, t) => (t === 0 ? 0 : u[row + signal[0]] + 0.7 * u[row + signal[1]]), 1.49);
  return {
    data: asData({ ...latent, labels: seen.labels }, walk),
    probability: seen.probability,
    baseline: [soundSettings(random), words, "mask"].filter((word) => word !== "").join(","),
    fix: { plan: planOf(latent, each(F, "delta"), "any") },
  };
}

function rated(random: Random, rate: number, words: string): Omit<Planted, "code"> {
  const { latent, values } = plain(random);
  const optimizer = ["adam", "rmsprop"][random.integer(2)];
  const settings = `scaled,mask,${optimizer},batch=32,units=${[16, 32][random.integer(2)]}`;
  return {
    data: asData(latent, values),
    probability: latent.probability,
    baseline: `${settings},lr=${Number(rate.toPrecision(3))}${words}`,
    fix: { setup: `${settings},lr=0.003` },
  };
}
