import { fromFileUrl } from "./paths.ts";

/** When a command is to be killed: at its n-th step, or when it makes a socket private. */
export interface End {
  atStep?: number;
  atChmod?: string;
  /** Something answers for its guests, which have no system. */
  hasMuteGuests?: boolean;
  /** What is run instead of the command line. */
  script?: string;
}

/** Runs the command line and kills it in the middle. */
export async function runVictim(home: string, args: string[], end: End) {
  const { atStep, atChmod, hasMuteGuests, script = fromFileUrl("../../main.ts") } = end;
  const modules = hasMuteGuests ? ["./mute_guest.ts", "./kill_at.ts"] : ["./kill_at.ts"];
  const preload = modules.flatMap((module) => ["--preload", fromFileUrl(module)]);
  const output = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", ...preload, script, ...args],
    env: { NIDO_HOME: home, KILL_AT: String(atStep ?? 0), KILL_AT_CHMOD: atChmod ?? "" },
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).output();
  const { signal, code } = output;
  return { signal, code, stderr: new TextDecoder().decode(output.stderr) };
}
