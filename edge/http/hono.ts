// Hono as it comes, with one of its routers alone: all paths here are such as it takes, and the others would be 2.5 KiB of every upload.
// A path that it does not take fails every request, tests' first.
import { HonoBase } from "hono/hono-base";
import { RegExpRouter } from "hono/router/reg-exp-router";
import type { BlankSchema, Env, Schema } from "hono/types";

/** A small app of routes. */
export class Hono<E extends Env = Env, S extends Schema = BlankSchema, BasePath extends string = "/"> extends HonoBase<E, S, BasePath> {
  constructor() {
    super();
    this.router = new RegExpRouter();
  }
}
