import { type ErrorCode, NidoError } from "../errors.ts";
import type { Preamble } from "./preamble.ts";
import { type Setting, shown } from "./shell_words.ts";

/** Why a command that ended never began, as its wrapper told; undefined when it did begin. */
export function notBegun(
  name: string,
  command: string[],
  { cwd, asUser }: Setting,
  preamble: Preamble,
): NidoError | undefined {
  const cannot = `Cannot run "${shown(command)}" in VM "${name}"`;
  const refuse = (code: ErrorCode, fact: string, hint: string) =>
    new NidoError(code, `${cannot}${fact}`, { hint });
  if (preamble.told("nosudo")) {
    return refuse("unavailable", ` as ${asUser}: the guest has no sudo`, `nido info ${name}`);
  }
  if (preamble.told("nouser")) {
    const look = `nido exec ${name} -- cut -d: -f1 /etc/passwd`;
    return refuse("not_found", ` as ${asUser}: it has no such user`, look);
  }
  if (asUser !== undefined && !preamble.told("as")) {
    const reason = preamble.refusal() || "it gave no reason";
    return refuse("denied", ` as ${asUser}: sudo refused: ${reason}`, `nido info ${name}`);
  }
  if (preamble.told("out")) {
    return refuse(
      "not_found",
      `: the folder ${cwd} can't be entered`,
      `nido exec ${name} -- ls -ld ${cwd}`,
    );
  }
}
