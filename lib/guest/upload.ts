import { basename, join, posix, resolve } from "node:path";
import { NidoError } from "../errors.ts";
import { type Copied, type CopyOptions, eachOf, Tally } from "./copying.ts";
import { explain, reasonToSkip } from "./copying_errors.ts";
import { fromHome } from "./download.ts";
import { fileKind, oddity, plainMode } from "./file_kind.ts";
import { type Sftp, SftpFailure } from "./sftp.ts";
import type { SshSession } from "./ssh.ts";
import { sendContent } from "./transfer.ts";

const FILES_TOGETHER = 8;

/** Something to send: its path here and its place in the guest. */
interface Item {
  from: string;
  to: string;
  info: Deno.FileInfo;
  depth: number;
}

/** One upload. */
interface Upload {
  sftp: Sftp;
  tally: Tally;
}

/**
 * Copies a file or a folder into a guest, with its modes and times; links inside a folder stay links.
 * As with `cp`, an existing folder or a trailing slash takes the source inside; otherwise the
 * destination is the new name.
 */
export async function uploadTo(
  session: SshSession,
  source: string,
  destination: string,
  options: CopyOptions = {},
): Promise<Copied> {
  const cannot = `Cannot copy ${source} to VM "${session.name}"`;
  const tally = new Tally(source, options);
  try {
    const info = await Deno.stat(source);
    if (!info.isFile && !info.isDirectory) {
      throw new NidoError("invalid_input", `${cannot}: ${oddity(fileKind(info.mode))}`);
    }
    using sftp = await session.sftp();
    using _stopping = sftp.stopOn(options.signal);
    const job: Upload = { sftp, tally };
    const to = await placeThere(sftp, source, fromHome(destination), cannot);
    const root: Item = { from: source, to, info, depth: 0 };
    if (info.isFile) {
      tally.total = info.size;
      await refuseFolderAt(sftp, to, cannot);
      await sendFile(job, root);
    } else await sendFolder(job, root, cannot);
    return tally.result();
  } catch (error) {
    throw explain(error, cannot, "to");
  }
}

async function placeThere(sftp: Sftp, source: string, destination: string, cannot: string) {
  const inside = destination.endsWith("/");
  const path = destination.replace(/(?<=.)\/+$/, "");
  const there = await folderAt(sftp, path);
  if (!inside && there !== "folder") return destination;
  if (there === "other") {
    throw new NidoError("already_exists", `${cannot}: ${path} is not a folder there`);
  }
  if (!there) {
    await sftp.mkdir(path);
    await sftp.setstat(path, { mode: 0o755 });
  }
  const name = basename(resolve(source));
  if (name === "") throw new NidoError("invalid_input", `${cannot}: its copy needs a name`);
  return posix.join(destination, name);
}

async function folderAt(sftp: Sftp, path: string): Promise<"folder" | "other" | undefined> {
  try {
    return fileKind((await sftp.stat(path)).mode) === "folder" ? "folder" : "other";
  } catch (error) {
    if (error instanceof SftpFailure && error.status === SftpFailure.noSuchFile) return undefined;
    throw error;
  }
}

async function refuseFolderAt(sftp: Sftp, path: string, cannot: string): Promise<void> {
  if (await folderAt(sftp, path) === "folder") {
    throw new NidoError("already_exists", `${cannot}: a folder is in its place`);
  }
}

async function sendFolder(job: Upload, folder: Item, cannot: string): Promise<void> {
  const there = await folderAt(job.sftp, folder.to);
  if (there === "other") {
    if (folder.depth > 0) return job.tally.skip(folder.from, "a file is in its place");
    throw new NidoError("already_exists", `${cannot}: ${folder.to} is not a folder there`);
  }
  if (!there) await job.sftp.mkdir(folder.to);
  job.tally.copied.folders++;
  const files: Item[] = [];
  const folders: Item[] = [];
  for await (const { name } of Deno.readDir(folder.from)) {
    const from = join(folder.from, name);
    job.tally.enter(folder.depth + 1);
    await softly(job, from, async () => {
      const info = await Deno.lstat(from);
      const item = { from, to: posix.join(folder.to, name), info, depth: folder.depth + 1 };
      if (info.isDirectory) folders.push(item);
      else if (info.isFile || info.isSymlink) files.push(item);
      else job.tally.skip(from, oddity(fileKind(info.mode)));
    });
  }
  await eachOf(
    files,
    FILES_TOGETHER,
    (item) =>
      softly(job, item.from, () => item.info.isSymlink ? sendLink(job, item) : sendFile(job, item)),
  );
  for (const inner of folders) {
    await softly(job, inner.from, () => sendFolder(job, inner, cannot));
  }
  if (!there) await job.sftp.setstat(folder.to, attributes(folder.info, 0o755));
}

/** Leaves one entry out, with its reason, where the rest can go on. */
async function softly(job: Upload, from: string, send: () => Promise<void>): Promise<void> {
  try {
    await send();
  } catch (error) {
    const reason = from.includes("\uFFFD") && error instanceof Deno.errors.NotFound
      ? "its name is not UTF-8"
      : reasonToSkip(error, "to");
    if (reason === undefined) throw error;
    job.tally.skip(from, reason);
  }
}

async function sendFile({ sftp, tally }: Upload, item: Item): Promise<void> {
  using file = await Deno.open(item.from, { read: true });
  const temporary = temporaryBeside(item.to);
  const handle = await sftp.open(temporary, "wx", 0o600);
  try {
    try {
      await sendContent(sftp, file, handle, tally);
    } finally {
      await sftp.close(handle);
    }
    await sftp.setstat(temporary, attributes(item.info, 0o644));
    await sftp.replace(temporary, item.to);
    tally.copied.files++;
  } catch (error) {
    await sftp.unlink(temporary).catch(() => {}); // renamed, or the guest is gone
    throw error;
  }
}

async function sendLink({ sftp, tally }: Upload, item: Item): Promise<void> {
  const target = await Deno.readLink(item.from);
  const temporary = temporaryBeside(item.to);
  await sftp.symlink(target, temporary);
  try {
    await sftp.replace(temporary, item.to);
    tally.copied.links++;
  } catch (error) {
    await sftp.unlink(temporary).catch(() => {}); // the first failure is the one that counts
    throw error;
  }
}

function attributes(info: Deno.FileInfo, otherwise: number) {
  const seconds = Math.floor((info.mtime?.getTime() ?? Date.now()) / 1000);
  return { mode: plainMode(info.mode ?? otherwise), atime: seconds, mtime: seconds };
}

function temporaryBeside(path: string): string {
  return posix.join(posix.dirname(path), `.nido-${crypto.randomUUID().slice(0, 8)}.part`);
}
