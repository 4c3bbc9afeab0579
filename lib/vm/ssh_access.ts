import { join } from "node:path";
import type { Context } from "../context.ts";
import { quote } from "../guest/shell_words.ts";
import { files, vmFiles } from "../store/files.ts";
import type { SoundVm, VmRecord } from "./vm.ts";

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

/** The ssh command as a person pastes it into a shell. */
export function sshCommandLine(access: SshAccess): string {
  const isPlain = /^[\w@%+:,./=-]+$/;
  return access.command.map((word) => isPlain.test(word) ? word : quote(word)).join(" ");
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
