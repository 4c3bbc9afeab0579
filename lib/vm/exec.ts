import { z } from "zod";
import type { Context, Terminal } from "../context.ts";
import { NidoError } from "../errors.ts";
import { startJob } from "../guest/job/job.ts";
import { GUEST_USER, shown } from "../guest/shell_words.ts";
import type { SshSession } from "../guest/ssh.ts";
import { field, operation } from "../operation.ts";
import { kept, type Said, streamed } from "./outlets.ts";
import { openSession } from "./reach.ts";
import { vmField } from "./vm.ts";

const DEFAULT_OUTPUT_BYTES = 65_536;
// What an agent reads costs it tokens.
const DEFAULT_AGENT_OUTPUT_BYTES = 8192;

/** What to run, and how. */
export const execInput = z.strictObject({
  name: vmField,
  command: z.array(z.string()).min(1).max(4096).describe(
    "Program and arguments, passed exactly; for shell syntax run sh -c",
  ),
  user: z.string().regex(
    GUEST_USER,
    "must be 1 to 32 of a-z A-Z 0-9 . _ - and start with a letter or _",
  ).optional().describe("User in the guest to run as, through sudo; default the login user"),
  cwd: z.string().min(1).optional().describe(
    "Folder in the guest to run in; default the user's home",
  ),
  env: z.record(z.string(), z.string()).optional().describe("Environment variables to add"),
  stdin: z.string().optional().describe("Text for its standard input"),
  timeoutSeconds: z.int().min(1).max(604_800).optional().describe(
    "Seconds after which the command and its children are killed; default never",
  ),
  background: z.boolean().default(false).describe(
    "Return at once with a job id instead of waiting: for servers, builds and whatever may take " +
      "longer than 45 s; then call job.wait, job.output, job.kill",
  ),
  maxOutputBytes: field("rare", z.int().min(1024).max(67_108_864).optional()).describe(
    "Bytes of each of stdout and stderr in the result: the beginning and the end; default 64K, " +
      "over MCP 8K",
  ),
  terminal: field("commandLine", z.boolean().default(false)).describe(
    "Give it this terminal, for programs that a person works with; on the command line only",
  ),
});

const count = z.int().min(0).max(Number.MAX_SAFE_INTEGER);

/** How a command ended, and what it said. */
export const execOutput = z.strictObject({
  exitCode: z.int().min(0).max(255).optional().describe(
    "Exit code; 128 + n when signal n ended it; absent in the background",
  ),
  job: z.string().optional().describe("Id of the job, in the background: next is job.wait"),
  signal: z.string().optional().describe("The signal that ended it, if one did"),
  stdout: z.string().describe("Standard output, cut in the middle if long; empty if streamed"),
  stderr: z.string().describe("Standard error, cut in the middle if long; empty if streamed"),
  stdoutBytes: count.describe("Bytes written to stdout in all"),
  stderrBytes: count.describe("Bytes written to stderr in all"),
  truncated: z.boolean().describe("Whether something was cut out of stdout or stderr"),
  durationMs: count.optional().describe("How long it ran; absent in the background"),
  stdoutFile: z.string().optional().describe("File on this host with all of stdout, if it was cut"),
  stderrFile: z.string().optional().describe("File on this host with all of stderr, if it was cut"),
  notes: z.array(z.string()).optional().describe("Why such a file is missing or not whole"),
});

/** Runs a program in a running VM; output streams to the context where it wants that. */
export async function exec(
  context: Context,
  request: z.input<typeof execInput>,
): Promise<z.input<typeof execOutput>> {
  checkBackground(request);
  const terminal = request.terminal ? terminalFor(context, request) : undefined;
  await using session = await openSession(context, request.name, "run a command in");
  return await execIn(context, session, request, terminal);
}

