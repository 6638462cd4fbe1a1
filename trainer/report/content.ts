// Everything the report shows, as plain data. Knows neither where it comes from nor how it looks.
import type { Estimate, Influence, MeasuredCard, Metrics, OperatingPoint, ReliabilityBin } from "../../shared/model.ts";
import type { Padding } from "../../shared/sequence.ts";
import type { Effect } from "../explanation/importance.ts";
import type { Intervals } from "../statistics/metrics.ts";
import type { EpochRecord } from "../training/loop.ts";
import type { ClassHistogram } from "./histogram.ts";
import type { Point } from "./ranking.ts";

export interface ReportContent {
  readonly name: string;
  /** As `describeModel` says it. */
  readonly id: string;
  readonly verdict: { readonly code: string; readonly text: string; readonly next: string };
  readonly card: MeasuredCard;
  readonly network: {
    /** In words. */
    readonly name: string;
    readonly parameters: number;
    readonly slope: number;
    readonly intercept: number;
  };
  /** The model first, then its baselines. */
  readonly models: readonly ModelMetrics[];
  /** Where the true probability of the test part is known. */
  readonly truth: { readonly bayesLogLoss: number; readonly recovered: number } | null;
  readonly learning: {
    readonly history: readonly EpochRecord[];
    /** The epoch that is kept, and the one with the lowest validation loss. */
    readonly bestEpoch: number;
    readonly lowestEpoch: number;
    /** Log losses of the baselines on the validation part. */
    readonly lines: readonly { readonly name: string; readonly logLoss: number }[];
    /** What answering the training part's positive rate loses on the training part. */
    readonly trainingBaseRate: number;
  };
  readonly reliability: readonly ReliabilityBin[];
  /** The model first. A curve is empty where the test part has one class only. */
  readonly curves: readonly { readonly name: string; readonly roc: readonly Point[]; readonly precisionRecall: readonly Point[] }[];
  readonly operatingPoints: readonly MeasuredPoint[];
  /** Of the test part's probabilities. */
  readonly scores: ClassHistogram;
  readonly training: TrainingFacts;
  /** Training, validation, calibration, test. */
  readonly parts: readonly { readonly sequences: number; readonly positives: number }[];
  /** Sequences that held nothing but padding: in no part. */
  readonly leftOut: number;
  readonly channels: readonly string[];
  /** Whether channels are in standard deviations of the training part, or as they come. */
  readonly standardised: boolean;
  readonly examples: readonly Example[];
  readonly influence: Influence;
}

export interface ModelMetrics {
  readonly name: string;
  readonly metrics: Metrics;
  readonly intervals: Intervals;
  /** How much lower the model's log loss is, paired by sequence; null for the model itself and where losses are not at hand. */
  readonly gain: Effect | null;
}

/** An operating point as the test part sees it. */
export interface MeasuredPoint {
  readonly name: string;
  readonly threshold: number;
  /** Sequences that get label 1, of all. */
  readonly labelled: Estimate;
  /** Null where nothing is negative. */
  readonly falsePositiveRate: Estimate | null;
  readonly metrics: NonNullable<OperatingPoint["figures"]>;
}

/** The training part as it came. */
export interface TrainingFacts {
  readonly sequences: number;
  readonly timesteps: number;
  readonly padding: Padding;
  /** Share of all rows. */
  readonly paddingShare: number;
  /** All-zero rows that count as data. */
  readonly zeroRows: number;
  /** Valid rows a sequence. */
  readonly lengths: ClassHistogram;
  readonly shortest: number;
  readonly longest: number;
  readonly features: readonly FeatureFacts[];
  /** How many sequences the features' facts were taken from, evenly spaced. */
  readonly sampled: number;
}

/** One feature over valid rows. */
export interface FeatureFacts {
  readonly name: string;
  readonly histogram: ClassHistogram;
  readonly lowest: number;
  readonly low: number;
  readonly median: number;
  readonly high: number;
  readonly highest: number;
  /** Of the rows, those that lack it. */
  readonly missingShare: number;
  /** Of the values there are. */
  readonly zeroShare: number;
  /** |mean| in standard deviations; null for a constant. */
  readonly offset: number | null;
  /** Median change from row to row, in standard deviations; null for a constant and where no sequence has two rows. */
  readonly step: number | null;
}

/** One test sequence: what came in, what the network sees. */
export interface Example {
  /** `scored low`, … */
  readonly title: string;
  readonly probability: number;
  readonly label: number;
  /** (T) rows of F raw numbers; null for padding. */
  readonly rows: readonly (readonly number[] | null)[];
  /** (T) rows of C standardised numbers where `rows` holds one; null inside where a channel is undefined. */
  readonly channels: readonly (readonly (number | null)[] | null)[];
}
