import { parseArgs, type ParseArgsConfig } from "node:util";
import { NidoError } from "../lib/errors.ts";
import { homePath } from "../lib/store/home.ts";
import type { Listening } from "./http/listen.ts";
import type { Setup } from "./service.ts";

/** What `nido mcp` is to do. */
export interface McpOptions {
  setup: Setup;
  /** Prints the surface and ends. */
  describe: boolean;
  /** Prints the token and ends. */
  showToken: boolean;
  /** Serves HTTP; else standard input and output. */
  http?: Listening;
}

const FLAGS = {
  http: { type: "boolean" },
  listen: { type: "string" },
  "allow-host": { type: "string", multiple: true },
  "no-token": { type: "boolean" },
  "show-token": { type: "boolean" },
  toolsets: { type: "string", multiple: true },
  tools: { type: "string", multiple: true },
  "read-only": { type: "boolean" },
  workspace: { type: "string" },
  policy: { type: "string" },
  ephemeral: { type: "boolean" },
  describe: { type: "boolean" },
} as const satisfies ParseArgsConfig["options"];

/** Where HTTP is served when nobody says where. */
export const DEFAULT_LISTEN = "127.0.0.1:7433";

/** Reads the arguments of `nido mcp`. */
export async function readOptions(argv: string[]): Promise<McpOptions> {
  const flags = parse(argv);
  const list = (words?: string[]) => words?.flatMap((word) => word.split(",")).filter(Boolean);
  const setup: Setup = {
    home: homePath(),
    toolsets: list(flags.toolsets),
    tools: list(flags.tools),
    readOnly: flags["read-only"],
    ephemeral: flags.ephemeral,
  };
  if (flags.workspace !== undefined) setup.workspace = await folder(flags.workspace);
  if (flags.policy !== undefined) {
    const { readPolicy } = await import("./guards/policy.ts");
    setup.policy = await readPolicy(flags.policy);
  }
  const needsHttp = (["listen", "allow-host", "no-token", "show-token"] as const)
    .find((flag) => flags[flag] !== undefined);
  if (needsHttp && !flags.http) throw refused(`--${needsHttp} goes with --http`);
  return {
    setup,
    describe: flags.describe === true,
    showToken: flags["show-token"] === true,
    http: flags.http ? listening(flags) : undefined,
  };
}

function parse(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: FLAGS, strict: true }).values;
  } catch (thrown) {
    throw refused((thrown as Error).message.replace(/\. To specify.*$/s, ""));
  }
}

function listening(flags: ReturnType<typeof parse>): Listening {
  const listen = flags.listen ?? DEFAULT_LISTEN;
  const [, bracketed, plain, port] =
    /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]+)):(\d{1,5})$/.exec(listen) ??
      [];
  const hostname = bracketed ?? plain;
  if (hostname === undefined || Number(port) > 65535) {
    throw refused(`--listen: expected ADDRESS:PORT, got "${listen}"`);
  }
  return {
    hostname,
    port: Number(port),
    hosts: flags["allow-host"] ?? [],
    needsToken: !flags["no-token"],
  };
}

async function folder(given: string): Promise<string> {
  try {
    const real = await Deno.realPath(given);
    if ((await Deno.stat(real)).isDirectory) return real;
  } catch (error) {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  }
  throw refused(`--workspace: there is no folder ${given}`);
}

function refused(fact: string): NidoError {
  return new NidoError("invalid_input", `Cannot run mcp: ${fact}`, { hint: "nido mcp --help" });
}
