import { nidoWords } from "../../helpers/command.ts";

/** The Model Context Protocol's own checks, in the versions that the project was checked with. */
export const INSPECTOR = "npm:@modelcontextprotocol/inspector@2.12.0";
export const CONFORMANCE = "npm:@modelcontextprotocol/conformance@0.2.0-alpha.12";

/** How a program of somebody else ended. */
export interface Ended {
  code: number;
  stdout: string;
  stderr: string;
}

/** Runs a program from npm; it is kept in Deno's cache, and HOME is a folder that is thrown away. */
export async function runPackage(name: string, args: string[], folder: string): Promise<Ended> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--quiet", "--no-config", name, ...args],
    cwd: folder,
    env: { HOME: folder, DENO_DIR: await denoDir(), NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, stdout: text(stdout), stderr: text(stderr) };
}

/** Where Deno keeps what it fetched. */
export async function denoDir(): Promise<string> {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  return JSON.parse(new TextDecoder().decode(stdout)).denoDir;
}

/** The words that start the Nido under test. */
export const NIDO = nidoWords();
