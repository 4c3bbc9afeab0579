import assert from "node:assert/strict";
import { join } from "node:path";
import { type Context, makeContext } from "../../lib/context.ts";
import { type ErrorCode, NidoError } from "../../lib/errors.ts";
import { run } from "../../lib/host/process.ts";
import { operations } from "../../lib/operations.ts";
import { files, vmFiles } from "../../lib/store/files.ts";
import { namesIn } from "../../lib/store/record.ts";
import { runRoot } from "../../lib/store/run_folder.ts";
import { bootDisk, IDLE } from "./boot_sector.ts";
import { nido, type Said } from "./command.ts";

/** One row of `nido list --json`. */
export interface Row {
  name: string;
  state: string;
  sshPort?: number;
  problems: string[];
}

/**
 * A home of its own with an image "tiny" that boots in no time, for tests that run real QEMU. At its
 * end what is left is killed by pid, and anything that should not be there fails the test.
 */
export interface Nest extends AsyncDisposable {
  readonly folder: string;
  readonly home: string;
  readonly context: Context;
  /** Calls an operation inside this process. */
  call<T = Record<string, unknown>>(name: string, input?: Record<string, unknown>): Promise<T>;
  /** Runs the real command line. */
  nido(args: string[], env?: Record<string, string>): Promise<Said>;
  /** Makes a running VM. */
  spawn(name: string, more?: Record<string, unknown>): Promise<void>;
  list(): Promise<Row[]>;
  row(name: string): Promise<Row | undefined>;
  /** The path of a file of a VM. */
  at(name: string, file: keyof typeof vmFiles): string;
  pid(name: string): Promise<number>;
  /** Imports a disk whose first sector is this program. */
  importProgram(name: string, program: number[]): Promise<void>;
  /** Fails unless nothing but the home itself is left: no VM, process, run folder, staging. */
  assertEmpty(): Promise<void>;
}

/** How to make a nest. */
export interface NestOptions {
  /** The home's path, when a usual one will not do; its folder must exist. */
  home?: string;
}

/** Makes a nest. */
export async function nest(options: NestOptions = {}): Promise<Nest> {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-e2e-" }));
  const home = options.home ?? join(folder, "home");
  const context = makeContext(home);
  const call = async <T>(name: string, input: Record<string, unknown> = {}) =>
    (await (await operations[name]!()).default.call(context, input)) as T;

  const made: Nest = {
    folder,
    home,
    context,
    call,
    nido: (args, env) => nido(args, { home, env }),
    spawn: async (name, more = {}) => {
      await call("vm.spawn", { name, wait: "running", ...more });
    },
    list: async () => (await call<{ vms: Row[] }>("vm.list")).vms,
    row: async (name) => (await made.list()).find((row) => row.name === name),
    at: (name, file) => join(files.vm(home, name), vmFiles[file]),
    pid: async (name) => Number(await Deno.readTextFile(made.at(name, "pid"))),
    importProgram: async (name, program) => {
      const file = join(folder, `${name}.raw`);
      await Deno.writeFile(file, bootDisk(program));
      await call("image.import", { file, name });
    },
    assertEmpty: async () => assert.deepEqual(await leftovers(home), []),
    [Symbol.asyncDispose]: async () => {
      const left = await machinesOf(home);
      for (const pid of left.keys()) await run("kill", ["-KILL", String(pid)], { accept: [0, 1] });
      const folders = await stagingOf(home);
      const root = await runRoot(home);
      await Deno.remove(folder, { recursive: true });
      if (!root.startsWith(home)) await Deno.remove(root, { recursive: true }).catch(() => {});
      assert.deepEqual(folders, [], "staging was left behind");
    },
  };
  await call("config.set", { key: "accelerator", value: "tcg" });
  await call("config.set", { key: "warm", value: "off" }); // its images never get ready
  await call("config.set", { key: "memory", value: "128" });
  await call("config.set", { key: "image", value: "tiny" });
  await made.importProgram("tiny", IDLE);
  return made;
}

/** The QEMU processes that have this home in their command line, by pid. */
export async function machinesOf(home: string): Promise<Map<number, string>> {
  const { stdout } = await run("ps", ["-ww", "-eo", "pid=,stat=,args="], {
    env: { LC_ALL: "C.UTF-8" },
  });
  const found = new Map<number, string>();
  for (const line of new TextDecoder().decode(stdout).split("\n")) {
    const match = /^\s*(\d+)\s+([^Z\s]\S*)\s+(\S*qemu-system\S* .*)$/.exec(line);
    if (match && match[3]!.includes(`${home}/`)) found.set(Number(match[1]), match[3]!);
  }
  return found;
}

async function stagingOf(home: string): Promise<string[]> {
  return await namesIn(files.staging(home)).catch(() => []);
}

/** What is left of VMs in a home, in words. */
export async function leftovers(home: string): Promise<string[]> {
  const machines = await machinesOf(home);
  const named = async (path: string, what: string) =>
    (await namesIn(path)).map((name) => `${what} ${name}`);
  return [
    ...[...machines.keys()].map((pid) => `process ${pid}`),
    ...await named(files.vms(home), "VM"),
    ...await named(files.staging(home), "staging"),
    ...await named(await runRoot(home), "run folder"),
    ...await heldLocks(home),
  ];
}

async function heldLocks(home: string): Promise<string[]> {
  const held: string[] = [];
  for (const name of await namesIn(files.locks(home))) {
    try {
      using file = await Deno.open(join(files.locks(home), name), { read: true });
      if (!await file.tryLock(true)) held.push(`held lock ${name}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error; // it was retired in between
    }
  }
  return held;
}

/** Asserts that an act fails with this code and exactly this message. */
export async function refuses(
  act: Promise<unknown>,
  code: ErrorCode,
  message: string,
): Promise<NidoError> {
  const error = await act.then(() => undefined, (thrown) => thrown);
  assert.ok(error instanceof NidoError, `expected a refusal, got ${error}`);
  assert.deepEqual({ code: error.code, message: error.message }, { code, message });
  return error;
}

/** The error object that the command line printed with --json. */
export function errorOf(said: Said): { code: string; message: string; hint?: string } {
  const envelope = JSON.parse(said.stdout);
  assert.equal(envelope.status, "error", said.stdout);
  return envelope.error;
}

/** Looks again and again until it is so; gives up after ten seconds. */
export async function eventually(what: string, isSo: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + 10_000;
  while (!await isSo()) {
    if (performance.now() > deadline) throw new Error(`it never happened: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 25));
  }
}

/** Whether a process lives, zombies excepted. */
export async function lives(pid: number): Promise<boolean> {
  const { stdout } = await run("ps", ["-o", "stat=", "-p", String(pid)], { accept: [0, 1] });
  return /^[^Z\s]/.test(new TextDecoder().decode(stdout).trim());
}
