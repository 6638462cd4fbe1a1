// The models that an isolate has loaded out of a bucket, beside the bundled one. Whoever asks gets what is loaded; what the bucket says
// is looked at now and then, by one request at a time, and swapped in between two requests. What cannot be read, or does not give its
// golden vectors, never answers: what was there stays. Promises are awaited by the request that made them alone: in workerd they die
// with it.
import { ArtifactError } from "../../shared/errors.ts";
import { digestOf } from "../http/hashes.ts";
import { RequestError } from "../http/problem.ts";
import type { Bucket, BucketObject } from "./bucket.ts";
import { bundledOnly, type ModelRequest, type Models, noSuchModel, notPinned, type ServedModel, serve } from "./models.ts";
import { artifactKey, type Challenger, isModelName, MAX_ARTIFACT_BYTES, type Pointer, parsePointer, pointerKey } from "./pointer.ts";
import { readsAlike, type ServableModel, schemaOf } from "./servable-model.ts";
import { isInShare } from "./share.ts";

/** A loaded model, and what it takes of the isolate's memory. */
export interface LoadedModel {
  readonly served: ServedModel;
  readonly bytes: number;
}

export interface RegistryDependencies {
  readonly bundled: ServableModel;
  readonly bucket: Bucket;
  /** Decodes and proves. `bytes`: of the kernel's memories and the tensors. Throws nothing. */
  readonly open: (artifact: Uint8Array<ArrayBuffer>) => { readonly servable: ServableModel; readonly bytes: number };
  /** Milliseconds since 1970. */
  readonly now: () => number;
  readonly log: (record: Readonly<Record<string, unknown>>) => void;
  readonly settings?: Partial<RegistrySettings>;
}

export interface RegistrySettings {
  /** A pointer is looked at no sooner than this after the last time. */
  readonly lookMs: number;
  /** Where the last look is older, a request waits for the next one, up to `patienceMs`. */
  readonly staleMs: number;
  readonly patienceMs: number;
  /** Of all that is loaded beside the bundled model: beyond it what was asked for longest ago goes. */
  readonly maxBytes: number;
}

/** Of what is loaded beside the bundled model, and so of any one. */
export const MAX_LOADED_BYTES = 24 * 1024 * 1024;
const DEFAULTS: RegistrySettings = { lookMs: 10_000, staleMs: 60_000, patienceMs: 1000, maxBytes: MAX_LOADED_BYTES };
/** A look that did not come back, since its request died, holds up no other for longer. */
const LOST_MS = 30_000;
/** Names that an isolate remembers, those that there are none of included. */
const MAX_SLOTS = 1000;
/** How often who waits for another's look asks whether it is over. */
const POLL_MS = 10;

/** What is known of a name. */
interface Slot {
  readonly name: string;
  /** As it was read last; undefined: there is none, or it was never read. */
  pointer?: Pointer;
  /** The pointer's, once it is proven beside the current one. */
  challenger?: Challenger;
  /** The artifact that answers; its model may have been dropped. */
  current?: string;
  /** When the last look began; −∞: never. */
  lookedAt: number;
  /** Whether a look has ended well. */
  isKnown: boolean;
  /** Why the last look did not lead to what the pointer says. */
  fault?: string;
}

/** A model beside its challenger. */
export interface Trial {
  readonly served: ServedModel;
  readonly other: ServedModel;
  readonly challenger: Challenger;
}

interface Entry extends LoadedModel {
  usedAt: number;
}

/** A registry on a bucket, as Models; and what routes show of it. */
export class Registry implements Models {
  readonly #dependencies: RegistryDependencies;
  readonly #settings: RegistrySettings;
  readonly #bundledModels: Models;
  readonly #slots = new Map<string, Slot>();
  /** By name and hash. */
  readonly #loaded = new Map<string, Entry>();
  /** By a challenger in the shadow, for as long as that is loaded: the one that it was last beside, with it. */
  readonly #shadowed = new WeakMap<ServedModel, ServedModel>();
  #bundled: ServedModel | undefined;
  /** When the load that is under way began; 0: none is. */
  #loadingSince = 0;

