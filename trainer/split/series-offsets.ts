// Follows links between sequences to tell how many steps apart they start. Knows links, not rows.
// Legend: D sequences, T steps; a cell is one row of a sequence: d · T + t.
import { CONFIRMED, type Links, SINGLE } from "./row-links.ts";

/** Which series each sequence is of, and where in it. */
export interface SeriesOffsets {
  /** Linked sequences have the same number, 0 … components − 1. */
  readonly component: Int32Array;
  readonly components: number;
  /** Steps from the earliest start in the component: what stands at t happened at offset + t. */
  readonly offset: Int32Array;
}

/**
 * Follows the links, the best first: two sequences whose cells are the same moment start as many steps apart as the cells are.
 * `conflicts` counts the links that contradict those before them.
 */
export function followLinks(linkings: readonly Links[], D: number, T: number): SeriesOffsets & { readonly conflicts: number } {
  const forest = createForest(D);
  let conflicts = 0;
  for (const level of [CONFIRMED, SINGLE])
    for (const { from, to, evidence, count } of linkings)
      for (let i = 0; i < count; i++) {
        if (evidence[i] !== level) continue;
        const apart = (from[i] % T) - (to[i] % T);
        if (!forest.join(Math.floor(from[i] / T), Math.floor(to[i] / T), apart)) conflicts++;
      }
  return { ...offsetsOf(forest, D), conflicts };
}

/** Components numbered as they appear, offsets counted from the earliest of each. */
function offsetsOf(forest: Forest, D: number): SeriesOffsets {
  const component = new Int32Array(D).fill(-1);
  const offset = new Int32Array(D);
  const earliest: number[] = [];
  for (let d = 0; d < D; d++) {
    const root = forest.find(d);
    if (component[root] < 0) component[root] = earliest.push(0) - 1;
    component[d] = component[root];
    offset[d] = forest.distance[d];
    earliest[component[d]] = Math.min(earliest[component[d]], offset[d]);
  }
  for (let d = 0; d < D; d++) offset[d] -= earliest[component[d]];
  return { component, components: earliest.length, offset };
}

/** A disjoint-set forest in which every node knows its distance in steps from its parent (Tarjan 1975, with weights). */
interface Forest {
  /** (D) start of d minus start of its parent; of its root after find(d). */
  readonly distance: Int32Array;
  find(d: number): number;
  /** Says that b starts `apart` steps after a. False where that contradicts what was said before. */
  join(a: number, b: number, apart: number): boolean;
}

function createForest(D: number): Forest {
  const parent = new Int32Array(D).map((_, d) => d);
  const distance = new Int32Array(D);
  const size = new Int32Array(D).fill(1);
  const find = (d: number): number => {
    let root = d;
    let total = 0;
    for (; parent[root] !== root; root = parent[root]) total += distance[root];
    for (let node = d; node !== root; ) {
      const above = parent[node];
      const step = distance[node];
      parent[node] = root;
      distance[node] = total;
      total -= step;
      node = above;
    }
    return root;
  };
  return {
    distance,
    find,
    join(a, b, apart) {
      const rootA = find(a);
      const rootB = find(b);
      const rootsApart = apart + distance[a] - distance[b]; // start of b's root minus start of a's
      if (rootA === rootB) return rootsApart === 0;
      const [root, child] = size[rootA] >= size[rootB] ? [rootA, rootB] : [rootB, rootA];
      parent[child] = root;
      distance[child] = child === rootB ? rootsApart : -rootsApart;
      size[root] += size[child];
      return true;
    },
  };
}
