// How the page looks: on a screen, in the dark, on a phone, on paper. One sheet, no font and no file from elsewhere.
import { BLUE, COLOURS, type Colour, DIVERGING, GREY, HAIRLINE, INK, MUTED, ORANGE, PAPER } from "./palette.ts";

const VARIABLES: Readonly<Record<string, Colour>> = {
  paper: PAPER,
  ink: INK,
  muted: MUTED,
  hairline: HAIRLINE,
  blue: BLUE,
  orange: ORANGE,
  grey: GREY,
  ...Object.fromEntries(DIVERGING.map((colour, i) => [`heat-${i}`, colour])),
};

const variables = (tone: keyof Colour): string =>
  Object.entries(VARIABLES)
    .map(([name, colour]) => `--${name}:${colour[tone]}`)
    .join(";");

/** A rule beats the attribute it selects: the figures change colour without a variable inside them. */
const darkFigures = COLOURS.map(({ light, dark }) => `svg [fill="${light}"]{fill:${dark}}svg [stroke="${light}"]{stroke:${dark}}`).join(
  "\n    ",
);

export const STYLE = `
  :root{color-scheme:light dark;${variables("light")}}
  @media screen and (prefers-color-scheme:dark){
    :root{${variables("dark")}}
    ${darkFigures}
  }
  *{box-sizing:border-box}
  html{-webkit-text-size-adjust:100%;text-size-adjust:100%}
  body{margin:0;background:var(--paper);color:var(--ink);font:16px/1.55 system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue","Liberation Sans",Arial,sans-serif;overflow-wrap:break-word}
  main{max-width:61rem;margin:0 auto;padding:2.5rem 1.25rem 4rem}
  h1,h2,h3,p,figure,dl,dd,ul{margin:0}
  h1{font-size:1rem;font-weight:600}
  h2{font-size:1.3rem;line-height:1.25;font-weight:600;margin:3.5rem 0 .4rem;padding-top:1rem;border-top:1px solid var(--hairline)}
  h3{font-size:1rem;font-weight:600;margin:1.8rem 0 .5rem}
  .lead{max-width:44rem;color:var(--muted);margin-bottom:1.2rem}
  header{display:flex;flex-wrap:wrap;gap:.2rem 1.5rem;justify-content:space-between;color:var(--muted);font-size:.875rem;margin-bottom:2.2rem}
  header h1{color:var(--ink)}
  .verdict .code{font-size:.875rem;font-weight:600;letter-spacing:.02em;margin-bottom:.35rem}
  .verdict .text{font-size:1.55rem;line-height:1.32;max-width:46rem;text-wrap:pretty}
  .verdict .text+p{max-width:44rem;margin-top:.8rem}
  .learned .code{color:var(--blue)}
  .failed .code{color:var(--orange)}
  .key{display:grid;grid-template-columns:repeat(auto-fit,minmax(9.5rem,1fr));gap:1.2rem 1.5rem;margin-top:2rem}
  .key dt{font-size:.8125rem;color:var(--muted)}
  .key dd{font-size:1.5rem;line-height:1.3;font-variant-numeric:tabular-nums}
  .key small{display:block;font-size:.8125rem;color:var(--muted);line-height:1.4}
  .pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,25rem),1fr));gap:2rem 2.5rem;align-items:start;margin-top:1.2rem}
  .small{display:grid;grid-template-columns:repeat(auto-fill,minmax(10.5rem,1fr));gap:1.2rem 1.5rem;margin-top:1rem}
  .three{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(100%,18.5rem),1fr));gap:1.8rem 1.2rem;margin-top:1rem}
  figure{break-inside:avoid;min-width:0}
  figure>svg{display:block;overflow:visible;width:100%;height:auto;max-width:32rem}
  .small svg{max-width:16rem}
  svg text{font-family:inherit;font-variant-numeric:tabular-nums}
  figcaption{font-size:.875rem;line-height:1.45;color:var(--muted);max-width:32rem;margin-top:.35rem}
  figcaption b,.title{color:var(--ink);font-weight:600}
  .title{font-size:.875rem;line-height:1.4;margin-bottom:.25rem}
  .title span{font-weight:400;color:var(--muted);display:block}
  .legend{display:flex;flex-wrap:wrap;gap:.1rem 1.2rem;list-style:none;padding:0;font-size:.8125rem;margin:.3rem 0}
  .legend svg{display:inline-block;vertical-align:middle;width:1.6rem;height:.7rem;margin-right:.4rem}
  table{border-collapse:collapse;width:100%;font-size:.875rem;line-height:1.4;font-variant-numeric:tabular-nums}
  caption{text-align:left;color:var(--muted);font-size:.875rem;padding-bottom:.4rem}
  th,td{text-align:right;vertical-align:baseline;font-weight:400;padding:.38rem 0 .38rem .8rem;border-bottom:1px solid var(--hairline)}
  th:first-child,td:first-child{text-align:left;padding-left:0}
  thead th{color:var(--muted);font-size:.8125rem;border-bottom-color:var(--muted);vertical-align:bottom}
  tbody tr:last-child>*{border-bottom-color:var(--muted)}
  tbody th{overflow-wrap:anywhere;min-width:4.6rem}
  code,dd,.title,.verdict,li,header *{overflow-wrap:anywhere}
  td small,th small{display:block;color:var(--muted);font-size:.8125rem}
  td.best{font-weight:600}
  td.best small{font-weight:400}
  .of{display:none}
  pre{margin:0;font-size:.8125rem;line-height:1.5;white-space:pre-wrap;overflow-wrap:anywhere}
  .copyable{position:relative;margin-top:.8rem}
  .copy{font:inherit;font-size:.8125rem;color:var(--ink);background:var(--paper);border:1px solid var(--muted);border-radius:.3rem;padding:.15rem .7rem;margin-bottom:.5rem;cursor:pointer}
  .wide{overflow-x:auto}
  .equal{table-layout:fixed}
  .equal th:first-child{width:34%}
  .parts td:last-child,.parts th:last-child{text-align:left;width:55%;padding-left:1.6rem}
  .parts tbody th{overflow-wrap:normal}
  .letter{display:inline-block;min-width:1.35em;height:1.35em;line-height:1.3em;text-align:center;border:1.5px solid var(--blue);border-radius:1em;font-size:.75rem;font-weight:700;margin-right:.5em;padding:0 .15em}
  .note{font-size:.875rem;color:var(--muted);max-width:44rem;margin-top:.8rem}
  .warnings{padding-left:1.1rem;max-width:44rem}
  .scale{display:flex;align-items:center;gap:.2rem;font-size:.8125rem;color:var(--muted);margin-top:.9rem}
  .scale i{display:inline-block;width:1.4rem;height:.8rem;print-color-adjust:exact;-webkit-print-color-adjust:exact}
  .facts{display:grid;grid-template-columns:max-content 1fr;gap:.3rem 1.5rem;font-size:.875rem}
  .facts dt{color:var(--muted)}
  .facts dd{min-width:0}
  .facts code{font-size:.8125rem}
  footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--hairline);font-size:.8125rem;color:var(--muted)}
  @media (max-width:34rem){
    main{padding:1.4rem 1rem 3rem}
    .verdict .text{font-size:1.25rem}
    .key{grid-template-columns:1fr 1fr}
    h2{margin-top:2.4rem}
    table{font-size:.78rem}
    td small,th small,thead th{font-size:.72rem}
    th,td{padding-left:.35rem}
    tbody th{min-width:4.1rem}
    .equal th:first-child{width:28%}
    .parts td:last-child,.parts th:last-child{padding-left:.8rem}
    .points thead{display:none}
    .points tr{display:grid;grid-template-columns:repeat(3,1fr);gap:.4rem .8rem;padding:.6rem 0;border-bottom:1px solid var(--hairline)}
    .points tbody th{grid-column:1/-1}
    .points th,.points td,.points tbody tr:last-child>*{text-align:left;padding:0;border-bottom:0}
    .of{display:block;color:var(--muted);font-size:.72rem}
    .facts{grid-template-columns:1fr;gap:0}
    .facts dd{margin-bottom:.5rem}
    .small{grid-template-columns:1fr 1fr}
  }
  @media print{
    @page{size:A4;margin:16mm 15mm}
    html{font-size:13px}
    body{font-size:1rem;line-height:1.45}
    main{max-width:none;padding:0}
    h2{margin-top:1.6rem;break-after:avoid}
    h3,.lead,caption{break-after:avoid}
    .pair{grid-template-columns:1fr 1fr;gap:1rem 1.5rem}
    .small{grid-template-columns:repeat(5,1fr);gap:1rem}
    .three{grid-template-columns:1fr 1fr;gap:1rem 1.5rem}
    tr,.facts div{break-inside:avoid}
    .wide{overflow:visible}
    .copy{display:none}
    svg{print-color-adjust:exact;-webkit-print-color-adjust:exact}
  }
`;
