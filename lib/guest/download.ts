import { dirname, join, posix } from "node:path";
import { NidoError } from "../errors.ts";
import { type Copied, type CopyOptions, eachOf, Tally } from "./copying.ts";
import { explain, reasonToSkip } from "./copying_errors.ts";
import { type FileKind, fileKind, oddity, plainMode } from "./file_kind.ts";
import { checkName, refusedName, refuseLink, sameName } from "./guest_names.ts";
import type { GuestStat, Sftp } from "./sftp.ts";
import type { SshSession } from "./ssh.ts";
import { fetchContent } from "./transfer.ts";

const FILES_TOGETHER = 8;

/** Something to fetch: its path in the guest and its place here. */
interface Item {
  from: string;
  to: string;
  stat: GuestStat;
  /** Folders between the copied tree's root and this; 0 is the root itself. */
  depth: number;
}

/** One download: what must wait until all files are written. */
interface Download {
  sftp: Sftp;
  tally: Tally;
  links: Item[];
  made: Item[];
}

/**
 * Copies a file or a folder out of a guest. As with `cp`, an existing folder or a trailing slash
 * takes the source inside; otherwise the destination is the new name. The guest is not trusted:
 * nothing is written outside the destination, whatever it tells.
 */
export async function downloadFrom(
  session: SshSession,
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<Copied> {
  const cannot = `Cannot copy ${source} from VM "${session.name}"`;
  const tally = new Tally(source, options);
  const from = fromHome(source);
  using sftp = await session.sftp();
  using _stopping = sftp.stopOn(options.signal);
  try {
    const stat = await sftp.stat(from);
    const kind = fileKind(stat.mode);
    if (kind !== "file" && kind !== "folder") {
      throw new NidoError("invalid_input", `${cannot}: ${oddity(kind)}`);
    }
    const to = await placeHere(sftp, from, destination, cannot);
    const root: Item = { from, to, stat, depth: 0 };
    if (kind === "folder") await fetchTree(sftp, tally, root, cannot);
    else {
      tally.total = stat.size;
      await fetchFile({ sftp, tally, links: [], made: [] }, root);
    }
    return tally.result();
  } catch (error) {
    if (error instanceof Error && "code" in error && error.code === "EISDIR") {
      throw new NidoError("already_exists", `${cannot}: a folder is in its place`, {
        cause: error,
      });
    }
    throw explain(error, cannot, "from");
  }
}

/** A guest's path as its SFTP server takes it, where relative means the user's home. */
export function fromHome(path: string): string {
  return path === "" || path === "~" ? "." : path.replace(/^~\//, "");
}

async function placeHere(sftp: Sftp, from: string, destination: string, cannot: string) {
  const inside = /[/\\]$/.test(
    Deno.build.os === "windows" ? destination : destination.replaceAll("\\", ""),
  );
  const there = await Deno.stat(destination).catch((error) => {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  });
  if (!inside && !there?.isDirectory) return destination;
  if (!there) await Deno.mkdir(destination);
  if (there && !there.isDirectory) {
    throw new NidoError("already_exists", `${cannot}: ${destination} is not a folder`);
  }
  let name = posix.basename(from);
  if (name === "" || name === "." || name === "..") {
    name = posix.basename(await sftp.realpath(from));
  }
  if (name === "") {
    throw new NidoError("invalid_input", `${cannot}: its copy needs a name`, {
      hint: `nido cp ${sftp.name}:/ ${join(destination, "root")}`,
    });
  }
  const problem = checkName(name);
  if (problem) throw new NidoError("invalid_input", `${cannot}: ${problem}`);
  return join(destination, name);
}

async function fetchTree(sftp: Sftp, tally: Tally, root: Item, cannot: string): Promise<void> {
  const job: Download = { sftp, tally, links: [], made: [] };
  if (!await takeFolder(job, root)) {
    throw new NidoError("already_exists", `${cannot}: ${root.to} is not a folder`);
  }
  await fetchEntries(job, root);
  await eachOf(job.links, FILES_TOGETHER, (link) => softly(job, link, () => fetchLink(job, link)));
  // Deepest first: a folder that ends read-only, or whose time counts, is not touched afterwards.
  for (const folder of job.made.reverse()) {
    await Deno.chmod(folder.to, plainMode(folder.stat.mode)).catch(ignoreOnWindows);
    if (folder.stat.mtime) await Deno.utime(folder.to, folder.stat.mtime, folder.stat.mtime);
  }
}

/** Whether the item's place is a real folder, made now or there before; a link to one is not. */
async function takeFolder(job: Download, folder: Item): Promise<boolean> {
  try {
    await Deno.mkdir(folder.to, { mode: 0o700 });
    job.made.push(folder);
  } catch (error) {
    if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
    if (!(await Deno.lstat(folder.to)).isDirectory) return false;
  }
  job.tally.copied.folders++;
  return true;
}

async function fetchEntries(job: Download, folder: Item): Promise<void> {
  const files: Item[] = [];
  const folders: Item[] = [];
  for (const { item, kind } of await list(job, folder)) {
    if (kind === "file") files.push(item);
    else if (kind === "folder") folders.push(item);
    else if (kind === "link") job.links.push(item);
    else job.tally.skip(item.from, oddity(kind));
  }
  await eachOf(files, FILES_TOGETHER, (file) => softly(job, file, () => fetchFile(job, file)));
  for (const inner of folders) {
    await softly(job, inner, async () => {
      if (await takeFolder(job, inner)) await fetchEntries(job, inner);
      else job.tally.skip(inner.from, "something that is no folder is in its place");
    });
  }
}

async function list(job: Download, folder: Item): Promise<{ item: Item; kind: FileKind }[]> {
  const found: { item: Item; kind: FileKind }[] = [];
  const names = new Set<string>();
  const same = new Set<string>();
  const depth = folder.depth + 1;
  for await (const { name, stat } of job.sftp.entries(folder.from)) {
    job.tally.enter(depth);
    const from = posix.join(folder.from, name);
    const problem = checkName(name) ??
      (same.has(sameName(name)) ? "its name differs from another's in case only" : undefined);
    if (names.has(name)) throw refusedName(name);
    names.add(name);
    same.add(sameName(name));
    if (problem) job.tally.skip(from, problem);
    else {
      const item = { from, to: join(folder.to, name), stat, depth };
      found.push({ item, kind: fileKind(stat.mode) });
    }
  }
  return found;
}

/** Leaves one entry out, with its reason, where the rest can go on. */
async function softly(job: Download, item: Item, fetch: () => Promise<void>): Promise<void> {
  try {
    await fetch();
  } catch (error) {
    const reason = reasonToSkip(error, "from");
    if (reason === undefined) throw error;
    job.tally.skip(item.from, reason);
  }
}

async function fetchFile({ sftp, tally }: Download, item: Item): Promise<void> {
  const handle = await sftp.open(item.from, "r");
  const temporary = temporaryBeside(item.to);
  try {
    using file = await Deno.open(temporary, { write: true, createNew: true, mode: 0o600 });
    await fetchContent(sftp, handle, file, item.from, item.stat.size ?? 0, tally);
    if (item.stat.mtime) await file.utime(item.stat.mtime, item.stat.mtime);
    await Deno.chmod(temporary, plainMode(item.stat.mode)).catch(ignoreOnWindows);
    await Deno.rename(temporary, item.to);
    tally.copied.files++;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // not made, or renamed
    throw error;
  } finally {
    await sftp.close(handle).catch(() => {}); // what was read counts
  }
}

async function fetchLink({ sftp, tally }: Download, link: Item): Promise<void> {
  const target = await sftp.readlink(link.from);
  const there = await Deno.lstat(link.to).catch(() => undefined);
  const problem = there?.isDirectory
    ? "a folder is in its place"
    : refuseLink(target, link.depth - 1);
  if (problem) return tally.skip(link.from, problem);
  const temporary = temporaryBeside(link.to);
  try {
    await Deno.symlink(target, temporary, { type: "file" });
    await Deno.rename(temporary, link.to);
    tally.copied.links++;
  } catch (error) {
    await Deno.remove(temporary).catch(() => {}); // not made, or renamed
    // Deno 2.9 lets a program make links only when it may read and write everything.
    if (error instanceof Deno.errors.NotCapable) {
      tally.skip(link.from, "Deno's permissions allow no links");
    } else if (Deno.build.os === "windows") tally.skip(link.from, "Windows allowed no link");
    else throw error;
  }
}

function temporaryBeside(path: string): string {
  return join(dirname(path), `.nido-${crypto.randomUUID().slice(0, 8)}.part`);
}

function ignoreOnWindows(error: unknown): void {
  if (Deno.build.os !== "windows") throw error;
}
