import { targets } from "./targets.ts";

/** That there is no denort, the part of Deno that a compiled program runs on. */
export class NoRuntime extends Error {}

/** Compiles a bundle for one system; nothing is left where that can't be done. */
export async function compileBinary(bundle: string, file: string, target: string): Promise<void> {
  const denort = Deno.env.get("DENORT_BIN");
  const isNone = `DENORT_BIN (${denort}) is no denort for ${target}`;
  if (denort !== undefined && !await isFor(target, denort)) throw new NoRuntime(isNone);
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["compile", "--quiet", "--allow-all", "--no-config", "--no-lock", "--app-name", "nido"],
      ...["--target", target, "--output", file, bundle],
    ],
  }).output();
  if (code !== 0) throw failure(new TextDecoder().decode(stderr), target);
  if (target !== Deno.build.target || await runsNido(file)) return; // only its own system can tell
  await Deno.remove(file);
  throw new NoRuntime(isNone);
}

function failure(told: string, target: string): Error {
  return told.includes("Setting up base binary")
    ? new NoRuntime(`denort for ${target} can't be downloaded here, and DENORT_BIN names none`)
    : new Error(told);
}

/** Whether a program is one of a system: by the magic number of its format, and its processor. */
async function isFor(target: string, path: string): Promise<boolean> {
  const head = new Uint8Array(20);
  try {
    using file = await Deno.open(path);
    await file.read(head);
  } catch {
    return false; // absent, a folder or unreadable
  }
  const view = new DataView(head.buffer);
  const isArm = target.startsWith("aarch64");
  if (target.includes("linux")) {
    return view.getUint32(0) === 0x7f454c46 && view.getUint16(18, true) === (isArm ? 183 : 62);
  }
  if (target.includes("apple")) {
    const cpu = isArm ? 0x0100000c : 0x01000007;
    return view.getUint32(0, true) === 0xfeedfacf && view.getUint32(4, true) === cpu;
  }
  return view.getUint16(0) === 0x4d5a;
}

/** The whole deno has a denort's format too, but runs its own commands. */
async function runsNido(file: string): Promise<boolean> {
  const { stdout } = await new Deno.Command(file, { args: ["--version"] }).output();
  return new TextDecoder().decode(stdout).startsWith("nido ");
}

/** The systems that a command line asks for; undefined where it names none that there is. */
export function targetsOf(asked: string): string[] | undefined {
  if (asked === "all") return Object.keys(targets);
  return asked in targets ? [asked] : undefined;
}
