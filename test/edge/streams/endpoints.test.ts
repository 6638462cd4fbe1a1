// SOURCES and DESTINATIONS: what they may say, and the sentence for everything they may not.
import { describe, expect, test } from "vitest";
import { parseDestinations, refuseOwnHost } from "../../../edge/deliveries/destinations.ts";
import { NO_ENDPOINTS, readEndpoints } from "../../../edge/streams/endpoints.ts";
import { SCHEME_NAMES } from "../../../edge/webhooks/signatures/schemes.ts";
import { ENV, SECRETS } from "../../fixtures/senders.ts";

const GOOD = ENV.SOURCES.standard;
const SIGNED = { scheme: "github", secrets: ["GITHUB"], key: "/a", timestamp: "/b", values: "/c" };
const unusable = (env: object): string | undefined => readEndpoints({ ...SECRETS, DESTINATIONS: ENV.DESTINATIONS, ...env }).unusable;
const ofSource = (source: object, name = "s"): string | undefined => unusable({ SOURCES: { [name]: source } });

describe("SOURCES", () => {
  test("nothing configured is nothing taken in, and no error", () => {
    for (const env of [{}, { SOURCES: "" }, { SOURCES: {} }, { SOURCES: "{}", DESTINATIONS: "" }])
      expect(readEndpoints(env)).toEqual(NO_ENDPOINTS);
  });

  test("is the same as a table and as JSON text", () => {
    const asText = { ...ENV, SOURCES: JSON.stringify(ENV.SOURCES), DESTINATIONS: JSON.stringify(ENV.DESTINATIONS) };
    expect(readEndpoints(asText)).toEqual(readEndpoints(ENV));
    expect([...readEndpoints(ENV).sources.keys()]).toEqual(Object.keys(ENV.SOURCES));
  });

  test("pointers are read as RFC 6901 has it, an address in one spelling, and what is left out is left out", () => {
    const source = { ...SIGNED, key: "/a~1b/~01/0", id: "", values: ["/o", "/h"], allow: ["::FFFF:1", "1.2.3.4"] };
    expect(readEndpoints({ ...ENV, SOURCES: { s: source } }).sources.get("s")).toEqual({
      name: "s",
      scheme: {
        kind: "hmac",
        secrets: [new TextEncoder().encode(SECRETS.GITHUB)],
        signature: { header: "x-hub-signature-256" },
        encoding: "hex",
        prefix: "sha256=",
        algorithm: "sha256",
        signed: ["", "body", ""],
        toleranceS: 300,
        url: "",
      },
      pointers: { key: ["a/b", "~1", "0"], id: [], timestamp: ["b"], content: { kind: "numbers", at: [["o"], ["h"]] } },
      wrapping: { format: "json" },
      destinations: [],
      only: [],
      allowedIps: ["::ffff:1", "1.2.3.4"].map((text) => (text === "::ffff:1" ? new URL("http://[::ffff:1]/").hostname.slice(1, -1) : text)),
    });
    const whole = readEndpoints({ ...ENV, SOURCES: { s: { ...SIGNED, values: undefined, sequence: "/w" } } });
    expect(whole.sources.get("s")?.pointers).toEqual({ key: ["a"], timestamp: ["b"], content: { kind: "sequence", at: ["w"] } });
  });

  test.each<[object | string | number | null, string]>([
    ["{", "SOURCES must be a table, or the same as JSON, got text that is no JSON ("],
    ["[]", "SOURCES must be a table, got an empty array"],
    [7, "SOURCES must be a table, got 7"],
    [null, "SOURCES must be a table, got null"],
    [{ "Upper Case": GOOD }, 'SOURCES must have names of small letters, digits and hyphens, at most 63, got "Upper Case"'],
    [{ "../x": GOOD }, "SOURCES must have names of small letters"],
    [{ api: GOOD }, "SOURCES.api must have another name, got api"],
    [{ s: [] }, "SOURCES.s must be a table, got an empty array"],
    [{ s: "github" }, 'SOURCES.s must be a table, got "github"'],
  ])("%j: %s", (SOURCES, sentence) => expect(unusable({ SOURCES })).toContain(sentence));

  test.each<[object, string]>([
    [{}, `SOURCES.s.scheme must be one of ${SCHEME_NAMES.join(", ")}, got nothing`],
    [{ ...SIGNED, scheme: "sha1" }, `SOURCES.s.scheme must be one of ${SCHEME_NAMES.join(", ")}, got "sha1"`],
    [{ ...SIGNED, destination: ["desk"] }, "SOURCES.s must have no keys but scheme, secrets, "],
    [
      { ...SIGNED, header: "X-A" },
      'SOURCES.s must have no keys but scheme, secrets, handshake, verifyToken, allowedIps, format, json, events, signedBody, key, id, timestamp, values, sequence, static, outcome, destinations, only, streams, model, allow, got "header"',
    ],
    [{ ...SIGNED, secrets: undefined }, "SOURCES.s.secrets must be an array of names of secrets, got nothing"],
    [{ ...SIGNED, secrets: "GITHUB" }, 'SOURCES.s.secrets must be an array of names of secrets, got "GITHUB"'],
    [{ ...SIGNED, secrets: [] }, "SOURCES.s.secrets must hold at least 1 of names of secrets, got an empty array"],
    [{ ...SIGNED, secrets: [7] }, "SOURCES.s.secrets[0] must be text, got 7"],
    [{ ...SIGNED, secrets: ["GITHUB", "GITHUB"] }, 'SOURCES.s.secrets[1] must not stand there twice, got "GITHUB"'],
    [
      { ...SIGNED, secrets: ["GITHUB", "NONE"] },
      "SOURCES.s.secrets[1] must be a secret that is set (wrangler secret put NONE; on this machine, a line of .dev.vars before the start), got none of that name",
    ],
    [{ ...SIGNED, secrets: ["toString"] }, "SOURCES.s.secrets[0] must be a secret that is set"],
    [
      { ...SIGNED, secrets: ["SHORT"] },
      "SOURCES.s.secrets[0] must name a secret that is 15 characters or more, got another, which is not shown",
    ],
    [
      { ...GOOD, secrets: ["GITHUB"] },
      "SOURCES.s.secrets[0] must name a secret that is whsec_ or whpk_ and base64, got another, which is not shown",
    ],
    [{ ...GOOD, secrets: ["STRIPE"] }, "SOURCES.s.secrets[0] must name a secret that is whsec_ and base64 of 24 to 64 bytes, got another"],
    [{ ...GOOD, secrets: ["SMALL"] }, "SOURCES.s.secrets[0] must name a secret that is whsec_ and base64 of 24 to 64 bytes, got another"],
    [{ ...GOOD, secrets: ["ASYMMETRIC"] }, "SOURCES.s.secrets[0] must name a secret that is whsec_ or whpk_"],
    [{ ...GOOD, secrets: ["CUT"] }, "SOURCES.s.secrets[0] must name a secret that is whpk_ and base64 of a public key of 32 bytes"],
    [{ ...SIGNED, key: undefined }, "SOURCES.s.key must be a JSON Pointer such as /data/ticker, got nothing"],
    [{ ...SIGNED, key: "ticker" }, 'SOURCES.s.key must be a JSON Pointer such as /data/ticker, got "ticker"'],
    [{ ...SIGNED, id: "/a~2" }, 'SOURCES.s.id must be a JSON Pointer such as /data/ticker, got "/a~2"'],
    [{ ...SIGNED, timestamp: undefined }, "SOURCES.s.timestamp must be a JSON Pointer such as /data/ticker, got nothing"],
    [{ ...SIGNED, values: undefined }, "SOURCES.s must have either values or sequence, got neither"],
    [{ ...SIGNED, sequence: "/w" }, "SOURCES.s must have either values or sequence, got both"],
    [{ ...SIGNED, values: [] }, "SOURCES.s.values must hold at least 1 of JSON Pointers, got an empty array"],
    [{ ...SIGNED, values: ["/o", "h"] }, 'SOURCES.s.values[1] must be a JSON Pointer such as /data/ticker, got "h"'],
    [{ ...SIGNED, destinations: "desk" }, 'SOURCES.s.destinations must be an array of names of DESTINATIONS, got "desk"'],
    [{ ...SIGNED, destinations: ["desk", "nowhere"] }, 'SOURCES.s.destinations[1] must be one of DESTINATIONS, got "nowhere"'],
    [{ ...SIGNED, allow: ["1.2.3.4"], allowedIps: ["1.2.3.4"] }, "SOURCES.s must have either allowedIps or allow, got both"],
    [
      { ...SIGNED, allowedIps: ["1.2.3"] },
      'SOURCES.s.allowedIps[0] must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24, got "1.2.3"',
    ],
    [{ ...SIGNED, allow: [] }, "SOURCES.s.allow must hold at least 1 of IP addresses and ranges, got an empty array"],
    [
      { ...SIGNED, allow: ["1.2.3.4", "1.2.3"] },
      'SOURCES.s.allow[1] must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24, got "1.2.3"',
    ],
    [
      { ...SIGNED, allow: ["10.0.0.0/33"] },
      'SOURCES.s.allow[0] must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24, got "10.0.0.0/33"',
    ],
    [
      { ...SIGNED, allow: ["1.2.3.256"] },
      'SOURCES.s.allow[0] must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24, got "1.2.3.256"',
    ],
    [
      { ...SIGNED, allow: ["010.0.0.1"] },
      'SOURCES.s.allow[0] must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24, got "010.0.0.1"',
    ],
    [{ ...SIGNED, allow: ["::1::2"] }, 'SOURCES.s.allow[0] must be an IPv4 or IPv6 address, or a range such as 192.0.2.0/24, got "::1::2"'],
    [{ ...SIGNED, scheme: "token" }, "SOURCES.s.token must be path, header:NAME or a JSON Pointer such as /token, got nothing"],
    [
      { ...SIGNED, scheme: "token", token: "header" },
      'SOURCES.s.token must be path, header:NAME or a JSON Pointer such as /token, got "header"',
    ],
    [
      { ...SIGNED, scheme: "hmac", encoding: "hex" },
      "SOURCES.s.header must be a header, or a header and the name of a part such as x-signature/v1, got nothing",
    ],
    [
      { ...SIGNED, scheme: "hmac", encoding: "hex", header: "X A" },
      'SOURCES.s.header must be a header, or a header and the name of a part such as x-signature/v1, got "X A"',
    ],
    [{ ...SIGNED, scheme: "hmac", header: "X-A" }, "SOURCES.s.encoding must be one of hex, base64, base64url, got nothing"],
    [{ ...SIGNED, scheme: "hmac", header: "X-A", encoding: "hex", prefix: 1 }, "SOURCES.s.prefix must be text, got 1"],
  ])("%j: %s", (source, sentence) => {
    const whpk = SECRETS.ASYMMETRIC_PUBLIC;
    const secrets = { SHORT: "fourteen chars", SMALL: `whsec_${btoa("23 bytes are not enough")}`, CUT: `${whpk.slice(0, -4)}` };
    const got = unusable({ ...secrets, SOURCES: { s: source } });
    expect(got).toContain(sentence);
    for (const secret of [...Object.values(SECRETS), ...Object.values(secrets)]) expect(got).not.toContain(secret);
  });

  test("one fault shuts all, so that no half of a configuration goes live unseen", () => {
    const { sources, destinations } = readEndpoints({ ...ENV, SOURCES: { good: SIGNED, bad: {} } });
    expect([sources.size, destinations.size]).toEqual([0, 0]);
    expect(ofSource(SIGNED)).toBeUndefined();
  });
});

