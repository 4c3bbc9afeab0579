import type { Context } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import type { BootStage } from "./boot_stage.ts";
import { HeadTail } from "./output.ts";
import { connect, type SshSession, type SshTarget, waitForBanner } from "./ssh.ts";

/** What cloud-init reports when it is done. */
export interface FirstBoot {
  /** `done`, `degraded`, or `absent` where the guest has no cloud-init. */
  status: "done" | "degraded" | "absent";
  /** Recoverable problems, as cloud-init tells them. */
  problems: string[];
}

const ATTEMPT_MS = 20_000;
const ANSWER_BYTES = 1 << 20;

/**
 * Waits until a guest can be used: its SSH server answers with the known key, and cloud-init has
 * finished. Aborting the signal ends it; `enter` is told when SSH answers and when it lets Nido in.
 */
export async function waitUntilReady(
  context: Context,
  target: SshTarget,
  enter: (stage: BootStage) => void,
): Promise<FirstBoot> {
  await waitForBanner(target.port, context.signal, { name: target.name });
  enter("ssh");
  await using session = await connectPatiently(context, target);
  enter("cloud-init");
  return await firstBoot(session);
}

// The SSH server may answer before cloud-init has made the user or set the host key.
async function connectPatiently(context: Context, target: SshTarget): Promise<SshSession> {
  for (;;) {
    context.signal.throwIfAborted();
    try {
      return await connect(context, target, { timeoutMs: ATTEMPT_MS });
    } catch (error) {
      if (toNidoError(error).code === "cancelled") throw error;
      context.report({ stage: "ssh", message: toNidoError(error).message });
    }
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
}

const ASK = "command -v cloud-init >/dev/null || { echo absent; exit 0; }; " +
  "cloud-init status --wait >/dev/null 2>&1; cat /run/cloud-init/result.json /run/cloud-init/status.json";

/** What cloud-init is doing at this moment, in its own words; nothing when the guest can't tell. */
export async function firstBootLines(context: Context, target: SshTarget): Promise<string[]> {
  try {
    await using session = await connect(context, target, { timeoutMs: ATTEMPT_MS });
    const said = await answer(session, ["cloud-init", "status", "--long"], ATTEMPT_MS);
    return said.trim().split("\n");
  } catch {
    return []; // it is late already, and the console tells the rest
  }
}

/** What a command in the guest prints, however much a hostile one may print. */
async function answer(
  session: SshSession,
  command: string[],
  timeoutMs?: number,
): Promise<string> {
  const said = new HeadTail(ANSWER_BYTES);
  await session.exec(command, { stdout: (chunk) => said.add(chunk), timeoutMs });
  return said.result().text;
}

async function firstBoot(session: SshSession): Promise<FirstBoot> {
  const text = await answer(session, ["sh", "-c", ASK]);
  if (text.trim() === "absent") return { status: "absent", problems: [] };
  const { errors, recoverable } = reported(text);
  if (errors.length === 0) {
    return { status: recoverable.length ? "degraded" : "done", problems: recoverable };
  }
  throw new NidoError(
    "tool_failed",
    `First boot of VM "${session.name}" failed: ${errors.join("; ")}`,
    {
      hint: `nido exec ${session.name} -- cloud-init status --long`,
      details: { cloudInitLines: errors },
    },
  );
}

/** Reads cloud-init's result and status files, given one after the other. */
function reported(text: string): { errors: string[]; recoverable: string[] } {
  const errors = new Set<string>();
  const recoverable = new Set<string>();
  for (const file of text.split(/\n(?=\{)/)) {
    let v1: Record<string, unknown> = {};
    try {
      v1 = JSON.parse(file).v1 ?? {};
    } catch {
      continue; // cut off or absent: what the other file says stands
    }
    collect(v1, errors, recoverable);
    for (const stage of Object.values(v1)) {
      if (stage && typeof stage === "object") {
        collect(stage as Record<string, unknown>, errors, recoverable);
      }
    }
  }
  return { errors: [...errors], recoverable: [...recoverable] };
}

function collect(
  stage: Record<string, unknown>,
  errors: Set<string>,
  recoverable: Set<string>,
): void {
  if (Array.isArray(stage.errors)) stage.errors.forEach((error) => errors.add(String(error)));
  for (const list of Object.values(stage.recoverable_errors ?? {})) {
    if (Array.isArray(list)) list.forEach((told) => recoverable.add(String(told)));
  }
}
