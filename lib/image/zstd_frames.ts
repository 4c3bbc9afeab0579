const MAGIC = 0xfd2fb528;
const SKIPPABLE = 0x184d2a50;

/**
 * Passes zstd data through and throws when it ends inside a frame: Deno's decompressor (2.9) takes
 * such an end for a good one. Frame layout: RFC 8878.
 */
export async function* wholeZstdFrames(
  packed: AsyncIterable<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  const frames = new FrameWalk();
  for await (const chunk of packed) {
    frames.walk(chunk);
    yield chunk;
  }
  if (!frames.complete) throw new Error("the zstd data ends inside a frame");
}

type Part = "frame" | "descriptor" | "skippable" | "block";

/** Follows frame and block headers over chunks, jumping over what they hold. */
class FrameWalk {
  #part: Part = "frame";
  #header: number[] = [];
  #wanted = 4;
  #jump = 0;
  #checksum = 0;

  get complete(): boolean {
    return this.#part === "frame" && this.#header.length === 0 && this.#jump === 0;
  }

  walk(chunk: Uint8Array): void {
    for (let at = 0; at < chunk.length;) {
      if (this.#jump > 0) {
        const step = Math.min(this.#jump, chunk.length - at);
        this.#jump -= step;
        at += step;
        continue;
      }
      this.#header.push(chunk[at++]!);
      if (this.#header.length === this.#wanted) this.#next();
    }
  }

  #next(): void {
    const value = this.#header.reduce((sum, byte, index) => sum + byte * 256 ** index, 0);
    this.#header = [];
    if (this.#part === "frame") {
      if (value === MAGIC) return this.#expect("descriptor", 1);
      // Not a frame at all: the decompressor has the better error.
      return this.#expect(value - value % 16 === SKIPPABLE ? "skippable" : "frame", 4);
    }
    if (this.#part === "skippable") return this.#expect("frame", 4, value);
    if (this.#part === "descriptor") {
      const singleSegment = (value & 0x20) !== 0;
      const contentSize = [singleSegment ? 1 : 0, 2, 4, 8][value >> 6]!;
      this.#checksum = value & 4 ? 4 : 0;
      const rest = (singleSegment ? 0 : 1) + [0, 1, 2, 4][value & 3]! + contentSize;
      return this.#expect("block", 3, rest);
    }
    const [last, type, size] = [value & 1, value >> 1 & 3, value >> 3];
    const bytes = type === 1 ? 1 : size;
    if (last) this.#expect("frame", 4, bytes + this.#checksum);
    else this.#expect("block", 3, bytes);
  }

  #expect(part: Part, wanted: number, jump = 0): void {
    [this.#part, this.#wanted, this.#jump] = [part, wanted, jump];
  }
}
