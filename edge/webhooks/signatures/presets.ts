// Senders whose signature the scheme `hmac` describes: each a table of it, to which a source adds its secrets, and its URL where the sender
// signs one. As their documentation says, and their libraries sign (test/fixtures/providers/vectors.json).
import type { Table } from "../../config/configuration.ts";

const GITHUB = { header: "x-hub-signature-256", prefix: "sha256=", encoding: "hex" };

export const PRESETS: Readonly<Record<string, Table>> = {
  stripe: { header: "stripe-signature/v1", encoding: "hex", signed: "{timestamp}.{body}", sentAt: "stripe-signature/t" },
  github: GITHUB,
  meta: GITHUB,
  slack: {
    header: "x-slack-signature",
    prefix: "v0=",
    encoding: "hex",
    signed: "v0:{timestamp}:{body}",
    sentAt: "x-slack-request-timestamp",
  },
  zoom: { header: "x-zm-signature", prefix: "v0=", encoding: "hex", signed: "v0:{timestamp}:{body}", sentAt: "x-zm-request-timestamp" },
  shopify: { header: "x-shopify-hmac-sha256", encoding: "base64" },
  linear: { header: "linear-signature", encoding: "hex", sentAt: "/webhookTimestamp" },
  paddle: { header: "paddle-signature/h1", encoding: "hex", signed: "{timestamp}:{body}", sentAt: "paddle-signature/ts" },
  customerio: { header: "x-cio-signature", encoding: "hex", signed: "v0:{timestamp}:{body}", sentAt: "x-cio-timestamp" },
  intercom: { header: "x-hub-signature", prefix: "sha1=", encoding: "hex", algorithm: "sha1" },
  square: { header: "x-square-hmacsha256-signature", encoding: "base64", signed: "{url}{body}" },
  zendesk: {
    header: "x-zendesk-webhook-signature",
    encoding: "base64",
    signed: "{timestamp}{body}",
    sentAt: "x-zendesk-webhook-signature-timestamp",
  },
  paystack: { header: "x-paystack-signature", encoding: "hex", algorithm: "sha512" },
  dropbox: { header: "x-dropbox-signature", encoding: "hex" },
};

/** What a source may set beside a preset's own: its secrets, how old a signed time may be, and its public address where that is signed. */
export function presetKeys(preset: Table): readonly string[] {
  return [...(preset.sentAt === undefined ? [] : ["tolerance"]), ...(String(preset.signed).includes("{url}") ? ["url"] : [])];
}
