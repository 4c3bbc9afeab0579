import { resolve } from "node:path";
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
  /** The script to run instead of the Nido under test. */
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

/**
 * The words that start the Nido under test: main.ts, or the bundle or binary that `NIDO_UNDER_TEST`
 * names.
 */
export function nidoWords(script?: string): [program: string, ...args: string[]] {
  const named = Deno.env.get("NIDO_UNDER_TEST");
  const main = script ?? resolve(fromFileUrl("../.."), named ?? "main.ts");
  if (!/\.[jt]s$/.test(main)) return [main];
  return [Deno.execPath(), "run", "-A", "--no-prompt", main];
}

/** Starts the real command line; every stream is a pipe. */
export function startNido(args: string[], { home, env, script }: Manner = {}): Deno.ChildProcess {
  const [program, ...words] = nidoWords(script);
  return new Deno.Command(program, {
    args: [...words, ...args],
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
