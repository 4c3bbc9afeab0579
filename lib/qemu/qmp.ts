import { NidoError } from "../errors.ts";

/** What QEMU tells by itself: `SHUTDOWN`, `STOP`, `MIGRATION`, ... */
export interface QmpEvent {
  event: string;
  data?: Record<string, unknown>;
}

interface Reply {
  id?: number;
  return?: unknown;
  error?: { class: string; desc: string };
}

const ANSWER_MS = 5_000;

/**
 * One connection to a QEMU monitor. QEMU serves one client at a time per socket: a second one hangs
 * until the first leaves, so connections are short and every wait has a deadline.
 */
export class Qmp implements AsyncDisposable {
  #connection: Deno.UnixConn;
  #nextId = 1;
  #waiting = new Map<number, (reply: Reply) => void>();
  #listeners = new Set<(event: QmpEvent) => void>();
  #greeted = Promise.withResolvers<void>();
  #ended = Promise.withResolvers<void>();
  #isOpen = true;

  private constructor(connection: Deno.UnixConn) {
    this.#connection = connection;
    this.#readLines();
  }

  /** Connects and leaves the greeting behind; `unavailable` when nobody answers in time. */
  static async connect(path: string, deadlineMs = ANSWER_MS): Promise<Qmp> {
    const deadline = performance.now() + deadlineMs;
    const qmp = new Qmp(await dial(path, deadline));
    try {
      await within(deadlineMs, qmp.#greeted.promise, `QEMU's monitor ${path} said nothing`);
      await qmp.execute("qmp_capabilities", {}, deadlineMs);
      return qmp;
    } catch (error) {
      qmp.close();
      throw error;
    }
  }

  /** Runs one monitor command and gives its `return` value. */
  async execute<T = unknown>(
    command: string,
    args: Record<string, unknown> = {},
    deadlineMs = ANSWER_MS,
  ): Promise<T> {
    const { line, answered } = this.#request(command, args);
    await this.#write(new TextEncoder().encode(line));
    return await this.#answer<T>(command, answered, deadlineMs);
  }

  /** Runs commands one right behind the other: killed in between, QEMU has got all or none. */
  async executeAtOnce(...commands: [string, Record<string, unknown>?][]): Promise<void> {
    const requests = commands.map(([command, args = {}]) => ({
      command,
      ...this.#request(command, args),
    }));
    await this.#write(new TextEncoder().encode(requests.map(({ line }) => line).join("")));
    await Promise.all(
      requests.map(({ command, answered }) => this.#answer(command, answered, ANSWER_MS)),
    );
  }

  #request(command: string, args: Record<string, unknown>) {
    if (!this.#isOpen) throw new NidoError("unavailable", `Cannot run ${command}: QEMU has ended`);
    const id = this.#nextId++;
    const answered = new Promise<Reply>((resolve) => this.#waiting.set(id, resolve));
    return { line: JSON.stringify({ execute: command, arguments: args, id }) + "\n", answered };
  }

  async #answer<T>(command: string, answered: Promise<Reply>, deadlineMs: number): Promise<T> {
    const reply = await within(deadlineMs, answered, `QEMU did not answer ${command}`);
    if (reply.error) {
      throw new NidoError("tool_failed", `QEMU refused ${command}: ${reply.error.desc}`, {
        details: { command, class: reply.error.class },
      });
    }
    return reply.return as T;
  }

  /** Runs a command of the human monitor, for the few things that QMP lacks; gives its text. */
  async human(commandLine: string): Promise<string> {
    return await this.execute<string>("human-monitor-command", { "command-line": commandLine });
  }

  /** Resolves when the event comes, or undefined when QEMU ends or the time is over first. */
  waitFor(
    matches: (event: QmpEvent) => boolean,
    deadlineMs: number,
  ): Promise<QmpEvent | undefined> {
    return new Promise((resolve) => {
      const finish = (event?: QmpEvent) => {
        clearTimeout(timer);
        this.#listeners.delete(listener);
        resolve(event);
      };
      const listener = (event: QmpEvent) => matches(event) && finish(event);
      const timer = setTimeout(finish, deadlineMs);
      this.#listeners.add(listener);
      this.#ended.promise.then(() => finish());
    });
  }

  /** Resolves when QEMU closes the connection, as it does when it ends. */
  get ended(): Promise<void> {
    return this.#ended.promise;
  }

  close(): void {
    if (this.#isOpen) this.#connection.close();
    this.#finish();
  }

  [Symbol.asyncDispose](): Promise<void> {
    this.close();
    return Promise.resolve();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    try {
      for (let sent = 0; sent < bytes.length;) {
        sent += await this.#connection.write(bytes.subarray(sent));
      }
    } catch (cause) {
      throw new NidoError("unavailable", "QEMU has closed its monitor", { cause });
    }
  }

  async #readLines(): Promise<void> {
    const decoder = new TextDecoder();
    const chunk = new Uint8Array(65536);
    let text = "";
    try {
      for (;;) {
        const size = await this.#connection.read(chunk);
        if (size === null) break;
        text += decoder.decode(chunk.subarray(0, size), { stream: true });
        const lines = text.split("\n");
        text = lines.pop()!;
        for (const line of lines) if (line.trim()) this.#receive(JSON.parse(line));
      }
    } catch {
      // The connection broke or we closed it; both end here, and waiting commands learn it below.
    }
    this.close();
  }

  #receive(message: Reply & Partial<QmpEvent> & { QMP?: unknown }): void {
    if (message.QMP) return this.#greeted.resolve();
    if (message.event) return this.#listeners.forEach((listen) => listen(message as QmpEvent));
    const answer = this.#waiting.get(message.id ?? -1);
    this.#waiting.delete(message.id ?? -1);
    answer?.(message);
  }

  #finish(): void {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    for (const answer of this.#waiting.values()) {
      answer({ error: { class: "Ended", desc: "QEMU ended" } });
    }
    this.#greeted.promise.catch(() => {}); // nobody may be waiting for the greeting any more
    this.#greeted.reject(new NidoError("unavailable", "QEMU ended before it greeted"));
    this.#ended.resolve();
  }
}

// QEMU keeps one client waiting behind the one that it serves; a third finds the queue full.
async function dial(path: string, deadline: number): Promise<Deno.UnixConn> {
  for (;;) {
    try {
      return await Deno.connect({ transport: "unix", path });
    } catch (cause) {
      if (cause instanceof Deno.errors.WouldBlock && performance.now() < deadline) {
        await new Promise((resolve) => setTimeout(resolve, 5 + Math.random() * 10));
      } else {
        throw new NidoError("unavailable", `QEMU's monitor ${path} cannot be reached`, { cause });
      }
    }
  }
}

async function within<T>(deadlineMs: number, promise: Promise<T>, otherwise: string): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(
      () => reject(new NidoError("timeout", `${otherwise} within ${deadlineMs} ms`)),
      deadlineMs,
    );
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
