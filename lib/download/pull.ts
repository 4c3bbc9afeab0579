import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Refuse, refuser } from "../image/refuse.ts";
import { isDiskFull, needSpace, SpaceGuard } from "../image/space_guard.ts";
import { type Answer, ask, reached, type Resumption, StartOver } from "./answer.ts";
import type { Downloaded, Wanted } from "./download.ts";
import type { DownloadRecord } from "./partial.ts";
import type { PartialFile } from "./partial_file.ts";
import { progressOf, type Reporter } from "./progress.ts";
import { type Retries, Setback, waitAfter } from "./retries.ts";
import { StallWatch } from "./stall_watch.ts";

const CHUNK_BYTES = 1024 * 1024;
const FAIR_PROGRESS_BYTES = 64 * 1024;

/** One download under way: goes through its addresses until one has delivered what was published. */
export class Pull {
  readonly #refuse: Refuse;
  readonly #space: SpaceGuard;
  readonly #report: Reporter;
  /** Bytes of an earlier request are part of the file, and may be of another version. */
  #hasReused = false;
  #hasAnswer = false;
  #asked = 0;

  constructor(
    private readonly context: Context,
    private readonly wanted: Wanted,
    private readonly partial: PartialFile,
    private readonly retries: Retries,
  ) {
    this.#refuse = refuser(`download ${wanted.label}`);
    this.#space = new SpaceGuard(context.home, partial, this.#refuse);
    this.#report = progressOf(context, "download", `Downloading ${wanted.label}`);
  }

  /** Tries one address after the other; throws what stopped each of them. */
  async run(): Promise<Downloaded> {
    const failed: { address: string; setback: Setback }[] = [];
    for (const source of this.#inOrder()) {
      try {
        return await this.#from(source);
      } catch (error) {
        if (!(error instanceof Setback)) throw error;
        failed.push({ address: this.#addressIn(source), setback: error });
      }
    }
    throw this.#failure(failed);
  }

  /** As they were published, but first those of which the bytes so far can be a part. */
  #inOrder(): string[][] {
    const { size, record } = this.partial;
    const rank = (source: string[]) => Number(source.length !== record?.addresses.length);
    const { sources } = this.wanted;
    return size > 0 ? sources.toSorted((one, other) => rank(one) - rank(other)) : sources;
  }

  async #from(source: string[]): Promise<Downloaded> {
    const { wanted, partial } = this;
    for (let isSecondTry = false;; isSecondTry = true) {
      await this.#goOnWith(source);
      for (let part = partial.record!.part; part < source.length; part++) {
        await this.#begin(source, part);
        await this.#part(source[part]!);
      }
      const { digest, sha256 } = partial.digests();
      const sizeBytes = partial.size;
      if (wanted.digest === undefined || wanted.digest === digest) {
        return { path: partial.path, digest, sha256, sizeBytes, url: source[0]! };
      }
      await this.#startOver(source);
      if (this.#hasReused && !isSecondTry) continue; // with nothing of an earlier try in it
      throw new Setback(
        "integrity",
        `what it sends has the digest ${digest}, and the published one is ${wanted.digest}`,
        "elsewhere",
      );
    }
  }

  /** Keeps what is there where this source can go on from it. */
  async #goOnWith(source: string[]): Promise<void> {
    const { partial, wanted } = this;
    const { record } = partial;
    const isSameLayout = record?.addresses.length === source.length;
    const isSame = isSameLayout && record.addresses.every((address, at) => address === source[at]);
    const canGoOn = isSame || isSameLayout && wanted.digest !== undefined;
    this.#hasReused = canGoOn && partial.size > 0;
    if (record && canGoOn && record.partStart <= partial.size) return;
    await this.#startOver(source);
  }

