export function log(x: f64): f64 { return NativeMath.log(x); }
