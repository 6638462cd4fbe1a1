// What tests take from workerd.
declare module "cloudflare:workers" {
  /** `default` is the Worker of wrangler.toml, in the isolate of the tests. */
  export const exports: { default: { fetch: typeof fetch } };
}
