import { createHash } from "node:crypto";
import { join } from "node:path";
import { run } from "../../lib/host/process.ts";
import { listMoments, type MomentRecord } from "../../lib/moment/moment.ts";
import { files, momentFiles } from "../../lib/store/files.ts";
import { sha256 } from "../../lib/sha256.ts";

/** A warm base, for tests that damage it. */
export interface WarmMoment {
  readonly id: string;
  at(file: keyof typeof momentFiles): string;
  ramDigest(): Promise<string>;
  record(): Promise<MomentRecord>;
  /** Writes its record anew. */
  say(change: (record: MomentRecord) => void): Promise<void>;
  /** Changes bytes of its state; `honestly`, so that its record has their digest. */
  spoilState(at: number, bytes: Uint8Array, honestly: boolean): Promise<void>;
}

/** The newest warm base of a home. */
export async function warmMoment(home: string): Promise<WarmMoment> {
  const [newest] = (await listMoments(home)).filter(({ record }) => !record.failure);
  if (!newest) throw new Error(`nothing is warm in ${home}`);
  return momentAt(home, newest.id);
}

function momentAt(home: string, id: string): WarmMoment {
  const at = (file: keyof typeof momentFiles) => join(files.moment(home, id), momentFiles[file]);
  const moment: WarmMoment = {
    id,
    at,
    ramDigest: () => fileDigest(at("ram")),
    record: async () => JSON.parse(await Deno.readTextFile(at("record"))),
    say: async (change) => {
      const record = await moment.record();
      change(record);
      await Deno.writeTextFile(at("record"), JSON.stringify(record));
    },
    spoilState: async (offset, bytes, honestly) => {
      const state = await Deno.readFile(at("state"));
      state.set(bytes, offset);
      await Deno.writeFile(at("state"), state);
      const stateDigest = await sha256(state);
      if (honestly) await moment.say((record) => record.stateDigest = stateDigest);
    },
  };
  return moment;
}

/** Copies a home's images, and all that must be the same for its warm bases, into another one. */
export async function copyHome(home: string, copy: string): Promise<void> {
  await Deno.mkdir(files.moments(copy), { recursive: true, mode: 0o700 });
  for (const folder of ["disks", "images", "keys", "facts"]) {
    await run("cp", ["-a", join(home, folder), join(copy, folder)]);
  }
}

/** Copies a warm base, also into another home; its disk stands on the base there. */
export async function copyMoment(home: string, id: string, copy: string, as: string) {
  const { fingerprint } = await momentAt(home, id).record();
  await run("cp", ["-a", files.moment(home, id), files.moment(copy, as)]);
  const moment = momentAt(copy, as);
  const base = files.diskImage(copy, fingerprint.base);
  await run("qemu-img", [
    "rebase",
    "-u",
    "-f",
    "qcow2",
    "-F",
    "qcow2",
    "-b",
    base,
    moment.at("disk"),
  ]);
  return moment;
}

async function fileDigest(path: string): Promise<string> {
  const hash = createHash("sha256");
  using file = await Deno.open(path);
  for await (const chunk of file.readable) hash.update(chunk);
  return hash.digest("hex");
}
