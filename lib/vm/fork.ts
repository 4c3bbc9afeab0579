import { join } from "node:path";
import { z } from "zod";
import { type Context, uninterrupted } from "../context.ts";
import { NidoError } from "../errors.ts";
import { layerAbove } from "../image/layer_above.ts";
import { freeze, type Frozen } from "../moment/freeze.ts";
import { withIncubator } from "../moment/incubator.ts";
import { shareMemory } from "../moment/share_memory.ts";
import { operation } from "../operation.ts";
import { files, momentFiles, vmFiles } from "../store/files.ts";
import { writeNewFile } from "../store/record.ts";
import { stage } from "../store/staging.ts";
import { removeVm } from "./delete.ts";
import { fillFolder } from "./folder.ts";
import { launch } from "./launch.ts";
import { vmName } from "./name.ts";
import { underFreeName } from "./nest.ts";
import { nameTaken } from "./plan.ts";
import { type ForwardedPort, forwardedPort } from "./port.ts";
import { prepareToWake } from "./prepare_to_wake.ts";
import { renewed } from "./renewal.ts";
import { checkFreeMemory } from "./shape.ts";
import { sshAccess, sshCommandLine } from "./ssh_access.ts";
import {
  mustBe,
  mustBeSound,
  openSoundVm,
  type SoundVm,
  vmField,
  vmNames,
  type VmRecord,
  type Wake,
  withVm,
} from "./vm.ts";

/** Where, in an incubator, what was frozen waits for its copies. */
const FROZEN = "frozen";
const HELD = "held.qcow2";

// Reading memory in full for each costs more than writing it once more into a file from here on.
const WORTH_SHARING = 3;

