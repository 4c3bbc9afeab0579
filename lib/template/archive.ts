import type { Refuse } from "../image/refuse.ts";
import { NidoError } from "../errors.ts";

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
  // What goes wrong here ends `unpacking` with the same error.
  const feeding = pipeline(Readable.from(archive), unpacking).catch(() => {});
  let count = 0;
  try {
    for await (const entry of unpacking) {
      const { name, size = 0, type } = entry.header;
      if (type !== "file") {
        throw refuse("invalid_input", `${JSON.stringify(name)} in it is not an ordinary file`);
      }
      count++;
      yield { name, sizeBytes: size, bytes: entry as AsyncIterable<Uint8Array> };
    }
  } catch (error) {
    if (error instanceof NidoError || error instanceof Deno.errors.NotCapable) throw error;
    if (count === 0) throw notExported(refuse, error);
    throw refuse("integrity", "it is cut short or damaged", { cause: error });
  } finally {
    unpacking.destroy();
    await feeding;
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