  constructor(dependencies: RegistryDependencies) {
    this.#dependencies = dependencies;
    this.#settings = { ...DEFAULTS, ...dependencies.settings };
    this.#bundledModels = bundledOnly(dependencies.bundled);
  }

  /** The bundled model's name; undefined where that cannot be read. */
  get defaultName(): string | undefined {
    const { bundled } = this.#dependencies;
    return "unready" in bundled ? undefined : bundled.model.name;
  }

  standing(): ServableModel {
    const name = this.defaultName;
    const slot = name === undefined ? undefined : this.#slots.get(name);
    const served = slot && this.#answering(slot);
    if (served === undefined) return this.#dependencies.bundled;
    return { ...served, sha256: async () => served.sha256 };
  }

  choose(request: ModelRequest): ServedModel | Promise<ServedModel> {
    const { name = this.defaultName, pin, isLatest } = request;
    if (name === undefined) return this.#bundledModels.choose(request); // throws why
    if (!isModelName(name)) throw noSuchModel(name, this.defaultName ?? "others");
    const slot = this.#slotOf(name);
    const now = this.#dependencies.now();
    const age = now - slot.lookedAt;
    const needsBundled = name === this.defaultName && this.#bundled === undefined;
    if (isLatest || needsBundled || age >= this.#settings.staleMs || this.#isMissing(slot, now)) return this.#wait(slot, request);
    if (age >= this.#settings.lookMs && !this.#isLoading(now)) {
      slot.lookedAt = now;
      const looking = this.#look(slot);
      if (request.waitUntil === undefined) void looking;
      else request.waitUntil(looking);
    }
    return pin === undefined ? this.#drawn(slot, request) : this.#pinned(slot, pin);
  }

  /** The current model and its challenger, where both are loaded. Throws as choose without a pin. */
  async trial(name: string, waitUntil: ModelRequest["waitUntil"]): Promise<Trial | undefined> {
    const served = await this.choose({ name, waitUntil });
    const { challenger } = this.#slotOf(name);
    const other = challenger && this.#use(this.#slotOf(name), challenger.sha256);
    return other && { served, other, challenger: challenger! };
  }

  faultOf(name = this.defaultName): string | undefined {
    if (name === undefined) return undefined;
    const slot = this.#slots.get(name);
    return slot?.fault ?? (slot?.isKnown ? undefined : "the registry was not read yet");
  }

  faults(): Readonly<Record<string, string>> | undefined {
    const faulty = [...this.#slots.values()].flatMap(({ name, fault }) => (fault === undefined ? [] : [[name, fault] as const]));
    return faulty.length === 0 ? undefined : Object.fromEntries(faulty);
  }

  /** From now on `name` is looked at again at once: its pointer was moved here. */
  expire(name: string): void {
    this.#slotOf(name).lookedAt = Number.NEGATIVE_INFINITY;
  }

  /** Whether nothing is there that the pointer means: it was dropped for others, or is not read yet. A name that is none is not asked again at once. */
  #isMissing(slot: Slot, now: number): boolean {
    if (this.#answering(slot) !== undefined) return false;
    if (slot.current !== undefined) return slot.fault === undefined || now - slot.lookedAt >= this.#settings.lookMs;
    return slot.name !== this.defaultName && (this.#isLoading(now) || now - slot.lookedAt >= this.#settings.lookMs);
  }

  #slotOf(name: string): Slot {
    const known = this.#slots.get(name);
    if (known !== undefined) return known;
    if (this.#slots.size >= MAX_SLOTS) this.#forgetNames();
    const slot: Slot = { name, lookedAt: Number.NEGATIVE_INFINITY, isKnown: false };
    this.#slots.set(name, slot);
    return slot;
  }

  /** Names that somebody asked for and that no pointer is known of. */
  #forgetNames(): void {
    for (const [name, { pointer }] of this.#slots) if (pointer === undefined && name !== this.defaultName) this.#slots.delete(name);
  }

  /** A load that was cut off counts as none. */
  #isLoading(now: number): boolean {
    return this.#loadingSince > 0 && now - this.#loadingSince < LOST_MS;
  }

  /** The first request waits for its look, and at most so long; others go on with what there is, or wait where there is nothing. */
  async #wait(slot: Slot, request: ModelRequest): Promise<ServedModel> {
    const { now } = this.#dependencies;
    const { staleMs, patienceMs } = this.#settings;
    if (slot.name === this.defaultName && this.#bundled === undefined) this.#bundled = await this.#bundledOr();
    const until = now() + patienceMs;
    const mustWait = () => request.isLatest || (this.#answering(slot) ?? this.#fallback(slot)) === undefined;
    while (this.#isLoading(now()) && mustWait() && now() < until) await pause(POLL_MS);
    if (!this.#isLoading(now()) && (request.isLatest || now() - slot.lookedAt >= staleMs || this.#isMissing(slot, now()))) {
      slot.lookedAt = now();
      const looking = this.#look(slot).then(() => true);
      request.waitUntil?.(looking);
      const isOver = await Promise.race([looking, pause(patienceMs).then(() => false)]);
      if (!isOver) slot.fault = `the bucket did not answer within ${patienceMs} ms`;
    }
    return request.pin === undefined ? this.#drawn(slot, request) : this.#pinned(slot, request.pin);
  }

  /** The bundled model; undefined where it is unusable. */
  async #bundledOr(): Promise<ServedModel | undefined> {
    return "unready" in this.#dependencies.bundled ? undefined : this.#bundledModels.choose({});
  }

  #found(slot: Slot): ServedModel {
    const served = this.#answering(slot) ?? this.#fallback(slot);
    if (served !== undefined) return served;
    if (slot.fault !== undefined) throw new ArtifactError(slot.fault);
    if (slot.isKnown) throw noSuchModel(slot.name, this.defaultName ?? "others");
    throw new RequestError("storage", `the model ${slot.name} is not loaded yet: ask again`);
  }

  /** The current model; where this request is in its challenger's part, and that is proven and loaded, the challenger, or both. */
  #drawn(slot: Slot, { key }: ModelRequest): ServedModel {
    const { challenger } = slot;
    if (challenger === undefined || key === undefined) return this.#found(slot);
    const isShadow = "shadow" in challenger;
    if (!isInShare(key, challenger.sha256, isShadow ? challenger.shadow : challenger.share)) return this.#found(slot);
    const other = this.#use(slot, challenger.sha256);
    if (!isShadow || other === undefined) return other ?? this.#found(slot);
    const served = this.#found(slot);
    let both = this.#shadowed.get(other);
    if (both?.engine !== served.engine) {
      both = { ...served, shadow: other };
      this.#shadowed.set(other, both);
    }
    return both;
  }

  #answering(slot: Slot): ServedModel | undefined {
    return slot.current === undefined ? undefined : this.#use(slot, slot.current);
  }

