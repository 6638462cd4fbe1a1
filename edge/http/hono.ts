// Hono with a router of its own: the ones that it comes with would be 2.5 KiB of every upload.
import { HonoBase } from "hono/hono-base";
import type { BlankSchema, Env, Schema } from "hono/types";
import { SegmentRouter } from "./segment-router.ts";

/** A small app of routes. */
export class Hono<E extends Env = Env, S extends Schema = BlankSchema, BasePath extends string = "/"> extends HonoBase<E, S, BasePath> {
  constructor() {
    super();
    this.router = new SegmentRouter();
  }
}
