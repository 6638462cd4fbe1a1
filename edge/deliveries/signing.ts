// One attempt at a delivery, signed as Standard Webhooks 1.0.0 says: whoever verifies with its libraries can receive us.
import { encodeText } from "../http/encoding.ts";
import { type SigningKey, signContent } from "../webhooks/signatures/keys.ts";

export interface Delivery {
  /** The same on every attempt, without a dot: what receivers tell repetitions by. */
  readonly id: string;
  /** Of this attempt, in seconds since 1970: receivers refuse old ones. */
  readonly timestampSeconds: number;
  readonly body: string;
  /** Each signs; the receiver is content with one it knows. */
  readonly keys: readonly SigningKey[];
}

export interface DeliveryHeaders extends Record<string, string> {
  "content-type": string;
  "webhook-id": string;
  "webhook-timestamp": string;
}

/** The headers of a delivery: its id, its timestamp, and, where there are keys, a signature of every key over `id.timestamp.body`. */
export async function signDelivery({ id, timestampSeconds, body, keys }: Delivery): Promise<DeliveryHeaders> {
  const content = encodeText(`${id}.${timestampSeconds}.${body}`);
  const signatures = await Promise.all(keys.map((key) => signContent(key, content)));
  return {
    "content-type": "application/json",
    "webhook-id": id,
    "webhook-timestamp": `${timestampSeconds}`,
    ...(signatures.length > 0 && { "webhook-signature": signatures.join(" ") }),
  };
}
