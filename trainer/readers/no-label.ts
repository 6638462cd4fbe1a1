// What stands for a label that is missing, or none.

/** Stands in labels where the file has none that can be used. */
export const NO_LABEL = 255;
