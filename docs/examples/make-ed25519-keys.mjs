// Prints a new pair of ed25519 keys: whsk_… is the Worker's secret, whpk_… is for the receiver.
import { generateKeyPairSync } from "node:crypto";

const { privateKey, publicKey } = generateKeyPairSync("ed25519");
const last32 = (key, type) => key.export({ format: "der", type }).subarray(-32).toString("base64");
console.log(`whsk_${last32(privateKey, "pkcs8")}\nwhpk_${last32(publicKey, "spki")}`);
