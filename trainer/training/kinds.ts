// The kinds of jobs, as kernel/training.ts numbers them.

/** What the kernel can do, in the order of its constants. */
export const TRAIN = 0;
export const EVALUATE = 1;
export const FORWARD = 2;
export const BACKWARD = 3;
export const REDUCE = 4;
export const UPDATE = 5;
export const TRANSPOSE = 6;
export const GATHER = 7;
export type Kind = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7;