  async #startOver(source: string[]): Promise<void> {
    await this.partial.cutTo(0);
    await this.partial.describe(freshRecord(this.wanted, source));
  }

  /** Moves on to a part, unless it is the one under way. */
  async #begin(source: string[], part: number): Promise<void> {
    const { record, size } = this.partial;
    if (record!.part === part) return;
    await this.partial.describe({
      ...freshRecord(this.wanted, source),
      part,
      partStart: size,
    });
  }

  async #part(address: string): Promise<void> {
    const { partial, retries, context, wanted } = this;
    const before = partial.size;
    // Killed after its last byte: the digest tells whether it is whole, and no server is needed.
    const isWhole = partial.partSize > 0 && partial.partSize === partial.record!.partBytes;
    if (isWhole && wanted.digest !== undefined) return;
    for (let failures = 0, since = partial.size;;) {
      try {
        return await this.#request(address, partial.size !== before);
      } catch (error) {
        context.signal.throwIfAborted();
        if (isDiskFull(error)) throw await this.#space.exhausted();
        if (!(error instanceof Setback) || error.remedy !== "again") throw error;
        if ((error.extras.askedWaitMs ?? 0) > retries.longestAskedWaitMs) throw error;
        if (error instanceof StartOver) await this.#restartPart();
        failures = partial.size - since > FAIR_PROGRESS_BYTES ? 1 : failures + 1;
        since = partial.size;
        if (failures > retries.failures) throw error;
        await delay(waitAfter(failures, error, retries), context.signal);
      }
    }
  }

  async #request(address: string, hasDelivered: boolean): Promise<void> {
    const { retries, context } = this;
    const resumption = await this.#resumption(address);
    using watch = new StallWatch(context.signal);
    const isOffline = this.#asked++ > 0 && !this.#hasAnswer;
    watch.expect(
      isOffline ? retries.offlineAnswerMs : retries.answerMs,
      "it does not answer",
      hasDelivered ? "again" : "elsewhere",
    );
    const answer = await reached(ask(address, resumption, watch.signal), hasDelivered);
    this.#hasAnswer = true;
    await this.#accept(address, answer);
    if (answer.body) await this.#receive(answer.body, watch);
  }

  /** From where to go on at an address; undefined is its beginning, and nothing of it is there. */
  async #resumption(address: string): Promise<Resumption | undefined> {
    const { partial, wanted } = this;
    const { part, addresses, etag, lastModified } = partial.record!;
    if (partial.partSize === 0) return undefined;
    const isStrong = etag !== undefined && !etag.startsWith("W/");
    const ifRange = addresses[part] === address ? isStrong ? etag : lastModified : undefined;
    if (ifRange !== undefined || wanted.digest !== undefined) {
      return { offset: partial.partSize, ifRange };
    }
    return void await this.#restartPart();
  }

  async #restartPart(): Promise<void> {
    await this.partial.cutTo(this.partial.record!.partStart);
  }

  /** Compares an answer with what is known, and makes the partial ready for its bytes. */
  async #accept(address: string, answer: Answer): Promise<void> {
    const { partial, wanted } = this;
    const record = partial.record!;
    const { part, partStart, addresses } = record;
    const goesOn = answer.offset > 0;
    if (goesOn && answer.body && isOfOtherBytes(answer, record, address)) throw new StartOver();
    if (answer.offset !== partial.partSize) await this.#restartPart();
    this.#hasReused ||= goesOn;
    const partBytes = answer.partBytes ?? (goesOn ? record.partBytes : undefined);
    this.#checkSize(partBytes, part === addresses.length - 1);
    const totalBytes = wanted.sizeBytes ?? (addresses.length === 1 ? partBytes : undefined);
    await partial.describe({
      ...record,
      addresses: addresses.with(part, address),
      partBytes,
      etag: answer.etag,
      lastModified: answer.lastModified,
      totalBytes,
    });
    const end = totalBytes ?? partStart + (partBytes ?? 0);
    await needSpace(this.context.home, Math.max(0, end - partial.size), this.#refuse);
  }

  /** What a server declares must fit what was published, before its bytes are taken. */
  #checkSize(partBytes: number | undefined, isLast: boolean): void {
    const { sizeBytes } = this.wanted;
    if (sizeBytes === undefined || partBytes === undefined) return;
    const end = this.partial.record!.partStart + partBytes;
    if (isLast ? end === sizeBytes : end <= sizeBytes) return;
    throw new Setback(
      "integrity",
      `it offers ${end} bytes, and the published size is ${sizeBytes}`,
      "elsewhere",
    );
  }

  async #receive(body: ReadableStream<Uint8Array>, watch: StallWatch): Promise<void> {
    const { partial, retries } = this;
    const { partStart, partBytes, totalBytes } = partial.record!;
    const end = partBytes === undefined ? totalBytes : partStart + partBytes;
    const reader = body.getReader({ mode: "byob" });
    for (let buffer = new ArrayBuffer(CHUNK_BYTES);;) {
      watch.expect(retries.stallMs, "it sends nothing", "again");
      const { value, done } = await reached(reader.read(new Uint8Array(buffer)), true);
      if (done) break;
      if (end !== undefined && partial.size + value.length > end) {
        await this.#startOver(partial.record!.addresses);
        throw new Setback("integrity", `it sends more than the ${end} bytes due`, "elsewhere");
      }
      await this.#space.check(value.length);
      await partial.append(value);
      this.#report(partial.size, totalBytes);
      buffer = value.buffer;
    }
    if (partBytes !== undefined && partial.partSize < partBytes) {
      throw new Setback("unavailable", "it breaks off", "again");
    }
  }

  #addressIn(source: string[]): string {
    return source[this.partial.record?.part ?? 0] ?? source[0]!;
  }

  #failure(failed: { address: string; setback: Setback }[]): NidoError {
    const { label } = this.wanted;
    const codes = failed.map(({ setback }) => setback.code);
    const code = codes.includes("integrity")
      ? "integrity"
      : codes.every((code) => code === "not_found")
      ? "not_found"
      : "unavailable";
    const facts = failed.map(({ address, setback }) => `${address}: ${setback.fact}`);
    return new NidoError(code, `Cannot download ${label}: ${facts.join("; ")}`, {
      hint: code === "unavailable" ? `nido image pull ${label}` : undefined,
      details: { failed: failed.map(({ address, setback }) => ({ address, fact: setback.fact })) },
      cause: failed.at(-1)?.setback.cause,
    });
  }
}

/** True when what a server would add is, by its own marks, not of the file that the bytes so far are of. */
function isOfOtherBytes(answer: Answer, record: DownloadRecord, address: string): boolean {
  const differ = (one: unknown, other: unknown) =>
    one !== undefined && other !== undefined && one !== other;
  if (differ(record.partBytes, answer.partBytes)) return true;
  return record.addresses[record.part] === address && differ(record.etag, answer.etag);
}

function freshRecord({ label, sizeBytes }: Wanted, addresses: string[]): DownloadRecord {
  return {
    schemaVersion: 1,
    label,
    addresses,
    part: 0,
    partStart: 0,
    totalBytes: sizeBytes,
  };
}

async function delay(ms: number, signal: AbortSignal): Promise<void> {
  const { setTimeout } = await import("node:timers/promises");
  await setTimeout(ms, undefined, { signal });
}
