// Webhooks with the crypto.subtle of the real runtime: every sender, every tampering, and the published vectors of what we sign.
import { encodeArtifact } from "../../shared/artifact.ts";
import kernel from "../../shared/kernel/inference.wasm";
import { openApp } from "../fixtures/app.ts";
import { makeModel } from "../fixtures/model.ts";
import { describeDeliveries, describeSenders } from "../fixtures/senders.ts";

const artifact = encodeArtifact(makeModel(kernel));
describeSenders((surroundings) => openApp(kernel, artifact, surroundings));
describeDeliveries();
