// One plot to one SVG, by vega-lite and vega: the axes, type and colours that all figures share. Knows no figure.
import { logger, parse, Error as SEVERE, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { cleanText, escapeHtml, Markup } from "./html.ts";
import { HAIRLINE, INK, MUTED } from "./palette.ts";

/** Everything is placed on continuous axes: names are text marks, since an axis label is an expression to vega. */
export interface Plot {
  /** What the plot says, for those who do not see it. */
  readonly alt: string;
  /** Of the inner rectangle, and the room around it, in units of the SVG; the page scales them. */
  readonly width: number;
  readonly height: number;
  readonly margin: { readonly left: number; readonly right: number; readonly top: number; readonly bottom: number };
  readonly x: AxisOptions;
  readonly y: AxisOptions;
  readonly layers: readonly Layer[];
}

export interface AxisOptions {
  readonly domain: readonly [number, number];
  readonly title?: string;
  /** Undefined: no axis is drawn. */
  readonly ticks?: readonly number[];
  /** d3-format. */
  readonly format?: string;
  readonly grid?: boolean;
}

export interface Datum {
  readonly x: number;
  readonly y: number;
  readonly x2?: number;
  readonly y2?: number;
  readonly text?: string;
  readonly colour?: string;
}

export interface Layer {
  /** A vega-lite mark definition. */
  readonly mark: { readonly type: "line" | "area" | "rule" | "rect" | "point" | "text" } & Readonly<Record<string, unknown>>;
  readonly data: readonly Datum[];
}

const FONT_SIZE = 12;

/** Same plot, same bytes: sizes are fixed, so that nothing hangs on the fonts of this host. */
export async function draw(plot: Plot): Promise<Markup> {
  const { width, height, margin } = plot;
  const spec = {
    width,
    height,
    padding: margin,
    autosize: { type: "none" },
    background: null,
    encoding: { x: encodeAxis(plot.x, "x", margin.left), y: encodeAxis(plot.y, "y", margin.left) },
    layer: plot.layers
      .filter(({ data }) => data.length > 0)
      .map(({ mark, data }) => ({
        mark: mark.type === "text" ? { fontSize: FONT_SIZE, color: INK.light, ...mark } : mark,
        data: { values: data.map((datum) => (datum.text === undefined ? datum : { ...datum, text: cleanText(datum.text) })) },
        encoding: {
          ...(data[0].x2 !== undefined && { x2: { field: "x2" } }),
          ...(data[0].y2 !== undefined && { y2: { field: "y2" } }),
          ...(data[0].text !== undefined && { text: { field: "text", type: "nominal" } }),
          ...(data[0].colour !== undefined && { color: { field: "colour", type: "nominal", scale: null } }),
          ...((mark.type === "line" || mark.type === "area") && { order: { value: null } }), // as given, not sorted by x
        },
      })),
    config: { aria: false, view: { stroke: null } },
  } as unknown as TopLevelSpec; // built by code, too loosely for its type
  const quiet = logger(SEVERE);
  const { spec: compiled } = compile(spec, { logger: quiet });
  const svg = await new View(parse(compiled), { renderer: "none", logger: quiet }).toSVG();
  return new Markup(dress(svg, plot));
}

function encodeAxis({ domain, title, ticks, format, grid = false }: AxisOptions, name: "x" | "y", left: number): object {
  return {
    field: name,
    type: "quantitative",
    scale: { domain, nice: false, zero: false, clamp: true },
    axis: ticks
      ? {
          values: ticks,
          title: title ?? null,
          ...(format !== undefined && { format }),
          grid,
          gridColor: HAIRLINE.light,
          domain: name === "x",
          domainColor: MUTED.light,
          ticks: name === "x",
          tickColor: MUTED.light,
          tickSize: 4,
          labelColor: MUTED.light,
          labelFontSize: FONT_SIZE,
          labelOverlap: false,
          labelFlush: false,
          labelBound: false,
          labelPadding: name === "x" ? 4 : 6,
          titleColor: INK.light,
          titleFontSize: FONT_SIZE,
          titleFontWeight: "normal",
          // The y title stands above its axis, level: nobody turns their head.
          ...(name === "x"
            ? { titleAnchor: "end", titleY: 26 }
            : { titleAngle: 0, titleAlign: "left", titleAnchor: "end", titleX: 2 - left, titleY: -12, titleBaseline: "alphabetic" }),
        }
      : null,
  };
}

/** Leaves size and type to the page, names the image, and drops what vega writes for its own ends. */
function dress(svg: string, { alt, width, height, margin }: Plot): string {
  const box = `0 0 ${width + margin.left + margin.right} ${height + margin.top + margin.bottom}`;
  return svg
    .replace(/^<svg[^>]*>/, `<svg viewBox="${box}" role="img" aria-label="${escapeHtml(alt)}">`)
    .replace(/<path class="(?:foreground|background)"[^>]*\/>/g, "")
    .replace(/ (?:aria-hidden="true"|pointer-events="none"|font-family="sans-serif"|opacity="1"|stroke-miterlimit="4")(?=[^<>]*>)/g, "")
    .replace(/ (?:class|role|aria-roledescription)="(?:mark-|graphics-|group mark)[^"]*"(?=[^<>]*>)/g, "")
    .replace(/(?<=\d)px"(?=[^<>]*>)/g, '"');
}
