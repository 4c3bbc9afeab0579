import type { Context } from "../context.ts";
import { type BootStage, isLater } from "../guest/boot_stage.ts";

const DOING: Record<BootStage, string> = {
  firmware: "firmware is starting",
  kernel: "kernel is starting",
  network: "network is coming up",
  ssh: "SSH is coming up",
  "cloud-init": "cloud-init is at work",
};

/** Milliseconds between two reports of a stage that lasts. */
export interface Pace {
  /** Before the first: watchers may find a guest further than at its beginning, and look first. */
  firstMs: number;
  everyMs: number;
}

const PACE: Pace = { firstMs: 1_000, everyMs: 5_000 };

/** Tells how far a guest is: each stage when it is reached, and every few seconds what lasts. */
export class BootProgress implements Disposable {
  #stage: BootStage = "firmware";
  #since = performance.now();
  #timer: ReturnType<typeof setTimeout>;

  constructor(
    private readonly context: Context,
    private readonly called: string,
    private readonly pace = PACE,
  ) {
    this.#timer = setTimeout(() => this.#tell(), pace.firstMs);
  }

  /** The furthest stage of the present boot. */
  get stage(): BootStage {
    return this.#stage;
  }

  /** A stage was reached, as far as one of several watchers knows; earlier ones change nothing. */
  reach(stage: BootStage): void {
    if (isLater(stage, this.#stage)) this.#enter(stage);
  }

  /** The guest has begun anew. */
  beginAnew(): void {
    if (this.#stage !== "firmware") this.#enter("firmware");
  }

  [Symbol.dispose](): void {
    clearTimeout(this.#timer);
  }

  #enter(stage: BootStage): void {
    this.#stage = stage;
    this.#tell();
  }

  #tell(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#tell(), this.pace.everyMs);
    const seconds = Math.round((performance.now() - this.#since) / 1000);
    const message = `${this.called}: ${DOING[this.#stage]} (${seconds} s)`;
    this.context.report({ stage: this.#stage, message });
  }
}
