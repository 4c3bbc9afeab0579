import type { Context } from "../context.ts";
import type { Refuse } from "../image/refuse.ts";
import { isDiskFull, SpaceGuard } from "../image/space_guard.ts";
import { SparseFile } from "../image/sparse_file.ts";
import { exportedFiles } from "../store/files.ts";
import { type Member, notExported, readMembers } from "./archive.ts";
import { manifest, parseForeign, type PromisedMember } from "./manifest.ts";
import { type TemplateRecord, templateRecord } from "./template.ts";

const MOST_JSON_BYTES = 256 * 1024;

/** An exported template while it is read, from front to end: manifest, record, disk. */
export class ExportedTemplate implements AsyncDisposable {
  private constructor(
    readonly members: AsyncGenerator<Member>,
    readonly record: TemplateRecord,
    readonly disk: PromisedMember,
    readonly refuse: Refuse,
  ) {}

  /** Reads the manifest and the record, and believes nothing of them that can be checked. */
  static async open(archive: AsyncIterable<Uint8Array>, refuse: Refuse): Promise<ExportedTemplate> {
    const members = readMembers(archive, refuse);
    try {
      const first = (await members.next()).value as Member | undefined;
      if (first?.name !== exportedFiles.manifest || first.sizeBytes > MOST_JSON_BYTES) {
        throw notExported(refuse);
      }
      const [promise, told] = [new Text(), new Text()];
      for await (const chunk of first.bytes) promise.add(chunk);
      const [recordMember, disk] =
        parseForeign(promise.text, manifest, exportedFiles.manifest, refuse).members;
      if (recordMember.sizeBytes > MOST_JSON_BYTES) throw notExported(refuse);
      const recordBytes = await take(members, recordMember, refuse);
      await receive(recordBytes, recordMember, refuse, told.add);
      const record = parseForeign(told.text, templateRecord, exportedFiles.record, refuse);
      if (record.digest !== disk.digest || record.sizes.compactBytes !== disk.sizeBytes) {
        throw refuse("integrity", `its ${exportedFiles.record} tells of another disk`);
      }
      return new ExportedTemplate(members, record, disk, refuse);
    } catch (error) {
      await members.return(undefined);
      throw error;
    }
  }

  /** Writes the disk to a new file, to the archive's end; throws unless all is what was promised. */
  async writeDisk(context: Context, path: string): Promise<void> {
    const { refuse, disk } = this;
    using file = await SparseFile.create(path);
    const space = new SpaceGuard(context.home, file, refuse);
    try {
      const member = await take(this.members, disk, refuse);
      await receive(member, disk, refuse, async (chunk) => {
        context.signal.throwIfAborted();
        await space.check(chunk.length);
        await file.write(chunk);
        const done = file.sizeBytes;
        context.report({ stage: "copy", message: "Reading the disk", done, total: disk.sizeBytes });
      });
      await file.finish();
    } catch (error) {
      throw isDiskFull(error) ? await space.exhausted() : error;
    }
    const more = await this.members.next();
    if (more.done) return;
    throw refuse("invalid_input", `it also holds ${JSON.stringify(more.value.name)}`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.members.return(undefined);
  }
}

/** The next member, which must be the promised one. */
async function take(
  members: AsyncGenerator<Member>,
  { name, sizeBytes }: PromisedMember,
  refuse: Refuse,
): Promise<Member> {
  const { value: member, done } = await members.next();
  if (done) throw refuse("integrity", `it is cut short: ${name} is missing`);
  if (member.name !== name) {
    throw refuse("invalid_input", `it holds ${JSON.stringify(member.name)} instead of ${name}`);
  }
  if (member.sizeBytes === sizeBytes) return member;
  const fact = `${name} has ${member.sizeBytes} bytes, and its manifest says ${sizeBytes}`;
  throw refuse("integrity", fact);
}

/** Hands a member's bytes over, and throws at their end when they are not the promised ones. */
async function receive(
  member: Member,
  { name, digest }: PromisedMember,
  refuse: Refuse,
  give: (chunk: Uint8Array) => void | Promise<void>,
): Promise<void> {
  const { createHash } = await import("node:crypto");
  const hash = createHash("sha256");
  for await (const chunk of member.bytes) {
    hash.update(chunk);
    await give(chunk);
  }
  if (`sha256:${hash.digest("hex")}` === digest) return;
  throw refuse("integrity", `${name} is not what its manifest says: its digest is another`);
}

/** Puts text together from pieces that may end within a letter. */
class Text {
  readonly #decoder = new TextDecoder();
  text = "";
  add = (chunk: Uint8Array): void => {
    this.text += this.#decoder.decode(chunk, { stream: true });
  };
}
