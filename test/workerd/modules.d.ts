// What tests take from workerd.
declare module "cloudflare:workers" {
  /** `default` is the Worker of wrangler.toml, in the isolate of the tests. */
  export const exports: { default: { fetch: typeof fetch; scheduled(controller: object): Promise<void> } };
}
declare module "cloudflare:test" {
  type Storage = import("../../edge/streams/storage.ts").ObjectStorage & { getAlarm(): Promise<number | null> };
  export function runInDurableObject<R>(stub: unknown, run: (instance: unknown, state: { storage: Storage }) => R | Promise<R>): Promise<R>;
  /** Runs the alarm that is set, at once; whether one was. */
  export function runDurableObjectAlarm(stub: unknown): Promise<boolean>;
  export function evictAllDurableObjects(): Promise<void>;
}
declare module "*?raw" {
  const text: string;
  export default text;
}
