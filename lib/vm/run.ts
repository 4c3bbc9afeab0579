import { basename, posix } from "node:path";
import { z } from "zod";
import { type Context, uninterrupted } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { downloadFrom, uploadTo } from "../guest/copy.ts";
import type { SshSession } from "../guest/ssh.ts";
import { field, operation } from "../operation.ts";
import { printable } from "../printable.ts";
import { removeVm } from "./delete.ts";
import { execIn, execInput, execOutput } from "./exec.ts";
import { spawnInput } from "./plan.ts";
import { openSession } from "./reach.ts";
import { spawn } from "./spawn.ts";
import { openSoundVm } from "./vm.ts";
import { rung } from "../moment/choose.ts";

/** What `timeout` of coreutils exits with. */
const OUT_OF_TIME = 124;

/** What the VM is to be, as `spawn` takes it. */
const shape = spawnInput.pick({
  name: true,
  image: true,
  architecture: true,
  template: true,
  cpus: true,
  memoryMib: true,
  diskGib: true,
  userData: true,
  network: true,
  accel: true,
  labels: true,
}).shape;

const input = z.strictObject({
  command: execInput.shape.command,
  ...shape,
  cwd: z.string().min(1).optional().describe(
    "Folder in the guest to run in; default the first uploaded one, else the user's home",
  ),
  env: execInput.shape.env,
  upload: field("commandLine", z.array(z.string().min(1)).max(16)).optional().describe(
    "Files or folders to copy in before, as HERE or HERE:PATH; by default into the user's home",
  ),
  download: field("commandLine", z.array(z.string().min(3)).max(16)).optional().describe(
    "What to copy out afterwards, also when the command failed, as PATH:HERE; a relative path " +
      "begins where the command ran",
  ),
  keepOnFailure: z.boolean().default(false).describe(
    "Keep the VM when the command fails, to look into it",
  ),
  timeoutSeconds: z.int().min(1).max(604_800).optional().describe(
    "Seconds after which the command is killed, and the exit code is 124; default never",
  ),
  maxOutputBytes: execInput.shape.maxOutputBytes,
});

const output = execOutput.omit({ job: true }).extend({
  vm: z.string().describe("The VM that it ran in"),
  kept: z.boolean().describe("The VM is still there"),
  timedOut: z.boolean().describe("The command was killed because its time was over"),
  spawnPath: rung.describe("How the VM came to life: warm, stream or cold"),
});

type Request = z.output<typeof input>;
type Result = z.input<typeof output>;

/** One command in a VM of its own, which is gone afterwards, however it ends. */
export async function runOnce(context: Context, request: Request): Promise<Result> {
  const copies = [
    ...(request.upload ?? []).map((given) => ({ way: "in" as const, ...splitUpload(given) })),
    ...(request.download ?? []).map((given) => ({ way: "out" as const, ...splitDownload(given) })),
  ];
  const { keepOnFailure } = request;
  const wanted = { ...z.object(shape).parse(request), rmOnFailure: !keepOnFailure };
  const spawned = await spawn(context, spawnInput.parse(wanted));
  const vm = spawned.name;
  const { id } = (await openSoundVm(context, vm)).record;
  let keep = keepOnFailure;
  try {
    await using session = await openSession(context, vm, "run a command in");
    const uploads = copies.filter(({ way }) => way === "in");
    for (const { here, there } of uploads) await uploadTo(session, here, there, context);
    const cwd = request.cwd ?? await firstFolder(uploads);
    const ended = await inTime(context, session, { ...request, name: vm, cwd });
    await copyOut(context, session, copies.filter(({ way }) => way === "out"), cwd, ended);
    keep = keepOnFailure && ended.exitCode !== 0;
    return { ...ended, vm, kept: keep, spawnPath: spawned.spawnPath };
  } finally {
    if (keep && !context.signal.aborted) {
      await tell(context, `VM "${vm}" is kept: nido ssh ${vm}, nido delete ${vm} --force\n`);
    } else await removeVm(uninterrupted(context), vm, { force: true, id });
  }
}

type Ended = Omit<Result, "vm" | "kept" | "spawnPath">;

async function inTime(
  context: Context,
  session: SshSession,
  { name, command, cwd, env, timeoutSeconds, maxOutputBytes }: Request & { name: string },
): Promise<Ended> {
  const request = { name, command, cwd, env, timeoutSeconds, maxOutputBytes };
  try {
    return { ...await execIn(context, session, request), timedOut: false };
  } catch (error) {
    const { code, message, details } = toNidoError(error);
    if (code !== "timeout") throw error;
    await tell(context, `${message}\n`);
    const nothing = { stdout: "", stderr: "", stdoutBytes: 0, stderrBytes: 0, truncated: false };
    const said = Object.fromEntries(
      Object.entries(details ?? {}).filter(([key]) => key in execOutput.shape),
    );
    return { ...nothing, ...said, exitCode: OUT_OF_TIME, timedOut: true };
  }
}

interface Copy {
  here: string;
  there: string;
}

/** What is missing after a failed command takes nothing from its exit code. */
async function copyOut(
  context: Context,
  session: SshSession,
  copies: Copy[],
  cwd: string | undefined,
  ended: Ended,
): Promise<void> {
  for (const { here, there } of copies) {
    try {
      await downloadFrom(session, posix.join(cwd ?? "", there), here, context);
    } catch (error) {
      const { code, message } = toNidoError(error);
      if (ended.exitCode === 0 || code !== "not_found") throw error;
      await tell(context, `${printable(message)}\n`);
      ended.notes = [...ended.notes ?? [], message];
    }
  }
}

function splitUpload(given: string): Copy {
  const at = given.lastIndexOf(":");
  const isDrive = at === 1 && /^[a-z]:[\\/]/i.test(given);
  const here = at <= 0 || isDrive ? given : given.slice(0, at);
  const name = nameOf(here);
  return { here, there: given.slice(here.length + 1) || name };
}

function nameOf(path: string): string {
  try {
    return basename(Deno.realPathSync(path));
  } catch (cause) {
    throw new NidoError("not_found", `Cannot upload ${path}: it can't be read`, { cause });
  }
}

function splitDownload(given: string): Copy {
  const at = given.indexOf(":");
  if (at > 0 && at < given.length - 1) {
    return { there: given.slice(0, at), here: given.slice(at + 1) };
  }
  throw new NidoError("invalid_input", `Cannot download ${given}: it is not PATH:HERE`, {
    hint: `nido run --download ${given}:./ -- COMMAND`,
  });
}

async function firstFolder(uploads: Copy[]): Promise<string | undefined> {
  for (const { here, there } of uploads) if ((await Deno.stat(here)).isDirectory) return there;
}

async function tell(context: Context, line: string): Promise<void> {
  await context.output?.stderr(new TextEncoder().encode(line));
}

export default operation({
  name: "vm.run",
  summary: "Run one command in a new VM that is gone afterwards",
  description:
    "Spawns a VM, copies in, runs the command, copies out and deletes the VM, also when " +
    "it is interrupted. The exit code is the command's.",
  effect: "create",
  openWorld: true,
  input,
  output,
  positional: ["command"],
  passThrough: true,
  examples: [
    "nido run -- uname -a",
    "nido run --image debian:12 --upload . --download report:./report -- sh -c 'make test'",
    "nido run --template build --timeout 10m --keep-on-failure -- ./ci.sh",
  ],
  text: () => "",
  exitStatus: ({ exitCode }) => exitCode ?? 0,
  run: runOnce,
});
