import { fromFileUrl } from "./paths.ts";

/** When a command is to be killed: at its n-th step, or when it makes a socket private. */
export interface End {
  atStep?: number;
  atChmod?: string;
}

/** Runs the command line and kills it in the middle. */
export async function runVictim(home: string, args: string[], { atStep, atChmod }: End) {
  const preload = ["--preload", fromFileUrl("./kill_at.ts")];
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...preload, fromFileUrl("../../main.ts"), ...args],
    env: { NIDO_HOME: home, KILL_AT: String(atStep ?? 0), KILL_AT_CHMOD: atChmod ?? "" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  return { signal: output.signal, stderr: new TextDecoder().decode(output.stderr) };
}