/** Runs a program over an open session. */
export async function execIn(
  context: Context,
  session: SshSession,
  request: z.input<typeof execInput>,
  terminal?: Terminal,
): Promise<z.input<typeof execOutput>> {
  if (request.background) return await execInBackground(context, session, request);
  const { name, command, cwd, env } = request;
  const usual = context.actor.surface === "mcp" ? DEFAULT_AGENT_OUTPUT_BYTES : DEFAULT_OUTPUT_BYTES;
  const maxOutputBytes = request.maxOutputBytes ?? usual;
  const outlets = context.output ? streamed(context.output) : kept(context, name, maxOutputBytes);
  try {
    const ended = await session.exec(command, {
      asUser: request.user === session.user ? undefined : request.user,
      cwd,
      env,
      stdin: request.stdin === undefined
        ? context.stdin
        : ReadableStream.from([new TextEncoder().encode(request.stdin)]),
      stdout: outlets.stdout,
      stderr: outlets.stderr,
      terminal,
      signal: context.signal,
      timeoutMs: request.timeoutSeconds && request.timeoutSeconds * 1000,
    });
    return { ...ended, ...await outlets.finish() };
  } catch (error) {
    throw withOutput(error, await outlets.finish());
  }
}

async function execInBackground(
  context: Context,
  session: SshSession,
  { command, user, cwd, env, stdin }: z.input<typeof execInput>,
): Promise<z.input<typeof execOutput>> {
  const { signal } = context;
  const id = await startJob(session, { command, asUser: user, cwd, env, stdin, signal });
  const said = { stdout: "", stderr: "", stdoutBytes: 0, stderrBytes: 0, truncated: false };
  return { job: `${session.name}.${id}`, ...said };
}

function checkBackground(request: z.input<typeof execInput>): void {
  if (!request.background) return;
  const refuse = (fact: string, hint: string) =>
    new NidoError("invalid_input", `Cannot run a command in the background: ${fact}`, { hint });
  const again = `nido exec ${request.name} --background --`;
  const words = shown(request.command);
  if (request.terminal) throw refuse("it can't have this terminal", `${again} ${words}`);
  if (request.timeoutSeconds === undefined) return;
  const limit = `timeout ${request.timeoutSeconds}`;
  throw refuse("nobody is there to end it in time", `${again} ${limit} ${words}`);
}

/** A command that is cut short has said something already, which its caller needs. */
function withOutput(error: unknown, said: Said): unknown {
  if (!(error instanceof NidoError) || said.stdout + said.stderr === "") return error;
  const { code, message, hint, details, cause } = error;
  return new NidoError(code, message, { hint, details: { ...details, ...said }, cause });
}

function terminalFor(context: Context, request: z.input<typeof execInput>): Terminal {
  const refuse = (fact: string, hint: string) =>
    new NidoError("invalid_input", `Cannot give the command a terminal: ${fact}`, { hint });
  const plain = `nido exec ${request.name} -- ${shown(request.command)}`;
  if (request.stdin !== undefined) throw refuse("its standard input is given as text", plain);
  if (!context.terminal) throw refuse("this is not one", plain);
  if (!context.output) throw refuse("its output is asked for as a result, not as it comes", plain);
  return context.terminal;
}

export default operation({
  name: "vm.exec",
  summary: "Run a command in a VM",
  description:
    "Runs a program, as the login user unless another is named, and gives its output and exit code. " +
    "A failing program is a result, not an error. Output beyond the limit is cut in the middle and " +
    "kept whole in a file on this host. With `background` it goes on in the guest after the call, " +
    "whoever leaves; it gets no standard input but `stdin`.",
  effect: "change",
  openWorld: true,
  input: execInput,
  output: execOutput,
  positional: ["name", "command"],
  passThrough: true,
  short: { user: "u", cwd: "C", env: "e", terminal: "t" },
  examples: [
    "nido exec web -- uname -a",
    "nido exec -u root -C /etc web -- cat shadow",
    "nido exec -t web -- top",
    "nido exec web --timeout 30s -- sh -c 'sleep 5 && date'",
    "nido exec web -- tar x < files.tar",
    "nido exec web --background -- make -j4",
  ],
  text: ({ job }) => job === undefined ? "" : `${job}\n`,
  exitStatus: ({ exitCode }) => exitCode ?? 0,
  run: exec,
});