const input = z.strictObject({
  name: vmField,
  count: z.int().min(1).max(64).default(1).describe("How many copies to make"),
  into: z.array(vmName).max(64).optional().describe(
    "Names of the copies; default the VM's own with -fork1, -fork2, ... behind it",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM that was copied"),
  forks: z.array(z.strictObject({
    name: z.string().describe("Name of the copy"),
    state: z.literal("running").describe("Always running"),
    ports: z.array(forwardedPort).describe("Forwarded ports, on host ports of its own"),
    sshCommand: z.string().describe("The exact ssh command"),
    problems: z.array(z.string()).describe("What went wrong without stopping it"),
  })).describe("The copies"),
  stillMs: z.int().min(0).max(600_000).describe("Milliseconds that the VM stood still for it"),
  memoryBytes: z.number().describe("Bytes of memory that were copied"),
  problems: z.array(z.string()).describe("What went wrong with the VM without stopping it"),
});

/**
 * Makes running copies of a running VM with all that its memory holds. The VM goes on; each copy gets a
 * name, keys, ports and a layer of its own. All copies are made or none.
 */
export async function fork(
  context: Context,
  { name, count, into = [] }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const number = Math.max(count, into.length);
  const names = await forkNames(context, name, number, into);
  return await withIncubator(context, async (incubator) => {
    const { source, frozen, problems } = await withVm(context, name, "fork", async (vm) => {
      mustBe(vm, "fork", ["running", "paused"]);
      const source = mustBeSound(vm);
      checkFreeMemory(
        source.record.memoryMib,
        number,
        `fork VM "${name}"`,
        (fitting) => `nido fork ${name} --count ${Math.max(1, fitting)}`,
      );
      const problems = await prepareToWake(context, source);
      if (source.state === "paused" && problems.length > 0) throw unheard(source);
      context.report({ stage: "memory", message: `copying the memory of "${name}"` });
      const folder = join(incubator.folder, FROZEN);
      await Deno.mkdir(folder, { mode: 0o700 });
      const frozen = await freeze(context, source, folder);
      await holdLayer(context, incubator.folder, frozen.layer);
      return { source, frozen, problems };
    });
    const hears = problems.length === 0;
    if (!hears) problems.push("it has the name and the keys of its original");
    let wake: Wake = {
      state: `incubators/${incubator.id}/${FROZEN}/${momentFiles.state}`,
      renews: hears ? "identity" : "nothing",
      hostKey: source.record.hostKey,
    };
    if (number >= WORTH_SHARING) {
      wake = await shareMemory(context, incubator, source, frozen.layer, wake);
    }
    const firmwareVars = join(incubator.folder, FROZEN, momentFiles.firmwareVars);
    const forks = await allOrNone(context, names, async (fork) => {
      context.report({ stage: "qemu", message: `hatching "${fork}"` });
      return await hatch(context, fork, { source, frozen, wake, firmwareVars });
    });
    return {
      name,
      forks: forks.map((fork) => ({ ...fork, problems: [...problems, ...fork.problems] })),
      stillMs: frozen.stillMs,
      memoryBytes: frozen.stateBytes,
      problems: frozen.problems,
    };
  });
}

async function forkNames(
  context: Context,
  name: string,
  count: number,
  given: string[],
): Promise<string[]> {
  const taken = new Set(await vmNames(context.home));
  for (const own of given) if (taken.has(own)) throw nameTaken(own);
  const names = [...new Set(given)];
  for (let number = 1; names.length < count; number++) {
    const next = `${name.slice(0, 54)}-fork${number}`;
    if (!taken.has(next) && !names.includes(next)) names.push(next);
  }
  return names;
}

/** Stands on a frozen layer until the copies do, so that nobody takes it for garbage. */
async function holdLayer(context: Context, folder: string, layer: string): Promise<void> {
  await writeNewFile(join(folder, HELD), await layerAbove(files.layer(context.home, layer)));
}

function unheard({ name }: SoundVm): NidoError {
  return new NidoError(
    "wrong_state",
    `Cannot fork VM "${name}": it is paused, and nothing in it waits to tell a copy who it is`,
    { hint: `nido resume ${name}` },
  );
}

interface Fork {
  name: string;
  state: "running";
  ports: ForwardedPort[];
  sshCommand: string;
  problems: string[];
}

/** What copies are made of. */
interface Original {
  source: SoundVm;
  frozen: Frozen;
  wake: Wake;
  firmwareVars: string;
}

async function allOrNone(
  context: Context,
  names: string[],
  make: (name: string) => Promise<Fork>,
): Promise<Fork[]> {
  const settled = await Promise.allSettled(names.map(make));
  const failed = settled.find((one) => one.status === "rejected");
  if (!failed) return settled.map((one) => (one as PromiseFulfilledResult<Fork>).value);
  for (const one of settled) {
    if (one.status === "fulfilled") {
      await removeVm(uninterrupted(context), one.value.name, { force: true });
    }
  }
  throw failed.reason;
}

async function hatch(
  context: Context,
  name: string,
  original: Original,
): Promise<Fork> {
  const made = await underFreeName(
    context,
    name,
    () => lay(context, name, original),
    async (vm) => {
      const wake = vm.record.wake!;
      const { renewing } = await launch(context, vm);
      const problems = await renewed(context, vm, wake, renewing);
      return {
        name,
        state: "running" as const,
        ports: vm.record.ports,
        sshCommand: sshCommandLine(sshAccess(context, vm)),
        problems,
      };
    },
  );
  return made ?? Promise.reject(nameTaken(name));
}

async function lay(
  context: Context,
  name: string,
  { source, frozen, wake, firmwareVars }: Original,
): Promise<SoundVm> {
  const record: VmRecord = {
    ...source.record,
    id: crypto.randomUUID(),
    createdAt: context.now().toISOString(),
    forkedFrom: source.name,
    disk: vmFiles.disk,
    ports: source.record.ports.map((port) => ({ ...port, host: 0, isFixed: false })),
    wake,
  };
  await stage(context, files.vm(context.home, name), async (folder) => {
    await fillFolder(context, folder, {
      hasConnections: true,
      hostname: name,
      record,
      below: files.layer(context.home, frozen.layer),
      firmwareVars,
    });
  });
  return await openSoundVm(context, name);
}

export default operation({
  name: "vm.fork",
  summary: "Copy a running VM, memory and all",
  description:
    "Makes running copies of a running VM: its processes go on in each of them. The VM stands still " +
    "for a moment; each copy gets a name, an SSH host key, ports and a disk layer of its own.",
  effect: "create",
  input,
  output,
  positional: ["name"],
  examples: ["nido fork web", "nido fork web --count 3", "nido fork web --into try-a --into try-b"],
  text: ({ name, forks, stillMs, problems }) =>
    [
      `"${name}" stood still for ${stillMs} ms`,
      ...problems.map((problem) => `  note: ${problem}`),
      ...forks.flatMap((fork) => [
        `"${fork.name}" has hatched: running`,
        ...fork.ports.map(({ address, host, guest, protocol, label }) =>
          `  ${address}:${host} -> ${guest}/${protocol}${label ? ` (${label})` : ""}`
        ),
        ...fork.problems.map((problem) => `  note: ${problem}`),
        `  nido exec ${fork.name} -- uname -n`,
      ]),
    ].join("\n"),
  run: fork,
});
