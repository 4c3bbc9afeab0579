/** The programs that the build runs, and what to install where one is missing. */

/** A failure whose message alone tells the reader what to do. */
export class BuildError extends Error {
  override name = "BuildError";
}

/** The keyring that Debian's archive is verified with. */
export const archiveKeyring = "/usr/share/keyrings/debian-archive-keyring.gpg";

const packageOfProgram: Readonly<Record<string, string>> = {
  "apt-get": "apt",
  mke2fs: "e2fsprogs",
  mmdebstrap: "mmdebstrap",
  "qemu-img": "qemu-utils",
  tar: "tar",
};

/** What `unshare` needs when the build isn't root's. */
const packageOfRootlessProgram: Readonly<Record<string, string>> = {
  newuidmap: "uidmap",
  unshare: "util-linux",
};

/** True when the build runs as root, and needs no user namespace. */
export const isRoot = Deno.uid() === 0;

function searchPath(): string {
  return `${Deno.env.get("PATH") ?? "/usr/bin:/bin"}:/usr/sbin:/sbin`;
}

async function exists(path: string): Promise<boolean> {
  return await Deno.stat(path).then(() => true, () => false);
}

async function isOnPath(program: string): Promise<boolean> {
  for (const folder of searchPath().split(":")) {
    if (await exists(`${folder}/${program}`)) return true;
  }
  return false;
}

/** Throws one sentence with the `apt-get` command for everything that the build lacks. */
export async function requirePrograms(): Promise<void> {
  const missing = new Map<string, string>();
  const needed = isRoot ? packageOfProgram : { ...packageOfProgram, ...packageOfRootlessProgram };
  for (const [program, name] of Object.entries(needed)) {
    if (!await isOnPath(program)) missing.set(program, name);
  }
  if (!await exists(archiveKeyring)) missing.set(archiveKeyring, "debian-archive-keyring");
  if (missing.size === 0) return;
  const sudo = isRoot ? "" : "sudo ";
  throw new BuildError(
    `Cannot build the guest image without ${[...missing.keys()].join(", ")}: ` +
      `run ${sudo}apt-get install --yes ${[...new Set(missing.values())].join(" ")}`,
  );
}

/** How `run` starts a program. */
export interface RunOptions {
  env?: Record<string, string>;
  /** Called with each line the program writes to stderr. */
  onLine?: (line: string) => void;
}

/** Runs a program to its end and returns its stdout; a failure carries its last lines of stderr. */
export async function run(args: string[], options: RunOptions = {}): Promise<string> {
  const [program = "", ...rest] = args;
  const child = new Deno.Command(program, {
    args: rest,
    env: { ...options.env, PATH: searchPath(), LC_ALL: "C.UTF-8" },
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
  const [stdout, lastLines, status] = await Promise.all([
    new Response(child.stdout).text(),
    followLines(child.stderr, options.onLine),
    child.status,
  ]);
  if (!status.success) {
    const reason = status.signal ?? `exit code ${status.code}`;
    throw new BuildError([`${program} failed (${reason})`, ...lastLines].join("\n  "));
  }
  return stdout;
}

async function followLines(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onLine?: (line: string) => void,
): Promise<string[]> {
  const lastLines: string[] = [];
  let unfinished = "";
  for await (const text of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (unfinished + text).split(/[\r\n]+/);
    unfinished = lines.pop() ?? "";
    lines.forEach((line) => onLine?.(line));
    lastLines.push(...lines);
    lastLines.splice(0, lastLines.length - 20);
  }
  return unfinished === "" ? lastLines : [...lastLines, unfinished];
}
