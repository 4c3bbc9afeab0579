import type { Context, Output } from "../context.ts";
import type { Sink } from "../guest/ssh.ts";
import { KeptOutput } from "./kept_output.ts";

/** What a result tells of a command's output. */
export interface Said {
  stdout: string;
  stderr: string;
  stdoutBytes: number;
  stderrBytes: number;
  truncated: boolean;
  stdoutFile?: string;
  stderrFile?: string;
  notes?: string[];
}

/** Where a command's output goes, and what the result tells of it. */
export interface Outlets {
  stdout: Sink;
  stderr: Sink;
  finish(): Promise<Said>;
}

/** Passes output on as it comes and only counts it. */
export function streamed(output: Output): Outlets {
  const bytes = { stdout: 0, stderr: 0 };
  const sink = (stream: keyof typeof bytes) => (chunk: Uint8Array) => {
    bytes[stream] += chunk.length;
    return output[stream](chunk);
  };
  const finish = () => ({
    stdout: "",
    stderr: "",
    stdoutBytes: bytes.stdout,
    stderrBytes: bytes.stderr,
    truncated: false,
  });
  return {
    stdout: sink("stdout"),
    stderr: sink("stderr"),
    finish: () => Promise.resolve(finish()),
  };
}

/** Keeps the beginning and the end, and a long output whole in a file of the VM. */
export function kept(context: Context, vm: string, keptBytes: number): Outlets {
  const id = crypto.randomUUID().slice(0, 8);
  const [out, err] = (["stdout", "stderr"] as const).map((stream) =>
    new KeptOutput(context, vm, id, stream, { keptBytes })
  ) as [KeptOutput, KeptOutput];
  return {
    stdout: (chunk) => out.add(chunk),
    stderr: (chunk) => err.add(chunk),
    async finish() {
      const [stdout, stderr] = [await out.finish(), await err.finish()];
      const notes = [stdout.note, stderr.note].filter((note) => note !== undefined);
      return {
        stdout: stdout.text,
        stderr: stderr.text,
        stdoutBytes: stdout.bytes,
        stderrBytes: stderr.bytes,
        truncated: stdout.truncated || stderr.truncated,
        stdoutFile: stdout.file,
        stderrFile: stderr.file,
        ...(notes.length ? { notes } : {}),
      };
    },
  };
}
