// GET /docs: Swagger UI over /openapi.json. Its own validator, which is elsewhere, is off; requests are shown as lines to run.
import { type Call, curlOf, javascriptOf, pythonOf } from "./snippets.ts";

/** A request as Swagger UI has it, an Immutable.Map. */
interface ShownRequest {
  get(name: "url" | "method"): string;
  get(name: "headers"): { toJS(): Record<string, string> } | undefined;
  get(name: "body"): unknown;
}

/** Of Swagger UI's own React. */
interface System {
  readonly React: { createElement(kind: string, properties: null, ...children: readonly unknown[]): unknown };
}

declare const SwaggerUIBundle: (options: object) => unknown;

function callOf(request: ShownRequest): Call {
  const headers = Object.entries(request.get("headers")?.toJS() ?? {}).map(([name, value]) => [name.toLowerCase(), value]);
  const body = request.get("body");
  return {
    url: request.get("url"),
    method: request.get("method"),
    headers: Object.fromEntries(headers),
    ...(body instanceof File ? { body: { file: body.name } } : typeof body === "string" && body !== "" && { body }),
  };
}

const written =
  (write: (call: Call) => string) =>
  (request: ShownRequest): string =>
    write(callOf(request));

/** Within an operation's button no link may be, and of one server there is nothing to choose. */
const parts = ({ React }: System): object => ({
  components: {
    DeepLink: ({ text }: { readonly text: unknown }) => React.createElement("span", null, text),
    ServersContainer: () => null,
  },
});

/** Gives names to what Swagger UI leaves without one, and makes what may scroll reachable by the keyboard. */
function mend(root: HTMLElement): void {
  for (const field of root.querySelectorAll<HTMLElement>("select, textarea, input")) {
    if (field.hasAttribute("aria-label") || (field as HTMLInputElement).labels?.length) continue;
    const parameter = field.closest<HTMLElement>("[data-param-name]")?.dataset.paramName;
    field.setAttribute("aria-label", parameter ?? (field.matches("textarea") ? "request body" : "choice"));
  }
  for (const [i, table] of root.querySelectorAll(".responses-table:not([aria-label])").entries())
    table.setAttribute("aria-label", `answers ${table.id || i}`);
  for (const lines of root.querySelectorAll("pre:not([tabindex])")) lines.setAttribute("tabindex", "0");
}

const reference = document.getElementById("reference")!;
new MutationObserver(() => mend(reference)).observe(reference, { childList: true, subtree: true });

const dark = matchMedia("(prefers-color-scheme: dark)");
const followScheme = (): void => void document.documentElement.classList.toggle("dark-mode", dark.matches);
dark.addEventListener("change", followScheme);
followScheme();

SwaggerUIBundle({
  url: "/openapi.json",
  dom_id: "#reference",
  deepLinking: true,
  validatorUrl: null,
  displayOperationId: false,
  displayRequestDuration: true,
  defaultModelsExpandDepth: 0,
  tryItOutEnabled: true,
  requestSnippetsEnabled: true,
  requestSnippets: {
    generators: {
      curl_bash: { title: "curl", syntax: "bash" },
      quickstep_javascript: { title: "JavaScript", syntax: "javascript" },
      quickstep_python: { title: "Python", syntax: "python" },
    },
    defaultExpanded: true,
    languages: ["curl_bash", "quickstep_javascript", "quickstep_python"],
  },
  plugins: [
    parts,
    {
      fn: {
        requestSnippetGenerator_curl_bash: written(curlOf),
        requestSnippetGenerator_quickstep_javascript: written(javascriptOf),
        requestSnippetGenerator_quickstep_python: written(pythonOf),
      },
    },
  ],
});
