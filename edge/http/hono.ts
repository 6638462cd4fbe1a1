// Hono with a router of its own. Of those that it comes with, PatternRouter and LinearRouter take `/v1/score/` for `/v1/score`, and
// RegExpRouter is 3.6 KB of every upload and a tenth of a start (measured).
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
