// A request to the service as lines to run: curl, JavaScript, Python with nothing but its own library. The key is never written: it stands
// in the environment variable QUICKSTEP_KEY.

export interface Call {
  readonly url: string;
  readonly method: string;
  /** By their names, in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  /** Text as it is sent, or the file that is. */
  readonly body?: string | { readonly file: string };
}

const KEY = "QUICKSTEP_KEY";

/** For sh. */
export function curlOf({ url, method, headers, body }: Call): string {
  const quote = (text: string): string => `'${text.replaceAll("'", "'\\''")}'`;
  const lines = [
    `curl -s${method === "GET" ? "" : ` -X ${method}`} ${quote(url)}`,
    ...Object.entries(headers).map(
      ([name, value]) => `-H ${name === "authorization" ? `"${name}: Bearer $${KEY}"` : quote(`${name}: ${value}`)}`,
    ),
    ...(body === undefined ? [] : [`--data-binary ${quote(typeof body === "string" ? escapeAt(body) : `@${body.file}`)}`]),
  ];
  return lines.join(" \\\n  ");
}

/** curl reads a file where data begin with an @; no JSON does. */
const escapeAt = (body: string): string => (body.startsWith("@") ? ` ${body}` : body);

/** For Node, as a module. */
export function javascriptOf({ url, method, headers, body }: Call): string {
  const named = Object.entries(headers).map(([name, value]) =>
    name === "authorization" ? `authorization: \`Bearer \${process.env.${KEY}}\`` : `${JSON.stringify(name)}: ${JSON.stringify(value)}`,
  );
  const parts = [`method: ${JSON.stringify(method)}`];
  if (named.length > 0) parts.push(`headers: { ${named.join(", ")} }`);
  if (typeof body === "string") parts.push(`body: ${JSON.stringify(body)}`);
  else if (body !== undefined) parts.push(`body: readFileSync(${JSON.stringify(body.file)})`);
  const files = typeof body === "object" ? 'import { readFileSync } from "node:fs";\n\n' : "";
  return `${files}const response = await fetch(${JSON.stringify(url)}, {\n  ${parts.join(",\n  ")},\n});\nconsole.log(response.status, await response.text());\n`;
}

/** For Python 3. */
export function pythonOf({ url, method, headers, body }: Call): string {
  const named = Object.entries(headers).map(([name, value]) =>
    name === "authorization" ? `"authorization": "Bearer " + os.environ["${KEY}"]` : `${text(name)}: ${text(value)}`,
  );
  const data = typeof body === "string" ? `${text(body)}.encode()` : body && `open(${text(body.file)}, "rb").read()`;
  const parts = [text(url), `method=${text(method)}`, `headers={${named.join(", ")}}`, ...(data === undefined ? [] : [`data=${data}`])];
  const imports = `${"authorization" in headers ? "import os\n" : ""}import urllib.request\n\n`;
  return `${imports}request = urllib.request.Request(\n    ${parts.join(",\n    ")},\n)\nwith urllib.request.urlopen(request) as response:\n    print(response.status, response.read().decode())\n`;
}

/** A text as Python writes it: JSON's escapes are Python's, too. */
const text = (value: string): string => JSON.stringify(value);
