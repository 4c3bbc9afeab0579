import { type ErrorCode, NidoError } from "../errors.ts";
import { utf8Part } from "./output.ts";
import { lastLine, runScript, type ScriptAnswer, SLICE } from "./script.ts";
import { quote } from "./shell_words.ts";
import type { SshSession } from "./ssh.ts";

/** Most bytes of a file that one call reads or writes. */
export const MOST_FILE_BYTES = 1_048_576;

/** Whose rights count, and what interrupts. */
export interface Access {
  /** Another user than the login user, entered with `sudo`. */
  asUser?: string;
  signal?: AbortSignal;
}

// Tells what a path that can't be used is; "~" is the home of whoever runs it.
const FACTS = `
case $1 in "~") file=$HOME ;; "~/"*) file=$HOME/\${1#??} ;; /*) file=$1 ;; *) file=$HOME/$1 ;; esac
say() { echo "$1" >&2; exit 9; }
absent() {
  above=$file
  while [ ! -e "$above" ]; do
    above=\${above%/*}
    above=\${above:-/}
  done
  [ -d "$above" ] || say inside
  [ -x "$above" ] || say closed
}`;

const READ = `${FACTS}
${SLICE}
[ -e "$file" ] || [ -L "$file" ] || { absent; say missing; }
[ -e "$file" ] || say dangling
[ ! -d "$file" ] || say folder
[ -f "$file" ] || say special
[ -r "$file" ] || say denied
set -f
at=$2 length=$3
set -- $(ls -lnL "$file"); size=$5
[ $at -ge 0 ] || at=$((size + at))
[ $at -ge 0 ] || at=0
echo "$size $at"
slice "$file" $at $length`;

// The file takes its place by a rename when all of it is there and has its mode. What is appended
// is complete before the first byte of it is added.
const WRITE = `${FACTS}
umask 077
bytes=$2 mode=$3 append=$4 folders=$5 temporary=.nido-$6
case $file in */) say folder ;; esac
[ ! -d "$file" ] || say folder
[ ! -e "$file" ] || [ -f "$file" ] || say special
if [ -L "$file" ]; then file=$(readlink -f "$file") && [ -n "$file" ] || say dangling; fi
folder=\${file%/*}; folder=\${folder:-/}
if [ ! -d "$folder" ]; then
  [ ! -e "$folder" ] || say inside
  file=$folder; absent; file=\${folder%/}/\${1##*/}
  [ $folders = 1 ] || say nofolder
  (umask 022; mkdir -p "$folder") || say failed
fi
if [ -e "$file" ]; then
  new=0
  [ -w "$file" ] || say denied
else new=1; fi
if [ $append = 1 ] && [ $new = 0 ]; then temporary=\${TMPDIR:-/tmp}/$temporary
else
  [ -x "$folder" ] || say closed
  [ -w "$folder" ] || say sealed
  temporary=\${folder%/}/$temporary
fi
trap 'rm -f "$temporary"; exit 1' HUP INT TERM
lose() { rm -f "$temporary"; say failed; }
(set -C; : >"$temporary") || lose
if [ $append = 0 ] && [ $new = 0 ]; then cp -p "$file" "$temporary" || lose; fi
cat >"$temporary" || lose
[ $(($(wc -c <"$temporary"))) -eq $bytes ] || { rm -f "$temporary"; say cut; }
if [ $append = 1 ] && [ $new = 0 ]; then
  cat "$temporary" >>"$file" || lose
  rm -f "$temporary"
else
  [ $new = 0 ] || chmod 644 "$temporary" || lose
  [ -z "$mode" ] || chmod "$mode" "$temporary" || lose
  mv -f "$temporary" "$file" || lose
fi
set -f
set -- $(ls -lnL "$file")
echo "$new $5"`;

/** A part of a guest's file. */
export interface FilePart {
  bytes: Uint8Array;
  offset: number;
  /** What the file has in all; files that the guest makes up as they are read often tell 0. */
  sizeBytes: number;
  isComplete: boolean;
}

/** Reads a part of a guest's file; an offset below zero counts from its end. */
export async function readFilePart(
  session: SshSession,
  path: string,
  { offset, length, asUser, signal }: Access & { offset: number; length: number },
): Promise<FilePart> {
  const doing = `read ${path}`;
  const words = [path, offset, length];
  const said = await runScript(session, { doing, text: READ, words, asUser, signal });
  if (said.exitCode === 9) throw refused(session, path, "read", said, asUser);
  const line = said.stdout.indexOf(10);
  const facts = new TextDecoder().decode(said.stdout.subarray(0, Math.max(line, 0)));
  if (!/^\d{1,16} \d{1,16}$/.test(facts)) throw misunderstood(session, doing, said);
  const [size, at] = facts.split(" ").map(Number) as [number, number];
  const bytes = said.stdout.subarray(line + 1, line + 1 + length);
  const end = at + bytes.length;
  return {
    bytes,
    offset: at,
    sizeBytes: bytes.length > 0 ? Math.max(size, end) : size,
    isComplete: bytes.length < length || end === size,
  };
}

