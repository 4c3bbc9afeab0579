import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { connectAgain } from "../guest/connect_again.ts";
import type { SshSession, SshTarget } from "../guest/ssh.ts";
import { files } from "../store/files.ts";
import { sshPort } from "./ssh_access.ts";
import { mustBe, openSoundVm, type SoundVm } from "./vm.ts";

const CONNECT_MS = 30_000;

/** What an in-process SSH session needs to reach a VM. */
export async function sshTarget(context: Context, vm: SoundVm): Promise<SshTarget> {
  return {
    name: vm.name,
    host: "127.0.0.1",
    port: sshPort(vm.record),
    user: vm.record.user,
    privateKey: await Deno.readTextFile(files.privateKey(context.home)),
    hostKey: vm.record.hostKey,
  };
}

/** Connects to a running VM by name; `doing` is the verb for the error when it isn't running. */
export async function openSession(
  context: Context,
  name: string,
  doing: string,
): Promise<SshSession> {
  const vm = await openSoundVm(context, name);
  mustBe(vm, doing, ["running"]);
  if (sshPort(vm.record) === 0) {
    throw new NidoError(
      "unavailable",
      `Cannot ${doing} VM "${name}": its SSH port is not open yet`,
      {
        hint: `nido wait ${name}`,
      },
    );
  }
  return await connectAgain(context, await sshTarget(context, vm), {
    timeoutMs: CONNECT_MS,
    // A machine that was started anew is another one, and so is one with another login user.
    keepAs: `ssh ${vm.record.id} ${vm.pid} ${vm.record.user}`,
  });
}
