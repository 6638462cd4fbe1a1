// The bucket of models as far as it is used: Cloudflare's R2 binding as it is, or a test's.

export interface BucketObject {
  /** Of the content: two writes of the same bytes have one. */
  readonly etag: string;
  readonly size: number;
  text(): Promise<string>;
  arrayBuffer(): Promise<ArrayBuffer>;
}

export interface Bucket {
  get(key: string): Promise<BucketObject | null>;
  /** Null where the condition did not hold: nothing is written then. `etagDoesNotMatch` `*`: only where there is no such object. */
  put(
    key: string,
    value: Uint8Array<ArrayBuffer> | string,
    options?: { readonly onlyIf?: { readonly etagMatches?: string; readonly etagDoesNotMatch?: string }; readonly sha256?: string },
  ): Promise<unknown>;
  list(options: { readonly prefix: string; readonly delimiter: string; readonly cursor?: string }): Promise<{
    readonly delimitedPrefixes: readonly string[];
    readonly truncated: boolean;
    readonly cursor?: string;
  }>;
}
