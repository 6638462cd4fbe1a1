// The kernel's elementary functions, and what its module may be made of.
import { readFileSync } from "node:fs";
import binaryen from "binaryen";
import { describe, expect, test } from "vitest";
import { instantiateKernel } from "../../shared/engine.ts";
import { kernel as module } from "../fixtures/kernel.ts";
import { randomOf } from "../fixtures/model.ts";

const kernel = instantiateKernel(module);

describe("the module", () => {
  const disassemble = (path: string): string => {
    const decoded = binaryen.readBinary(readFileSync(new URL(path, import.meta.url)));
    const text = decoded.emitText();
    decoded.dispose();
    return text;
  };
  const text = disassemble("../../shared/kernel/inference.wasm");

  test("imports nothing", () => {
    expect(WebAssembly.Module.imports(module)).toEqual([]);
  });

  test("has no instruction whose result the host may choose", () => {
    expect(text).toContain("f32x4.mul");
    expect(text).not.toContain("relaxed");
    expect(disassemble("../../trainer/kernel/training.wasm")).toContain("relaxed"); // so this is how they would show
  });

  test("holds no data and never grows or clears memory by itself", () => {
    expect(text).toContain("(memory ");
    expect(text).not.toMatch(/\(data |memory\.(grow|fill|init|copy)|\(start /);
  });
});

describe.each([
  // The bounds are the largest errors over every float32 from 2^−31 to 2^7 in size, found once by trying them all:
  // sigmoid 1.058e-7 at 1.69407, tanh 1.413e-7 at −0.84406. Here every 997th, of all finite ones.
  { name: "sigmoid", evaluate: kernel.sigmoid, exact: (x: number) => 1 / (1 + Math.exp(-x)), bound: 1.06e-7, least: 0 },
  { name: "tanh", evaluate: kernel.tanh, exact: Math.tanh, bound: 1.42e-7, least: -1 },
])("$name", ({ name, evaluate, exact, bound, least }) => {
  test(`errs by at most ${bound} and stays in [${least}, 1]`, () => {
    const bits = new Uint32Array(1);
    const float = new Float32Array(bits.buffer);
    let largest = 0;
    let outside = 0;
    for (const sign of [0, 0x80000000])
      for (let b = 0; b < 0x7f800000; b += 997) {
        bits[0] = sign | b;
        const y = evaluate(float[0]);
        largest = Math.max(largest, Math.abs(y - exact(float[0])));
        if (!(y >= least && y <= 1)) outside++;
      }
    expect(outside).toBe(0);
    expect(largest).toBeLessThanOrEqual(bound);
    expect(largest).toBeGreaterThan(0.9 * bound); // the bound is the function's, not merely above it
  });

  test("saturates, and lets NaN through", () => {
    for (const x of [1e30, 3.4e38, Number.POSITIVE_INFINITY]) {
      expect(evaluate(x)).toBe(1);
      expect(evaluate(-x)).toBeCloseTo(least, 30); // 2^−126 for the sigmoid
    }
    expect(evaluate(Number.NaN)).toBeNaN();
    expect(evaluate(0)).toBe(name === "tanh" ? 0 : 0.5);
  });
});

describe("log and exp", () => {
  /** The distance of a from b in units of b's last place. */
  const ulps = (a: number, b: number): number => {
    const exponent = Math.max(-1022, Math.floor(Math.log2(Math.abs(b))));
    return Math.abs(a - b) / 2 ** (exponent - 52);
  };

  // FreeBSD's log and exp, which AssemblyScript carries, err by less than 1 ulp; Math's by less than 1 more.
  test("log is within 2 ulp of Math.log from the smallest to the largest float64", () => {
    const random = randomOf(1);
    let largest = 0;
    for (let i = 0; i < 200_000; i++) {
      const x = i % 2 === 0 ? 2 ** (2098 * random() - 1074) : 0.5 + random();
      largest = Math.max(largest, ulps(kernel.log(x), Math.log(x)));
    }
    expect(largest).toBeLessThanOrEqual(2);
    expect([0, 1, Number.POSITIVE_INFINITY, -1].map(kernel.log)).toEqual([Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY, NaN]);
  });

  test("exp is within 2 ulp of Math.exp wherever that is finite", () => {
    const random = randomOf(2);
    let largest = 0;
    for (let i = 0; i < 200_000; i++) {
      const x = i % 2 === 0 ? 1454 * random() - 745 : 4 * random() - 2;
      largest = Math.max(largest, ulps(kernel.exp(x), Math.exp(x)));
    }
    expect(largest).toBeLessThanOrEqual(2);
    expect([0, 710, -746].map(kernel.exp)).toEqual([1, Number.POSITIVE_INFINITY, 0]);
  });

  test("give the bits they always gave", () => {
    // A change means that artifacts no longer score as they did when they were written.
    const values = Float64Array.from({ length: 4096 }, (_, i) => 0.001 + i * 0.37);
    const small = values.map((x) => x / 100 - 8);
    expect({
      log: hash(values.map(kernel.log)),
      exp: hash(small.map(kernel.exp)),
      sigmoid: hash(Float32Array.from(small, kernel.sigmoid)),
      tanh: hash(Float32Array.from(small, kernel.tanh)),
    }).toEqual({ log: "1c3307e", exp: "836f10fc", sigmoid: "83c59ac8", tanh: "364164b7" });
  });
});

/** FNV-1a (isthe.com/chongo/tech/comp/fnv), 32 bits, of an array's bytes. */
function hash(array: Float64Array | Float32Array): string {
  let h = 0x811c9dc5;
  for (const byte of new Uint8Array(array.buffer)) h = Math.imul(h ^ byte, 0x01000193);
  return (h >>> 0).toString(16);
}