/** How a file is written. */
export interface Writing extends Access {
  /** Octal; default 644 for a new file, and that of the old one else. */
  mode?: string;
  append: boolean;
  makeFolders: boolean;
}

/** Writes a guest's file: all of it takes the place of the old one at once, or nothing does. */
export async function writeFileContent(
  session: SshSession,
  path: string,
  content: Uint8Array,
  { mode = "", append, makeFolders, asUser, signal }: Writing,
): Promise<{ isNew: boolean; sizeBytes: number }> {
  const doing = `write ${path}`;
  const token = crypto.randomUUID();
  const words = [path, content.length, mode, Number(append), Number(makeFolders), token];
  const script = { doing, text: WRITE, words, stdin: content, asUser, signal };
  const said = await runScript(session, script);
  if (said.exitCode === 9) throw refused(session, path, "write", said, asUser);
  const facts = new TextDecoder().decode(said.stdout).trim();
  if (!/^[01] \d{1,16}$/.test(facts)) throw misunderstood(session, doing, said);
  const [isNew, sizeBytes] = facts.split(" ").map(Number) as [number, number];
  return { isNew: isNew === 1, sizeBytes };
}

/** Text of a part of a file, which ends before a character that isn't whole. */
export function textOf({ bytes, isComplete, offset }: FilePart, wasNegative: boolean) {
  const part = utf8Part(bytes, { mayBeginInside: wasNegative && offset > 0, isEnd: isComplete });
  const own = bytes.subarray(part.skipped, part.skipped + part.size);
  const isExact = isUtf8(own);
  return {
    text: part.text,
    offset: offset + part.skipped,
    size: part.size,
    isExact,
    isBinary: !isExact && own.includes(0),
  };
}

function isUtf8(bytes: Uint8Array): boolean {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(bytes);
    return true;
  } catch {
    return false;
  }
}

function refused(
  { name, user }: SshSession,
  path: string,
  verb: "read" | "write",
  { stderr }: ScriptAnswer,
  asUser = user,
): NidoError {
  const word = lastLine(stderr);
  const told = new TextDecoder().decode(stderr).trim().split("\n").at(-2) ?? "";
  const cannot = `Cannot ${verb} ${path} in VM "${name}"`;
  const run = `nido exec ${name} -- `;
  const look = `${run}ls -la ${safe(path)}`;
  const asRoot = asUser === "root" ? look : `nido ${verb}-file ${name} ${safe(path)} --user root`;
  const refusals: Record<string, [ErrorCode, string, string]> = {
    missing: ["not_found", "it does not exist", `${run}ls -la ${safe(above(path))}`],
    dangling: ["not_found", "it is a link to nothing", look],
    inside: ["invalid_input", "part of its path is a file", look],
    closed: ["denied", `user ${asUser} may not enter a folder of its path`, asRoot],
    folder: ["invalid_input", "it is a folder", look],
    special: ["invalid_input", "it is neither a file nor a folder", look],
    denied: ["denied", `user ${asUser} may not ${verb} it`, asRoot],
    sealed: ["denied", `user ${asUser} may not write in its folder`, asRoot],
    nofolder: [
      "not_found",
      "its folder does not exist",
      `nido write-file ${name} ${safe(path)} --make-folders`,
    ],
    cut: ["unavailable", "not all of it arrived; nothing was changed", `nido info ${name}`],
  };
  const known = refusals[word];
  if (known) return new NidoError(known[0], `${cannot}: ${known[1]}`, { hint: known[2] });
  const isFull = /no space left|quota exceeded/i.test(told);
  return new NidoError(
    isFull ? "exhausted" : "tool_failed",
    `${cannot}: ${isFull ? "the guest's disk is full" : told || "the guest gave no reason"}`,
    { hint: isFull ? `${run}df -h` : look },
  );
}

function misunderstood(session: SshSession, doing: string, { exitCode, stderr }: ScriptAnswer) {
  const told = lastLine(stderr);
  return new NidoError(
    "tool_failed",
    `Cannot ${doing} in VM "${session.name}": the guest's shell ended with ${exitCode}` +
      (told ? `: ${told}` : ""),
    { hint: `nido info ${session.name}` },
  );
}

function safe(path: string): string {
  return quote(path);
}

function above(path: string): string {
  return path.replace(/\/+[^/]*\/*$/, "") || (path.startsWith("/") ? "/" : ".");
}
