// Putting an artifact into the bucket and moving a name's pointer: only what this Worker proves is pointed at, and no pointer is moved that
// somebody else has moved meanwhile.
import { digestOf } from "../http/hashes.ts";
import { RequestError } from "../http/problem.ts";
import type { Bucket } from "./bucket.ts";
import {
  artifactKey,
  isModelName,
  MAX_ARTIFACT_BYTES,
  NAMES,
  nameIn,
  type Part,
  type Pointer,
  parsePointer,
  pointerKey,
} from "./pointer.ts";
import { MAX_LOADED_BYTES, type RegistryDependencies } from "./registry.ts";

/** What publishing is given. */
export interface Publisher extends Pick<RegistryDependencies, "bucket" | "open" | "now"> {
  /** The name of the key, for the pointer. */
  readonly by: string;
  /** The artifact deployed with the Worker, which answers under `defaultName` until a pointer says otherwise; absent: none does. */
  readonly artifact?: Uint8Array<ArrayBuffer>;
  readonly defaultName?: string;
}

/** What an artifact is to be: undefined: the one that answers; else its challenger. */
export type Role = Part | undefined;

/**
 * Puts an artifact of that SHA-256 and moves the pointer. Throws RequestError: `malformed` where the bytes are others, `unservable` where
 * they do not give their golden vectors, `moved` where somebody else moved the pointer, `storage` where the bucket fails.
 */
export async function publish(
  publisher: Publisher,
  name: string,
  artifact: { readonly bytes: Uint8Array<ArrayBuffer>; readonly sha256: string },
  role: Role,
): Promise<Pointer> {
  checkName(name);
  const { bytes, sha256 } = artifact;
  const found = await digestOf(bytes);
  if (found !== sha256)
    throw new RequestError("malformed", `the body has ${bytes.length} bytes of SHA-256 ${found}, expected ${sha256}: send it again, whole`);
  prove(publisher, bytes);
  await stored(publisher.bucket.put(artifactKey(name, sha256), bytes, { sha256 }));
  return movePointer(publisher, name, async (old) => {
    if (role !== undefined) {
      if (old === undefined) throw new RequestError("moved", `${name} has no current artifact yet: publish one before its challenger`);
      return { ...old, challenger: { sha256, ...role } };
    }
    const before = old ? old.sha256 : await keepBundled(publisher, name);
    const previous = before === sha256 ? old?.previous : before;
    return { sha256, previous, ...(old?.challenger?.sha256 !== sha256 && { challenger: old?.challenger }) };
  });
}

/** The bundled artifact goes into the bucket, too, where it has answered under this name: a rollback goes back to it. Its SHA-256. */
async function keepBundled({ artifact, defaultName, bucket }: Publisher, name: string): Promise<string | undefined> {
  if (artifact === undefined || name !== defaultName) return undefined;
  const sha256 = await digestOf(artifact);
  await stored(bucket.put(artifactKey(name, sha256), artifact, { sha256 }));
  return sha256;
}

/** The previous artifact answers again. Throws as publish, and `moved` where there is none. */
export async function rollBack(publisher: Publisher, name: string): Promise<Pointer> {
  checkName(name);
  return movePointer(publisher, name, async (old) => {
    if (old?.previous === undefined) throw new RequestError("moved", `${name} has no previous artifact to go back to`);
    const object = await stored(publisher.bucket.get(artifactKey(name, old.previous)));
    if (object === null) throw new RequestError("unservable", `the previous artifact ${old.previous} is not in the bucket any more`);
    const bytes = new Uint8Array(await object.arrayBuffer());
    if ((await digestOf(bytes)) !== old.previous) throw new RequestError("unservable", `the previous artifact ${old.previous} is damaged`);
    prove(publisher, bytes);
    return { ...old, sha256: old.previous, previous: old.sha256 };
  });
}

/** No challenger any more. Throws as publish. */
export async function withdrawChallenger(publisher: Publisher, name: string): Promise<Pointer> {
  checkName(name);
  return movePointer(publisher, name, (old) => {
    if (old?.challenger === undefined) throw new RequestError("notFound", `${name} has no challenger`);
    const { challenger, ...rest } = old;
    return rest;
  });
}

/** A name with its pointer, or what is wrong with it. */
export type ListedModel = { readonly name: string } & (Pointer | { readonly fault: string });

/** All names in the bucket with their pointers. Throws RequestError `storage`. */
export async function listModels(bucket: Bucket): Promise<readonly ListedModel[]> {
  const names: string[] = [];
  let cursor: string | undefined;
  do {
    const page = await stored(bucket.list({ ...NAMES, ...(cursor !== undefined && { cursor }) }));
    names.push(...page.delimitedPrefixes.map(nameIn).filter(isModelName));
    cursor = page.truncated ? page.cursor : undefined;
  } while (cursor !== undefined);
  const listed: ListedModel[] = [];
  for (const name of names) {
    const object = await stored(bucket.get(pointerKey(name)));
    if (object === null) continue;
    try {
      listed.push({ name, ...parsePointer(await object.text()) });
    } catch (error) {
      listed.push({ name, fault: `the pointer ${(error as Error).message}` });
    }
  }
  return listed;
}

function checkName(name: string): void {
  if (isModelName(name)) return;
  throw new RequestError("parameter", `a model's name must have 1 to 64 characters, without : and / and control characters, not . or ..`);
}

/** Throws RequestError `unservable` with the decoder's sentence. */
function prove({ open }: Publisher, bytes: Uint8Array<ArrayBuffer>): void {
  if (bytes.length > MAX_ARTIFACT_BYTES) throw new RequestError("unservable", `the artifact has more than ${MAX_ARTIFACT_BYTES} bytes`);
  const { servable, bytes: taken } = open(bytes);
  if ("unready" in servable) throw new RequestError("unservable", servable.unready);
  if (taken > MAX_LOADED_BYTES)
    throw new RequestError("unservable", `the model takes ${taken} bytes once it is loaded, at most ${MAX_LOADED_BYTES}`);
}

async function movePointer(
  { bucket, now, by }: Publisher,
  name: string,
  next: (old: Pointer | undefined) => Pointer | Promise<Pointer>,
): Promise<Pointer> {
  const key = pointerKey(name);
  const object = await stored(bucket.get(key));
  let old: Pointer | undefined;
  try {
    old = object === null ? undefined : parsePointer(await object.text());
  } catch {
    old = undefined; // damaged: what is written now mends it
  }
  const moved: Pointer = { ...(await next(old)), when: new Date(now()).toISOString(), by, revision: crypto.randomUUID() };
  const onlyIf = object === null ? { etagDoesNotMatch: "*" } : { etagMatches: object.etag };
  if ((await stored(bucket.put(key, JSON.stringify(moved), { onlyIf }))) === null)
    throw new RequestError("moved", `somebody else moved the pointer of ${name} meanwhile: look at GET /v1/models, then do it again`);
  return moved;
}

async function stored<T>(promise: Promise<T>): Promise<T> {
  try {
    return await promise;
  } catch (error) {
    throw new RequestError("storage", `the bucket of models does not answer: the same again is safe (${String(error)})`);
  }
}
