import { NidoError, toNidoError } from "../errors.ts";
import { PortLines, type Speaker } from "./port_lines.ts";

/** A guest's agent that has just shown that it listens. */
export interface Agent {
  /** Runs one of the agent's commands and gives its `return` value. */
  execute<T = unknown>(
    command: string,
    args?: Record<string, unknown>,
    deadlineMs?: number,
  ): Promise<T>;
}

interface Reply {
  return?: unknown;
  error?: { class?: unknown; desc?: unknown };
}

const AGENT: Speaker = { name: "The guest agent", longestLineBytes: 16 << 20 };
const HANDSHAKE_MS = 1_000;
const BETWEEN_MS = 100;
const ANSWER_MS = 5_000;
const NO_REPLY_MS = 500;

/**
 * Reaches QEMU's guest agent on its socket and hands it over; `unavailable` when it did not answer in
 * time. What is sent before the agent listens is lost, and QEMU serves one client at a time, so each
 * attempt is short and leaves the socket to others.
 */
export async function withAgent<T>(
  path: string,
  deadlineMs: number,
  use: (agent: Agent) => Promise<T>,
): Promise<T> {
  using lines = await reach(path, deadlineMs);
  return await use({
    execute: <R>(command: string, args = {}, answerMs = ANSWER_MS) =>
      execute(lines, command, args, answerMs) as Promise<R>,
  });
}

/** Whether the guest's agent answers: the guest is up so far that it runs services. */
export async function pingAgent(path: string, deadlineMs: number): Promise<boolean> {
  try {
    await withAgent(path, deadlineMs, (agent) => agent.execute("guest-ping", {}, deadlineMs));
    return true;
  } catch (error) {
    const { code } = toNidoError(error);
    if (code === "unavailable" || code === "timeout" || code === "integrity") return false;
    throw error;
  }
}

/** Asks the guest through its agent to shut down; returns when the agent has taken the command. */
export async function shutDownByAgent(path: string, deadlineMs: number): Promise<void> {
  await withAgent(path, deadlineMs, async (agent) => {
    try {
      await agent.execute("guest-shutdown", { mode: "powerdown" }, NO_REPLY_MS);
    } catch (error) {
      const { code } = toNidoError(error);
      // The agent answers this command only to refuse it; silence and hanging up mean it works.
      if (code !== "timeout" && code !== "unavailable") throw error;
    }
  });
}

/** Sets the guest's clock through its agent. */
export async function setTimeByAgent(path: string, now: Date, deadlineMs: number): Promise<void> {
  await withAgent(path, deadlineMs, async (agent) => {
    await agent.execute("guest-set-time", { time: now.getTime() * 1e6 }, deadlineMs);
  });
}

async function reach(path: string, deadlineMs: number): Promise<PortLines> {
  const deadline = performance.now() + deadlineMs;
  for (;;) {
    const left = deadline - performance.now();
    if (left <= 0) {
      throw new NidoError(
        "unavailable",
        `The guest agent at ${path} did not answer within ${deadlineMs} ms`,
      );
    }
    const lines = await PortLines.open(path, AGENT);
    try {
      if (await handshake(lines, Math.min(HANDSHAKE_MS, left))) return lines;
    } catch (error) {
      lines.close();
      throw error;
    }
    lines.close();
    await new Promise((resolve) => setTimeout(resolve, Math.min(BETWEEN_MS, left)));
  }
}

// The leading 0xFF makes the agent forget a half-sent command of an earlier client, and it puts one
// before its answer; the number tells that answer from older ones that nobody has fetched.
async function handshake(lines: PortLines, deadlineMs: number): Promise<boolean> {
  const id = Math.floor(Math.random() * 2 ** 31);
  const command = { execute: "guest-sync-delimited", arguments: { id } };
  try {
    return await lines.within(deadlineMs, "guest-sync-delimited", async () => {
      await lines.send(`${JSON.stringify(command)}\n`, [0xff]);
      while (parse(await lines.next())?.return !== id);
      return true;
    });
  } catch (error) {
    const { code } = toNidoError(error);
    if (code === "timeout" || code === "unavailable") return false;
    throw error;
  }
}

async function execute(
  lines: PortLines,
  command: string,
  args: Record<string, unknown>,
  deadlineMs: number,
): Promise<unknown> {
  const reply = await lines.within(deadlineMs, command, async () => {
    await lines.send(`${JSON.stringify({ execute: command, arguments: args })}\n`);
    for (;;) {
      const reply = parse(await lines.next());
      if (reply) return reply;
    }
  });
  if (!reply.error) return reply.return;
  throw new NidoError("tool_failed", `The guest agent refused ${command}: ${reply.error.desc}`, {
    details: { command, class: reply.error.class },
  });
}

/** An answer of the agent; undefined for whatever else the guest wrote. */
function parse(line: string): Reply | undefined {
  try {
    const message = JSON.parse(line);
    const isReply = typeof message === "object" && message !== null &&
      ("return" in message || typeof message.error === "object" && message.error !== null);
    return isReply ? message : undefined;
  } catch {
    return undefined;
  }
}
