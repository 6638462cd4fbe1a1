// Prometheus' text format 0.0.4 (prometheus.io/docs/instrumenting/exposition_formats). Pure.
import type { DriftReport } from "../../shared/drift/watch.ts";
import type { Totals } from "../streams/directory.ts";
import type { DestinationView } from "../streams/store.ts";
import { BATCH, type Counts, DURATION_S, type Histogram, SCORES } from "./counts.ts";

export const EXPOSITION_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** What there is to tell of; what is left out is not bound. */
export interface Exposed {
  readonly model: { readonly id: string; readonly version: string };
  readonly counts: Counts;
  readonly totals?: Totals;
  readonly destinations?: readonly DestinationView[];
  /** By model. */
  readonly drift?: readonly { readonly model: string; readonly report: DriftReport }[];
}

type Labels = Readonly<Record<string, string>>;
type Sample = readonly [labels: Labels, value: number, suffix?: string];

/** The whole page. */
export function expose({ model, counts, totals, destinations, drift }: Exposed): string {
  const requests = Object.entries(counts.requests).map(([name, n]): Sample => {
    const [method, route = "", status = ""] = name.split(" ");
    return [{ method, route, status }, n];
  });
  const families = [
    family("quickstep_model_info", "gauge", "The model that answers where none is named.", [
      [{ model: model.id, version: model.version }, 1],
    ]),
    family("quickstep_requests_total", "counter", "Requests by route and status.", requests),
    family(
      "quickstep_request_duration_seconds",
      "histogram",
      "Time from a request's arrival to its answer. A Worker's clock stands still while it computes: this is waiting.",
      Object.entries(counts.durations).flatMap(([route, histogram]) => samplesOf({ route }, DURATION_S, histogram)),
    ),
    family("quickstep_batch_sequences", "histogram", "Sequences of a request that scored.", samplesOf({}, BATCH, counts.batches)),
    family(
      "quickstep_score",
      "histogram",
      "Probabilities that the model gave.",
      Object.entries(counts.scores).flatMap(([name, histogram]) => samplesOf({ model: name }, SCORES, histogram)),
    ),
    family(
      "quickstep_delivery_attempts_total",
      "counter",
      "Attempts to deliver, by what they left the delivery as.",
      Object.entries(counts.deliveries).map(([name, n]): Sample => {
        const at = name.indexOf(" ");
        return [{ state: name.slice(0, at), destination: name.slice(at + 1) }, n];
      }),
    ),
    family(
      "quickstep_lost_total",
      "counter",
      "What could not be kept, by kind.",
      Object.entries(counts.lost).map(([kind, n]): Sample => [{ kind }, n]),
    ),
    ...(totals ? exposeStreams(totals) : []),
    family(
      "quickstep_destination_paused",
      "gauge",
      "Whether deliveries to a destination are paused.",
      (destinations ?? []).map(({ name, state }): Sample => [{ destination: name }, state === "open" ? 1 : 0]),
    ),
    ...exposeDrift(drift ?? []),
  ];
  return families.join("");
}

function exposeStreams({ streams, pending, delivered, dead, dropped }: Totals): string[] {
  return [
    family("quickstep_streams", "gauge", "Streams that are known.", [[{}, streams]]),
    family(
      "quickstep_deliveries",
      "gauge",
      "Deliveries by state.",
      Object.entries({ pending, delivered, dead, dropped }).map(([state, n]): Sample => [{ state }, n]),
    ),
  ];
}

function exposeDrift(drift: NonNullable<Exposed["drift"]>): string[] {
  const of = (value: (report: DriftReport) => number | null): Sample[] =>
    drift.flatMap(({ model, report }): Sample[] => {
      const one = value(report);
      return one === null ? [] : [[{ model }, one]];
    });
  return [
    family(
      "quickstep_drift_sequences",
      "gauge",
      "Sequences that the drift test took.",
      of(({ sequences }) => sequences),
    ),
    family(
      "quickstep_drift_evidence",
      "gauge",
      "Evidence of drift; the alarm is at 1000.",
      of(({ evidence }) => evidence),
    ),
    family(
      "quickstep_drift_alarm",
      "gauge",
      "Whether drift was detected.",
      of(({ alarm }) => (alarm === null ? null : Number(alarm))),
    ),
  ];
}

/** Nothing where there is no sample. */
function family(name: string, type: "counter" | "gauge" | "histogram", help: string, samples: readonly Sample[]): string {
  if (samples.length === 0) return "";
  const lines = samples.map(([labels, value, suffix = ""]) => `${name}${suffix}${labelText(labels)} ${value}`);
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.join("\n")}\n`;
}

function samplesOf(labels: Labels, ends: readonly number[], { buckets, sum }: Histogram): Sample[] {
  let count = 0;
  const samples = ends.map((end, b): Sample => [{ ...labels, le: `${end}` }, (count += buckets[b]), "_bucket"]);
  count += buckets[ends.length];
  return [...samples, [{ ...labels, le: "+Inf" }, count, "_bucket"], [labels, sum, "_sum"], [labels, count, "_count"]];
}

function labelText(labels: Labels): string {
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`,
  );
  return pairs.length === 0 ? "" : `{${pairs.join(",")}}`;
}
