import { connections } from "./reader/connections.ts";
import { disks } from "./reader/disks.ts";
import { identity } from "./reader/identity.ts";
import { renewing } from "./reader/renewing.ts";
import { waiting } from "./reader/waiting.ts";
import { sha256 } from "../sha256.ts";

/**
 * The program that waits inside a guest and renews it when it wakes from frozen memory: Python 3.8,
 * standard library only. `wait NAME` answers the host's lines at the port; `once CONNECTION` answers
 * one line of standard input, sparing the SSH connection (as in SSH_CONNECTION) that it came by.
 */
export const readerProgram: string = [renewing, identity, connections, disks, waiting].join("\n\n");

/** A name that tells this program from every other version of it. */
export async function readerName(): Promise<string> {
  return (await sha256(readerProgram)).slice(0, 32);
}
