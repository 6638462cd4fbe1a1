// The page's colours, each for light and for dark. Figures are drawn in the light ones; style.ts exchanges them in the dark.
// Blue and orange keep apart for every common kind of colour blindness; ink on paper and its dark twin exceed 7:1, the rest of
// what carries meaning 4.5:1 (WCAG 2.2).

export interface Colour {
  readonly light: string;
  readonly dark: string;
}

export const PAPER: Colour = { light: "#ffffff", dark: "#15181c" };
export const INK: Colour = { light: "#1c2024", dark: "#e4e6e8" };
export const MUTED: Colour = { light: "#5a636c", dark: "#a0a9b2" };
export const HAIRLINE: Colour = { light: "#dadee2", dark: "#353c44" };
export const BLUE: Colour = { light: "#0a5ea8", dark: "#6cb2f5" };
export const ORANGE: Colour = { light: "#b4490a", dark: "#f59e56" };
export const GREY: Colour = { light: "#6b7580", dark: "#939ca6" };

/** Far below the mean to far above it, in nine classes. The middle is near the paper in both. */
export const DIVERGING: readonly Colour[] = [
  { light: "#0a4a86", dark: "#8cc6ff" },
  { light: "#3f7fb8", dark: "#5c9bd6" },
  { light: "#86b2d9", dark: "#3d6f9f" },
  { light: "#c6dcee", dark: "#2a4763" },
  { light: "#eceef0", dark: "#262b31" },
  { light: "#f6d9c2", dark: "#5a3a22" },
  { light: "#eaa978", dark: "#935a2e" },
  { light: "#cf6f2e", dark: "#cf8244" },
  { light: "#963c06", dark: "#ffb877" },
];

/** Lines of one figure, in order: the colour and the dashes together tell them apart. */
export const LINE_STYLES = [
  { color: BLUE.light, strokeWidth: 2, strokeDash: [] },
  { color: ORANGE.light, strokeWidth: 1.5, strokeDash: [6, 3] },
  { color: GREY.light, strokeWidth: 1.5, strokeDash: [2, 2] },
  { color: INK.light, strokeWidth: 1.2, strokeDash: [8, 3, 2, 3] },
] as const;

/** All that a figure may be drawn in: style.ts exchanges them in the dark. */
export const COLOURS: readonly Colour[] = [PAPER, INK, MUTED, HAIRLINE, BLUE, ORANGE, GREY, ...DIVERGING];
