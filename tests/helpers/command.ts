import { fromFileUrl } from "./paths.ts";

/** What a finished process said. */
export interface Said {
  code: number;
  stdout: string;
  stderr: string;
}

/** How to run it. */
export interface Manner {
  home?: string;
  stdin?: string;
  env?: Record<string, string>;
  /** The program to run instead of main.ts. */
  script?: string;
}

/** Runs the real command line as a process. */
export async function nido(args: string[], manner: Manner = {}): Promise<Said> {
  const child = startNido(args, manner);
  const writer = child.stdin.getWriter();
  await writer.write(new TextEncoder().encode(manner.stdin ?? "")).catch(() => {});
  await writer.close().catch(() => {});
  const { code, stdout, stderr } = await child.output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Starts the real command line; every stream is a pipe. */
export function startNido(args: string[], { home, env, script }: Manner = {}): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", script ?? fromFileUrl("../../main.ts"), ...args],
    env: { NIDO_HOME: home ?? "/nonexistent/nido", ...env },
    stdin: "piped",
    stdout: "piped",
    stderr: "piped",
  }).spawn();
}

/** Lends a home that is gone afterwards. */
export async function withHome(use: (home: string) => Promise<void>): Promise<void> {
  const home = await Deno.makeTempDir({ prefix: "nido-cli-" });
  try {
    await use(home);
  } finally {
    await Deno.remove(home, { recursive: true });
  }
}
