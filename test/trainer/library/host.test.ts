// What this machine offers: what it lacks is said once, however many kernels a run opens.
import { expect, test, vi } from "vitest";
import { openHost } from "../../../trainer/library/host.ts";

const DATA = { channels: new Float32Array(1), lengths: Int32Array.of(1), labels: [0] };
const OPTIONS = { channels: 1, timesteps: 1, units: 1, maxBatch: 1, optimizer: "adam", clipNorm: 1, weightDecay: 0 } as const;

test("a host without relaxed SIMD says so once, and once for each new host", () => {
  const validate = vi.spyOn(WebAssembly, "validate");
  const said: string[] = [];
  try {
    for (let hosts = 0; hosts < 2; hosts++) {
      const { createStepper } = openHost((message) => said.push(message));
      for (let kernels = 0; kernels < 3; kernels++) {
        validate.mockReturnValueOnce(true).mockReturnValueOnce(false); // shared memory, then relaxed SIMD
        createStepper({ threads: 1 })(DATA, OPTIONS).dispose();
      }
    }
  } finally {
    validate.mockRestore();
  }
  expect(said).toEqual(Array(2).fill(expect.stringContaining("this host has no relaxed SIMD")));
});
