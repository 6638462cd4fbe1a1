// GET /v1/model: the card of the deployed model, as people and programs read it.

import { networksOf, summariseMembers } from "../../shared/members.ts";
import { describeChannel } from "../../shared/recipe/channel.ts";
import { describeColumns } from "../../shared/recipe/tabular.ts";
import { VERSION } from "../../shared/version.ts";
import { MAX_BODY_BYTES } from "../http/body.ts";
import { Hono } from "../http/hono.ts";
import type { EdgeEnv } from "../http/request-context.ts";
import { allowOnly } from "../http/respond.ts";
import type { ServedModel } from "../models/models.ts";
import { describeTaken } from "../models/taken.ts";
import { maxSequences } from "../scoring/scoring.ts";
import type { RequestModel } from "./request-model.ts";

/** The card of the model that is served; behind /v1/models/{name}/card of that name's. */
export function modelRoutes(modelOf: RequestModel) {
  return new Hono<EdgeEnv>()
    .get("/", async (c) => c.json(describeCard(await modelOf(c, c.req.param("name" as never)))))
    .all("/", allowOnly("GET", "HEAD"));
}

function describeCard(served: ServedModel) {
  const { model, format, sha256 } = served;
  const { name, recipe, view, members, stack, calibration, operatingPoints, card } = model;
  const { clip, lengths, features } = recipe;
  const taken = describeTaken(served);
  const { test: metrics, ...facts } = card ?? {};
  return {
    ...facts, // data, split, training, intervals, reliability, baselines, warnings, versions
    ...taken,
    name,
    sha256,
    format,
    version: VERSION,
    recipe: { ...taken.recipe, channels: recipe.channels.map((channel) => describeChannel(channel, features)), clip, lengths },
    units: members && networksOf({ members })[0]?.units,
    members: members && summariseMembers({ members, stack }),
    columns: view && describeColumns(view, features),
    calibration,
    operatingPoints,
    metrics,
    limits: { sequences: maxSequences(recipe), bodyBytes: MAX_BODY_BYTES },
  };
}
