/** What was kept of a stream, and what it was in all. */
export interface Captured {
  text: string;
  /** All bytes that came, kept or not. */
  bytes: number;
  truncated: boolean;
}

/** Keeps the beginning and the end of a stream, and counts all of it, in bounded memory. */
export class HeadTail {
  #head: Uint8Array;
  #headSize = 0;
  #tail: Uint8Array; // a ring: the next byte goes to #tailAt
  #tailAt = 0;
  #bytes = 0;

  constructor(readonly limitBytes: number) {
    this.#head = new Uint8Array(Math.ceil(limitBytes / 2));
    this.#tail = new Uint8Array(Math.floor(limitBytes / 2));
  }

  /** How many bytes came so far. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Takes the next bytes; the chunk may be reused afterwards. */
  add(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    const toHead = chunk.subarray(0, this.#head.length - this.#headSize);
    this.#head.set(toHead, this.#headSize);
    this.#headSize += toHead.length;
    const size = this.#tail.length;
    const last = chunk.subarray(Math.max(toHead.length, chunk.length - size));
    const untilEnd = last.subarray(0, size - this.#tailAt);
    this.#tail.set(untilEnd, this.#tailAt);
    this.#tail.set(last.subarray(untilEnd.length), 0);
    if (size > 0) this.#tailAt = (this.#tailAt + last.length) % size;
  }

  /** All bytes that came so far; undefined once some were left out. */
  whole(): Uint8Array | undefined {
    if (this.#bytes > this.#headSize + this.#tail.length) return undefined;
    // Less than a full ring: it hasn't come round, unless it is exactly full and starts at 0.
    const whole = new Uint8Array(this.#bytes);
    whole.set(this.#head.subarray(0, this.#headSize));
    whole.set(this.#tail.subarray(0, this.#bytes - this.#headSize), this.#headSize);
    return whole;
  }

  /** The text so far, with a line that tells what was left out, never cutting a character. */
  result(): Captured {
    const head = this.#head.subarray(0, this.#headSize);
    const decode = (bytes: Uint8Array) =>
      new TextDecoder("utf-8", { ignoreBOM: true }).decode(bytes);
    const whole = this.whole();
    if (whole) return { text: decode(whole), bytes: this.#bytes, truncated: false };
    const tail = new Uint8Array(this.#tail.length);
    tail.set(this.#tail.subarray(this.#tailAt));
    tail.set(this.#tail.subarray(0, this.#tailAt), tail.length - this.#tailAt);
    const before = head.subarray(0, head.length - cutAtEnd(head));
    const after = tail.subarray(cutAtStart(tail));
    const missing = this.#bytes - before.length - after.length;
    const beginning = decode(before);
    const gap = beginning === "" || beginning.endsWith("\n") ? "" : "\n";
    return {
      text: `${beginning}${gap}[... ${missing} bytes left out ...]\n${decode(after)}`,
      bytes: this.#bytes,
      truncated: true,
    };
  }
}

/** A part of a text that was cut out of it at any byte. */
export interface TextPart {
  text: string;
  /** Bytes at its beginning that continue a character from before. */
  skipped: number;
  /** Bytes that became the text; those after them begin a character that isn't whole yet. */
  size: number;
}

/** Reads a part of a text without cutting a character, so that the next part can go on where it ends. */
export function utf8Part(
  bytes: Uint8Array,
  { mayBeginInside, isEnd }: { mayBeginInside: boolean; isEnd: boolean },
): TextPart {
  const skipped = mayBeginInside ? cutAtStart(bytes) : 0;
  const rest = bytes.subarray(skipped);
  const size = rest.length - (isEnd ? 0 : cutAtEnd(rest));
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(rest.subarray(0, size));
  return { text, skipped, size };
}

/** How many bytes at the end are the beginning of a UTF-8 character that isn't whole. */
function cutAtEnd(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!;
    if (byte < 0x80) return 0;
    if (byte >= 0xc0) return back < (byte >= 0xf0 ? 4 : byte >= 0xe0 ? 3 : 2) ? back : 0;
  }
  return 0;
}

/** How many bytes at the start continue a UTF-8 character that began before. */
function cutAtStart(bytes: Uint8Array): number {
  let size = 0;
  while (size < Math.min(3, bytes.length) && (bytes[size]! & 0xc0) === 0x80) size++;
  return size;
}
