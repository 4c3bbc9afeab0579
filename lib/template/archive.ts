import type { Refuse } from "../image/refuse.ts";
import type { NidoError } from "../errors.ts";

/** One file inside an archive. */
export interface Member {
  name: string;
  sizeBytes: number;
  bytes: AsyncIterable<Uint8Array>;
}

/** The bytes of a tar archive; the same members give the same bytes. */
export async function* packMembers(
  members: Member[],
  modifiedAt: Date,
): AsyncGenerator<Uint8Array> {
  // @ts-types="@types/tar-stream"
  const { pack } = await import("tar-stream");
  const [{ pipeline }, { Readable }] = await streams();
  const packing = pack();
  const fill = async () => {
    for (const { name, sizeBytes, bytes } of members) {
      const entry = packing.entry({ name, size: sizeBytes, mode: 0o600, mtime: modifiedAt });
      await pipeline(Readable.from(bytes), entry);
    }
    packing.finalize();
  };
  const filling = fill().catch((error) => void packing.destroy(error));
  try {
    yield* packing as AsyncIterable<Uint8Array>;
  } finally {
    packing.destroy();
    await filling;
  }
}

/** The members of a tar archive, as they come; each must be read before the next is asked for. */
export async function* readMembers(
  archive: AsyncIterable<Uint8Array>,
  refuse: Refuse,
): AsyncGenerator<Member> {
  // @ts-types="@types/tar-stream"
  const { extract } = await import("tar-stream");
  const [{ pipeline }, { Readable }] = await streams();
  const unpacking = extract();
  const source: { failure?: unknown } = {};
  // What goes wrong here ends `unpacking` too, and is told there.
  const feeding = pipeline(Readable.from(watched(archive, source)), unpacking).catch(() => {});
  let count = 0;
  const told = (error: unknown): unknown => {
    if (source.failure !== undefined) return source.failure;
    if (count === 0) return notExported(refuse, error);
    return refuse("integrity", "it is cut short or damaged", { cause: error });
  };
  const entries = unpacking[Symbol.asyncIterator]();
  try {
    for (;;) {
      const { value: entry, done } = await entries.next().catch((error) => {
        throw told(error);
      });
      if (done) return;
      const { name, size = 0, type } = entry.header;
      if (type !== "file") {
        throw refuse("invalid_input", `${JSON.stringify(name)} in it is not an ordinary file`);
      }
      count++;
      yield { name, sizeBytes: size, bytes: translated(entry as AsyncIterable<Uint8Array>, told) };
    }
  } finally {
    unpacking.destroy();
    await feeding;
  }
}

/** Passes bytes on and remembers why they ended early. */
async function* watched(bytes: AsyncIterable<Uint8Array>, source: { failure?: unknown }) {
  try {
    yield* bytes;
  } catch (error) {
    source.failure = error;
    throw error;
  }
}

async function* translated(bytes: AsyncIterable<Uint8Array>, told: (error: unknown) => unknown) {
  try {
    yield* bytes;
  } catch (error) {
    throw told(error);
  }
}

/** The refusal of a file that is something else. */
export function notExported(refuse: Refuse, cause?: unknown): NidoError {
  return refuse("invalid_input", "it is not an exported template", {
    hint: "nido template export NAME FILE",
    cause,
  });
}

async function streams() {
  return await Promise.all([import("node:stream/promises"), import("node:stream")]);
}