  #fallback({ name }: Slot): ServedModel | undefined {
    return name === this.defaultName ? this.#bundled : undefined;
  }

  #use(slot: Slot, sha256: string): ServedModel | undefined {
    if (slot.name === this.defaultName && this.#bundled?.sha256 === sha256) return this.#bundled;
    const entry = this.#loaded.get(`${slot.name}/${sha256}`);
    if (entry !== undefined) entry.usedAt = this.#dependencies.now();
    return entry?.served;
  }

  /** The artifact of that hash, if it is one that the name has: nothing is read to find out. It is read where it was dropped. */
  #pinned(slot: Slot, pin: string): ServedModel | Promise<ServedModel> {
    const { pointer, current } = slot;
    const known = [current, pointer?.sha256, pointer?.previous, pointer?.challenger?.sha256, this.#fallback(slot)?.sha256];
    if (!known.includes(pin)) throw notPinned(pin);
    const served = this.#use(slot, pin);
    return served ?? this.#load(slot, pin);
  }

  /** Reads the pointer and what it names. Never throws: what is wrong is the slot's fault. */
  async #look(slot: Slot): Promise<void> {
    const { now, log } = this.#dependencies;
    this.#loadingSince = now();
    try {
      await this.#follow(slot);
      slot.fault = undefined;
      slot.isKnown = true;
    } catch (error) {
      const fault = error instanceof Error ? error.message : String(error);
      if (fault !== slot.fault) log({ event: "registry", model: slot.name, fault });
      slot.fault = fault;
    } finally {
      this.#loadingSince = 0;
    }
  }

  async #follow(slot: Slot): Promise<void> {
    const { log } = this.#dependencies;
    const key = pointerKey(slot.name);
    const object = await this.#read(key);
    if (object === null) {
      if (slot.pointer !== undefined) fail(`${key} is gone: what was loaded answers`);
      return;
    }
    const text = await object.text();
    let pointer: Pointer;
    try {
      pointer = parsePointer(text);
    } catch (error) {
      return fail(`${key} ${(error as Error).message}`);
    }
    slot.pointer = pointer;
    const isSwap = slot.current !== pointer.sha256;
    const served = this.#use(slot, pointer.sha256) ?? (await this.#load(slot, pointer.sha256));
    slot.current = pointer.sha256;
    if (isSwap) log({ event: "model swapped", model: served.id });
    slot.challenger = undefined;
    const { challenger } = pointer;
    if (challenger === undefined) return;
    const other = this.#use(slot, challenger.sha256) ?? (await this.#load(slot, challenger.sha256));
    if (schemaOf(other.model.recipe) !== schemaOf(served.model.recipe))
      fail(`the challenger ${challenger.sha256.slice(0, 12)} takes other features or steps than ${served.id}: it answers nothing`);
    if ("shadow" in challenger && !readsAlike(served, other))
      fail(`the challenger ${challenger.sha256.slice(0, 12)} reads rows otherwise than ${served.id}: in the shadow it scores nothing`);
    slot.challenger = challenger;
  }

  /** Null where there is no such object. Throws ArtifactError where the bucket fails. */
  #read(key: string): Promise<BucketObject | null> {
    return this.#dependencies.bucket.get(key).catch((error: unknown) => fail(`the bucket does not answer (${String(error)})`));
  }

  /** Reads, decodes and proves one artifact. Throws ArtifactError. */
  async #load(slot: Slot, sha256: string): Promise<ServedModel> {
    const { open, now } = this.#dependencies;
    const key = artifactKey(slot.name, sha256);
    const object = await this.#read(key);
    if (object === null) return fail(`${key}, which the pointer names, is not there`);
    if (object.size > MAX_ARTIFACT_BYTES) return fail(`${key} has ${object.size} bytes, expected at most ${MAX_ARTIFACT_BYTES}`);
    const bytes = new Uint8Array(await object.arrayBuffer());
    const found = await digestOf(bytes);
    if (found !== sha256) return fail(`${key} has the SHA-256 ${found.slice(0, 12)}…: it is damaged or cut short`);
    const { servable, bytes: taken } = open(bytes);
    if ("unready" in servable) return fail(`${key}: ${servable.unready}`);
    if (taken > this.#settings.maxBytes)
      return fail(`${key} takes ${taken} bytes once it is loaded, expected at most ${this.#settings.maxBytes}`);
    const served = serve({ ...servable, model: { ...servable.model, name: slot.name } }, sha256);
    this.#makeRoom(taken);
    this.#loaded.set(`${slot.name}/${sha256}`, { served, bytes: taken, usedAt: now() });
    return served;
  }

  /** What was asked for longest ago goes; who still holds it goes on with it. */
  #makeRoom(bytes: number): void {
    let total = bytes;
    for (const entry of this.#loaded.values()) total += entry.bytes;
    const oldest = [...this.#loaded].sort(([, a], [, b]) => a.usedAt - b.usedAt);
    const standing = this.defaultName === undefined ? undefined : `${this.defaultName}/${this.#slots.get(this.defaultName)?.current}`;
    for (const [key, entry] of oldest) {
      if (total <= this.#settings.maxBytes) return;
      if (key === standing) continue; // the bundled one would answer in its place
      this.#loaded.delete(key);
      total -= entry.bytes;
    }
  }
}

function pause(ms: number): Promise<void> {
  return new Promise((done) => setTimeout(done, ms));
}

function fail(message: string): never {
  throw new ArtifactError(message);
}