describe("DESTINATIONS", () => {
  const secretOf = (name: string): string | undefined => (SECRETS as Record<string, string>)[name];
  const parse = (destination: unknown, allowLoopback = false) => parseDestinations({ d: destination }, secretOf, allowLoopback);
  const urlOf = (url: string, allowLoopback = false): string | undefined =>
    parse({ url, secrets: ["STANDARD"] }, allowLoopback).get("d")?.url;

  test("signs with every key it names, each in its own version", () => {
    const keys = parse({ url: "https://a.example.com/in", secrets: ["STANDARD", "ASYMMETRIC"] }).get("d")!.keys;
    expect(keys.map(({ version }) => version)).toEqual(["v1", "v1a"]);
  });

  test.each([
    ["https://hooks.example.com/in?x=1", "https://hooks.example.com/in?x=1"],
    ["https://HOOKS.Example.com:443", "https://hooks.example.com/"],
    ["https://bücher.example.org/a", "https://xn--bcher-kva.example.org/a"],
    ["https://1.example.org/", "https://1.example.org/"],
  ])("%s is %s", (url, expected) => expect(urlOf(url)).toBe(expected));

  test.each([
    ["http://hooks.example.com/", "must be https, got http://"],
    ["ftp://hooks.example.com/", "must be https, got ftp://"],
    ["javascript:alert(1)", "must be https, got javascript://"],
    ["hooks.example.com", "must be an https address, got text that is no URL"],
    ["https://", "must be an https address, got text that is no URL"],
    ["https://user:word@example.com/", "must have no user name or password: deliveries are signed, got one"],
    ["https://user@example.com/", "must have no user name or password"],
    ["https://example.com@10.0.0.1/", "must have no user name or password"],
    ["https://example.com/#a", "must have no fragment, got #a"],
    ["https://example.com:8443/", "must be on https' own port, 443, or on the one that port names, got 8443"],
    ["https://example.com:80/", "must be on https' own port, 443, or on the one that port names, got 80"],
    ["https://127.0.0.1/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://127.1/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://0x7f000001/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://2130706433/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://0177.0.0.1/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://127.0.0.1./", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://１２７.０.０.１/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://%31%32%37.0.0.1/", "must name its host, not an IP address, got 127.0.0.1"],
    ["https://8.8.8.8/", "must name its host, not an IP address, got 8.8.8.8"],
    ["https://169.254.169.254/latest", "must name its host, not an IP address, got 169.254.169.254"],
    ["https://[::1]/", "must name its host, not an IP address, got [::1]"],
    ["https://[::ffff:10.0.0.1]/", "must name its host, not an IP address, got [::ffff:a00:1]"],
    ["https://[64:ff9b::7f00:1]/", "must name its host, not an IP address"],
    ["https://localhost/", "must have a host of the public internet, got localhost"],
    ["https://LOCALHOST/", "must have a host of the public internet, got localhost"],
    ["https://a.localhost/", "must have a host of the public internet, got a.localhost"],
    ["https://localhost./", "must have a host that does not end in a dot, got localhost."],
    ["https://example.com./", "must have a host that does not end in a dot, got example.com."],
    ["https://intranet/", "must have a host of the public internet, got intranet"],
    ["https://printer.local/", "must have a host of the public internet"],
    ["https://metadata.google.internal/", "must have a host of the public internet"],
    ["https://nas.home.arpa/", "must have a host of the public internet"],
    ["https://box.lan/", "must have a host of the public internet"],
    ["https://a.test/", "must have a host of the public internet"],
    ["https://a.onion/", "must have a host of the public internet"],
  ])("%s %s", (url, sentence) => {
    expect(() => urlOf(url)).toThrow(`DESTINATIONS.d.url ${sentence}`);
  });

  test("in development, and only there, http to this machine is a destination, too", () => {
    for (const url of ["http://127.0.0.1:9000/in", "http://localhost:9000/in", "http://[::1]:9000/in"]) {
      expect(urlOf(url, true)).toBe(url);
      expect(() => urlOf(url)).toThrow("must be https, got http://");
    }
    expect(() => urlOf("http://10.0.0.1/", true)).toThrow("must be https, or http to this machine, got http://");
    expect(() => urlOf("http://localhost.example.com/", true)).toThrow("must be https, or http to this machine");
    const env = { ...SECRETS, DESTINATIONS: { d: { url: "http://localhost:9000/", secrets: ["STANDARD"] } } };
    expect(readEndpoints({ ...env, AUTH: "open" }).unusable).toBeUndefined();
    expect(readEndpoints({ ...env, AUTH: "" }).unusable).toContain("DESTINATIONS.d.url must be https");
  });

  test.each<[unknown, string]>([
    ["https://example.com/", "DESTINATIONS.d must be a table"],
    [{ secrets: ["STANDARD"] }, "DESTINATIONS.d.url must be an https address, got nothing"],
    [{ url: 7, secrets: ["STANDARD"] }, "DESTINATIONS.d.url must be an https address, got 7"],
    [{ url: "https://a.example.com/" }, "DESTINATIONS.d.secrets must be an array of names of secrets, got nothing"],
    [
      { url: "https://a.example.com/", secrets: ["NONE"] },
      "DESTINATIONS.d.secrets[0] must be a secret that is set (wrangler secret put NONE; on this machine, a line of .dev.vars before the start)",
    ],
    [
      { url: "https://a.example.com/", secrets: ["GITHUB"] },
      "DESTINATIONS.d.secrets[0] must name a secret that is whsec_ or whsk_ and base64",
    ],
    [{ url: "https://a.example.com/", secrets: ["ASYMMETRIC_PUBLIC"] }, "must name a secret that is whsec_ or whsk_"],
    [
      { url: "https://a.example.com/", secrets: ["STANDARD"], method: "PUT" },
      'DESTINATIONS.d must have no keys but url, urlSecret, port, secrets, unsigned, authorization, headers, when, body, text, batch, ordered, got "method"',
    ],
  ])("%j: %s", (destination, sentence) => expect(() => parse(destination)).toThrow(sentence));

  test("a secret of 31 bytes is no ed25519 seed", () => {
    const env = { DESTINATIONS: { d: { url: "https://a.example.com/", secrets: ["S"] } }, S: `whsk_${btoa("x".repeat(31))}` };
    expect(readEndpoints(env).unusable).toContain(
      "DESTINATIONS.d.secrets[0] must name a secret that is whsk_ and base64 of a seed of 32 bytes",
    );
  });

  test("the Worker's own host is none, with its port", () => {
    const own = parse({ url: "http://localhost:8787/hooks/x", secrets: ["STANDARD"] }, true).values();
    expect(() => refuseOwnHost(own, "http://localhost:8787/hooks/y")).toThrow(
      "DESTINATIONS.d.url must be another host than this Worker's own, got localhost:8787",
    );
    expect(() => refuseOwnHost(own, "http://localhost:9000/hooks/y")).not.toThrow();
  });
});

describe("word of a model", () => {
  const url = "https://alerts.example.com/in";
  const of = (other: object) => {
    const destinations = { plain: { url, unsigned: true }, other: { url, unsigned: true, ...other } };
    expect(unusable({ DESTINATIONS: destinations, STREAM_DESTINATIONS: "plain other" })).toBeUndefined();
    return unusable({ DESTINATIONS: destinations, MONITOR_DESTINATIONS: "plain other" });
  };

  test.each([{ body: "slack" }, { body: "teams", text: "{key}: {label}" }, { body: '{"p":"{probability}"}' }])(
    "does not go to a destination of %j: it has no prediction",
    (other) => {
      expect(of(other)).toMatch(
        /^MONITOR_DESTINATIONS must name destinations whose body has no places but \{type\}, \{key\}, \{model\}, \{timestamp\}, \{data\}, got other, which has \{(probability|label)\}$/,
      );
    },
  );

  test.each([
    {},
    { body: "cloudevents" },
    { body: "slack", text: "{type}: {model} ({timestamp})" },
    { body: '{"all":["{data}","{key}"]}' },
  ])("goes to a destination of %j", (other) => {
    expect(of(other)).toBeUndefined();
  });
});
