import { join } from "node:path";
import type { Context } from "../context.ts";
import { pingAgent } from "../guest/agent.ts";
import { type BootSeen, isLater, readBoot } from "../guest/boot_stage.ts";
import { vmFiles } from "../store/files.ts";
import type { BootProgress } from "./boot_progress.ts";
import { collectConsole } from "./console.ts";
import { socketPath, type SoundVm } from "./vm.ts";

const PING_MS = 500;
const NEWEST_BYTES = 256 << 10;

/** Learns from a booting guest's console and agent how far it is; each look tells what is new. */
export class BootWatch {
  #decoder = new TextDecoder();
  #seen: BootSeen = { reboots: 0, rest: "" };
  #offset: number | undefined;
  #agentHasAnswered = false;

  constructor(
    private readonly context: Context,
    private readonly vm: SoundVm,
    private readonly progress: BootProgress,
  ) {}

  async look(): Promise<void> {
    this.#offset ??= await startOfBoot(this.vm);
    await collectConsole(this.context, this.vm).catch(() => {}); // a busy console is read the next time
    this.#read(await this.#newBytes());
    if (isLater("network", this.progress.stage) && !this.#agentHasAnswered) {
      const path = await socketPath(this.context, this.vm, "agent");
      this.#agentHasAnswered = await pingAgent(path, PING_MS);
      // It is started as a service, beside the network.
      if (this.#agentHasAnswered) this.progress.reach("network");
    }
  }

  #read(bytes: Uint8Array): void {
    const before = this.#seen;
    this.#seen = readBoot(this.#decoder.decode(bytes, { stream: true }), before);
    if (this.#seen.reboots > before.reboots) {
      this.#agentHasAnswered = false;
      this.progress.beginAnew();
    }
    if (this.#seen.stage) this.progress.reach(this.#seen.stage);
  }

  async #newBytes(): Promise<Uint8Array> {
    try {
      using log = await Deno.open(join(this.vm.folder, vmFiles.consoleLog));
      const { size } = await log.stat();
      // It may have been cut to its newest part, and of a flood the end is enough.
      const start = Math.max(Math.min(this.#offset!, size), size - NEWEST_BYTES);
      const bytes = new Uint8Array(size - start);
      await log.seek(start, Deno.SeekMode.Start);
      const read = await log.read(bytes) ?? 0;
      this.#offset = start + read;
      return bytes.subarray(0, read);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return new Uint8Array();
      throw error;
    }
  }
}

/** Where the present boot's part of the console log can begin: earlier ones end before QEMU started. */
async function startOfBoot({ folder }: SoundVm): Promise<number> {
  const [log, pid] = await Promise.all(
    [vmFiles.consoleLog, vmFiles.pid].map((file) => Deno.stat(join(folder, file)).catch(() => {})),
  );
  const isOlder = log?.mtime && pid?.mtime && log.mtime < pid.mtime;
  return isOlder ? log.size : 0;
}
