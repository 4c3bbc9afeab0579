import { join } from "node:path";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { connect, type SshSession, type SshTarget } from "../guest/ssh.ts";
import { files, vmFiles } from "../store/files.ts";
import { mustBe, openSoundVm, type SoundVm, type VmRecord } from "./vm.ts";

/** How the system's `ssh` gets into a VM. */
export interface SshAccess {
  host: string;
  port: number;
  user: string;
  identityFile: string;
  knownHostsFile: string;
  /** The whole command line, program first. */
  command: string[];
}

const CONNECT_MS = 30_000;

/** How to get into a VM, whether or not it runs now. */
export function sshAccess(context: Context, { folder, record }: SoundVm): SshAccess {
  const access = {
    host: "127.0.0.1",
    port: sshPort(record),
    user: record.user,
    identityFile: files.privateKey(context.home),
    knownHostsFile: join(folder, vmFiles.knownHosts),
  };
  return { ...access, command: sshCommand(access) };
}

/** The loopback port that leads to the guest's SSH server; 0 before the first start. */
export function sshPort(record: VmRecord): number {
  return record.ports.find(({ label }) => label === "ssh")?.host ?? 0;
}

/** What a VM's known_hosts file says: one key, under one name that stays when the port changes. */
export function knownHostsLine(hostKey: string): string {
  return `${HOST_ALIAS} ${hostKey}\n`;
}

const HOST_ALIAS = "nido-vm";

function sshCommand(access: Omit<SshAccess, "command">): string[] {
  const options = {
    IdentitiesOnly: "yes",
    StrictHostKeyChecking: "yes",
    UserKnownHostsFile: `"${access.knownHostsFile}"`,
    GlobalKnownHostsFile: "none",
    HostKeyAlias: HOST_ALIAS,
    PasswordAuthentication: "no",
    LogLevel: "ERROR",
  };
  return [
    "ssh",
    "-F",
    "none",
    "-i",
    access.identityFile,
    ...Object.entries(options).flatMap(([key, value]) => ["-o", `${key}=${value}`]),
    "-p",
    String(access.port),
    `${access.user}@${access.host}`,
  ];
}

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
  return await connect(context, await sshTarget(context, vm), { timeoutMs: CONNECT_MS });
}
