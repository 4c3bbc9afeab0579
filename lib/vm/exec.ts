import { z } from "zod";
import type { Context } from "../context.ts";
import { HeadTail } from "../guest/output.ts";
import { operation } from "../operation.ts";
import { openSession } from "./reach.ts";
import { vmField } from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  command: z.array(z.string()).min(1).max(4096).describe(
    "Program and arguments, passed exactly; for shell syntax run sh -c",
  ),
  cwd: z.string().min(1).optional().describe(
    "Folder in the guest to run in; default the user's home",
  ),
  env: z.record(z.string(), z.string()).optional().describe("Environment variables to add"),
  stdin: z.string().optional().describe("Text for its standard input"),
  timeoutSeconds: z.int().min(1).max(604_800).optional().describe(
    "Seconds after which the command and its children are killed; default never",
  ),
  maxOutputBytes: z.int().min(1024).max(67_108_864).default(1_048_576).describe(
    "Bytes kept of each of stdout and stderr: the beginning and the end",
  ),
});

const output = z.strictObject({
  exitCode: z.int().min(0).max(255).describe("Exit code; 128 + n when signal n ended it"),
  signal: z.string().optional().describe("The signal that ended it, if one did"),
  stdout: z.string().describe("Standard output, cut in the middle if it is long"),
  stderr: z.string().describe("Standard error, cut in the middle if it is long"),
  stdoutBytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe(
    "Bytes written to stdout in all",
  ),
  stderrBytes: z.int().min(0).max(Number.MAX_SAFE_INTEGER).describe(
    "Bytes written to stderr in all",
  ),
  isTruncated: z.boolean().describe("Whether something was cut out of stdout or stderr"),
  durationSeconds: z.number().describe("How long it ran"),
});

/** Runs a program in a running VM; output streams to the context where it wants that. */
export async function exec(
  context: Context,
  request: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  await using session = await openSession(context, request.name, "run a command in");
  const kept = {
    stdout: new HeadTail(request.maxOutputBytes),
    stderr: new HeadTail(request.maxOutputBytes),
  };
  const sink = (stream: "stdout" | "stderr") => (chunk: Uint8Array) => {
    kept[stream].add(chunk);
    return context.output?.[stream](chunk);
  };
  const ended = await session.exec(request.command, {
    cwd: request.cwd,
    env: request.env,
    stdin: request.stdin === undefined ? context.stdin : ReadableStream.from([
      new TextEncoder().encode(request.stdin),
    ]),
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    signal: context.signal,
    timeoutMs: request.timeoutSeconds && request.timeoutSeconds * 1000,
  });
  const stdout = kept.stdout.result();
  const stderr = kept.stderr.result();
  return {
    exitCode: ended.exitCode,
    signal: ended.signal,
    stdout: stdout.text,
    stderr: stderr.text,
    stdoutBytes: stdout.bytes,
    stderrBytes: stderr.bytes,
    isTruncated: stdout.truncated || stderr.truncated,
    durationSeconds: ended.durationMs / 1000,
  };
}

export default operation({
  name: "vm.exec",
  summary: "Run a command in a VM",
  description:
    "Runs a program as the login user and gives its output and exit code. A failing program is a result, not an error.",
  effect: "change",
  openWorld: true,
  input,
  output,
  positional: ["name", "command"],
  passThrough: true,
  examples: [
    "nido exec web -- uname -a",
    "nido exec web --timeout 30s -- sh -c 'sleep 5 && date'",
    "nido exec web -- tar x < files.tar",
  ],
  text: () => "",
  exitStatus: ({ exitCode }) => exitCode,
  run: exec,
});
