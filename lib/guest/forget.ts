import { NidoError } from "../errors.ts";
import { printable } from "../printable.ts";
import { asRoot, type Said } from "./as_root.ts";
import { cleaning } from "./forget/cleaning.ts";
import { quieting } from "./forget/quieting.ts";
import { traces } from "./forget/traces.ts";
import type { SshSession } from "./ssh.ts";

/** The program that makes a guest forget who it was: Python 3.8, standard library only. */
export const forgetProgram: string = [traces, quieting, cleaning].join("\n\n");

const FORGET_MS = 900_000;
const MOST_PROBLEMS = 32;
const LONGEST_PROBLEM = 500;
const RUN = 'command -v python3 >/dev/null 2>&1 || { echo no-python; exit 0; }; exec python3 "$@"';

/**
 * Removes what tells who a guest was: machine id, SSH host keys, who may log in, cloud-init's memory,
 * logs, histories, leases, temporary files; and gives the blocks of all deleted files back. Gives what
 * could not be done. The guest is of no use afterwards but to be shut down.
 */
export async function forgetIdentity(session: SshSession): Promise<string[]> {
  const words = ["sh", "-c", RUN, "sh", "-I", "-S", "-c", forgetProgram];
  const said = await asRoot(session, words, { timeoutMs: FORGET_MS });
  const problems = readProblems(said.stdout);
  if (problems) return problems;
  throw new NidoError("unavailable", `its guest can't be cleaned: ${whyNot(said)}`);
}

function readProblems(stdout: string): string[] | undefined {
  for (const line of stdout.split("\n")) {
    try {
      const { forgot, problems } = JSON.parse(line);
      if (forgot !== true || !Array.isArray(problems)) continue;
      return problems.slice(0, MOST_PROBLEMS).map((problem) =>
        printable(String(problem).slice(0, LONGEST_PROBLEM)).replaceAll(/\s+/g, " ").trim()
      );
    } catch {
      continue; // a login message, or what a program said
    }
  }
}

function whyNot({ refusal, stdout, stderr, exitCode }: Said): string {
  if (refusal) return refusal;
  if (stdout.trim() === "no-python") return "it has no python3";
  const lastLine = printable(stderr).trim().split("\n").at(-1);
  return `the program for it ended with exit code ${exitCode}${lastLine && `: ${lastLine}`}`;
}
