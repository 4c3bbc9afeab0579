import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { connectAgain } from "../guest/connect_again.ts";
import { type ReaderLink, renewOverSsh } from "../guest/reader.ts";
import type { SshSession } from "../guest/ssh.ts";
import { freshRenewal, type Renewal, type RenewalParts } from "../guest/renewal.ts";
import { vmFiles } from "../store/files.ts";
import { removeIfThere } from "../store/record.ts";
import { sshTarget } from "./reach.ts";
import type { SoundVm, Wake } from "./vm.ts";

// Growing a disk takes an emulated guest on a busy host half a minute.
const PORT_MS = 120_000;
const SSH_MS = 60_000;

/** What a guest that wakes is told besides the time, as its folder keeps it until then. */
export interface Awaited {
  parts: RenewalParts;
  /** The size that its disk gets before it wakes; absent: as it is. */
  diskBytes?: number;
}

/** What a guest that wakes is told, and the size that its disk gets before. */
export async function renewalOf(
  context: Context,
  vm: SoundVm,
  wake: Wake,
): Promise<{ renewal: Renewal; diskBytes?: number }> {
  const { parts, diskBytes }: Awaited = wake.renews === "identity"
    ? await awaited(vm)
    : { parts: { cutConnections: true } };
  return { renewal: freshRenewal(context.now(), parts), diskBytes };
}

/** What a paused guest is told when it goes on: who it is, if it may not have heard that yet. */
export async function pendingRenewal(context: Context, vm: SoundVm): Promise<Renewal> {
  const pending = await awaited(vm).catch(() => undefined); // absent, as nearly always
  return freshRenewal(context.now(), pending?.parts ?? {});
}

/** Waits for a guest's answer to what it was told over its port, and gives its problems. */
export async function renewedAt(vm: SoundVm, link: ReaderLink): Promise<string[]> {
  const { problems } = await link.answered(PORT_MS);
  await removeIfThere(join(vm.folder, vmFiles.renewal));
  return problems;
}

async function awaited({ folder }: SoundVm): Promise<Awaited> {
  return JSON.parse(await Deno.readTextFile(join(folder, vmFiles.renewal)));
}

/**
 * Waits until a guest that was woken has taken in what it was told, if it was told anything, and gives
 * its problems. One whose port is silent is told over SSH.
 */
export async function renewed(
  context: Context,
  vm: SoundVm,
  wake: Wake,
  link: ReaderLink | undefined,
): Promise<string[]> {
  if (!link) return ["its clock is late: it was frozen without a program that hears the time"];
  try {
    return await renewedAt(vm, link);
  } catch (error) {
    const { code } = toNidoError(error);
    if (code !== "timeout" && code !== "unavailable") throw error;
  } finally {
    link[Symbol.dispose]();
  }
  try {
    await using session = await connectToWoken(context, vm, wake);
    return (await renewOverSsh(session, (await renewalOf(context, vm, wake)).renewal)).problems;
  } catch (cause) {
    throw new NidoError(
      "unavailable",
      `VM "${vm.name}" woke, and its guest took in neither its time nor its name`,
      { hint: `nido logs ${vm.name}`, cause },
    );
  }
}

/** The guest shows the host key that it was frozen with, or has taken its own and got stuck later. */
async function connectToWoken(context: Context, vm: SoundVm, wake: Wake): Promise<SshSession> {
  const target = await sshTarget(context, vm);
  try {
    return await connectAgain(context, { ...target, hostKey: wake.hostKey }, { timeoutMs: SSH_MS });
  } catch (error) {
    if (toNidoError(error).code !== "integrity") throw error;
    return await connectAgain(context, target, { timeoutMs: SSH_MS });
  }
}
