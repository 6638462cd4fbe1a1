// Every stream of random numbers the trainer draws, by what is drawn from it. Changing a number changes the bits of what is
// trained with it: numbers stay, and a new stream takes a number that is free. Two streams may share a number only where no
// command draws from both with the same seed.

export const STREAMS = {
  /** Generated data: the sample `fx`, and the inputs that imported ONNX graphs are probed with (seeds of their own). */
  generatedData: 0,
  /** Which sequences go to which part. */
  split: 1,
  /** The LSTM's first weights. */
  weights: 2,
  /** The golden inputs of an artifact; an import draws them with seed 1. */
  golden: 3,
  /** The intervals of the metrics. */
  bootstrap: 4,
  /** What a report shuffles and draws of its own. */
  report: 5,
  /** Sequences on which an imported network is compared with the file it came from; with seed 1, and never beside a report. */
  importParity: 5,
  /** The intervals of the reliability bins. */
  reliability: 6,
  /** What a model leans on: the sequences, and how they are permuted. */
  influence: 7,

  /** The candidate evaluation of the feature search: its sequences, first weights, and orders of training. */
  candidateSample: 500,
  candidateWeights: 501,
  candidateOrder: 502,
  /** The MLP on summary features: its first weights and order of training. */
  summaryWeights: 510,
  summaryOrder: 511,

  /** The diagnosis: its sequences, the permutations of its signal test, the bootstrap of its ablations. */
  diagnosisSample: 600,
  diagnosisSignal: 601,
  diagnosisBootstrap: 602,
  /** The experiments of the diagnosis: first weights and orders of training. */
  experimentWeights: 610,
  experimentOrder: 640,
  /** The batch learnt by heart and the ramp of learning rates: the examples' order, and first weights. */
  tensorsOrder: 650,
  tensorsWeights: 651,

  /** Boosted trees: the columns of each tree, and its random thresholds. */
  boosting: 700,

  /** What dropout drops: a number of the seed, which step k draws with from stream k. */
  dropout: 710,

  /** The order of training: epoch k draws from stream 1000 + k, so that a resumed run needs no state. Nothing may follow. */
  epochOrder: 1000,
} as const;
