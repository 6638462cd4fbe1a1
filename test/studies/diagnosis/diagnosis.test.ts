// The short form of `npm run diagnosis`: a handful of data sets of tuning seeds, at strengths that leave no doubt.
import { expect, test } from "vitest";
import { answer } from "./answer.ts";
import { isRight } from "./score.ts";
import { casesOf, strengthsOf } from "./strengths.ts";

const SEED = 101;
/** Two to four seconds each on a quiet core. */
const TIMEOUT = 120_000;
const plants = [
  "movement-tiny: raw",

  "label-conflict",
  "leak",
  "non-finite",
  "labels-invalid",
  "one-class",
  "too-few",
];
const cases = plants.map((name) => casesOf(SEED).findLast((each) => each.name === name)!);

test.each([...strengthsOf(cases)])(
  "names the planted cause first: $name",
  async ({ name, seed, stream }, { strength }) => {
    const answered = await answer({ kind: "planted", name, strength, seed, stream });
    expect(answered).toSatisfy(isRight);
  },
  TIMEOUT,
);

test(
  "names none where there is none",
  async () => {
    expect((await answer({ kind: "healthy", seed: SEED, stream: 1000 })).named).toEqual([]);
  },
  TIMEOUT,
);

test(
  "claims no signal on permuted labels",
  async () => {
    expect((await answer({ kind: "permuted", seed: SEED, stream: 2000 })).claims).toBe(false);
  },
  TIMEOUT,
);
