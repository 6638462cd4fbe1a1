// The axes of a convolution's kernel, which frameworks store in two orders. Knows no format.
// Legend: K kernel size, W width, M filters.

/** The kernel (K,W,M), as Keras and quickstep have it, of one stored (M,W,K), as PyTorch, ONNX and the first Keras 1 store it. */
export function turnConvKernel<Numbers extends Float32Array | Float64Array>(stored: Numbers, K: number, W: number, M: number): Numbers {
  const kernel = stored.slice() as Numbers;
  for (let m = 0; m < M; m++)
    for (let w = 0; w < W; w++) for (let k = 0; k < K; k++) kernel[(k * W + w) * M + m] = stored[(m * W + w) * K + k];
  return kernel;
}
