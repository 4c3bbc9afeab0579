import type { Progress } from "../lib/context.ts";
import type { RequestHandlerExtra, ServerNotification, ServerRequest } from "./sdk.ts";

/** What the SDK hands over with each request. */
export type Extra = RequestHandlerExtra<ServerRequest, ServerNotification>;

const BEAT_MS = 5_000;
const AT_MOST_EVERY_MS = 250;

/** Tells a client that asked for it how far a call is, at least every five seconds. */
export class ProgressTeller implements Disposable {
  readonly #since = performance.now();
  #last: Progress = { stage: "begin", message: "working" };
  #toldAt = -Infinity;
  #count = 0;
  #beat?: ReturnType<typeof setInterval>;

  constructor(readonly extra: Extra, beatMs = BEAT_MS) {
    if (extra._meta?.progressToken === undefined) return;
    this.#beat = setInterval(() => this.#tell(), beatMs);
  }

  readonly report = (progress: Progress): void => {
    const isNews = progress.stage !== this.#last.stage;
    this.#last = progress;
    if (this.#beat === undefined) return;
    if (isNews || performance.now() - this.#toldAt > AT_MOST_EVERY_MS) this.#tell();
  };

  #tell(): void {
    this.#toldAt = performance.now();
    const seconds = Math.round((this.#toldAt - this.#since) / 1000);
    const { stage, message, done, total } = this.#last;
    const part = done !== undefined && total ? ` (${Math.round(done / total * 100)} %)` : "";
    this.extra.sendNotification({
      method: "notifications/progress",
      params: {
        progressToken: this.extra._meta!.progressToken!,
        progress: ++this.#count,
        message: `${stage}: ${message}${part}, ${seconds} s`,
      },
    }).catch(() => {}); // the client has gone; the call hears of it by its signal
  }

  [Symbol.dispose](): void {
    clearInterval(this.#beat);
  }
}
