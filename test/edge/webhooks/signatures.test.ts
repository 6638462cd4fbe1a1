// Every sender in Node; and our verdicts beside those of the senders' own libraries, our deliveries in their hands.
import { createPublicKey, sign, verify as verifyEd25519 } from "node:crypto";
import { encodeArtifact } from "../../../shared/artifact.ts";
import { openApp } from "../../fixtures/app.ts";
import { kernel } from "../../fixtures/kernel.ts";
import { makeModel } from "../../fixtures/model.ts";
import { describeSenders } from "../../fixtures/senders.ts";

const artifact = encodeArtifact(makeModel(kernel, { name: "fx" }));
describeSenders((surroundings) => openApp(kernel, artifact, surroundings));
void [createPublicKey, sign, verifyEd25519];
