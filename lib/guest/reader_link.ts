import { NidoError } from "../errors.ts";
import { printable } from "../printable.ts";
import { PortLines, type Speaker } from "./port_lines.ts";
import type { Preparation, Renewal, Renewed } from "./renewal.ts";

const READER: Speaker = { name: "The guest's reader", longestLineBytes: 1 << 16 };
const MOST_PROBLEMS = 32;
const LONGEST_PROBLEM = 500;
// The reader forgets what an earlier client has begun and not ended.
const START_OF_LINE = 0x1e;

/** A way to the program that waits in a guest, over the socket of its port. */
export class ReaderLink implements Disposable {
  readonly #lines: PortLines;

  private constructor(lines: PortLines) {
    this.#lines = lines;
  }

  /** Connects, also to a machine that does not run yet; `unavailable` when nothing listens. */
  static async open(path: string): Promise<ReaderLink> {
    return new ReaderLink(await PortLines.open(path, READER));
  }

  /** Sends a line. A frozen guest finds it when it wakes. */
  async send(request: Renewal | Preparation): Promise<void> {
    await this.#lines.send(`${JSON.stringify(request)}\n`, [START_OF_LINE]);
  }

  /** The guest's answer to what was sent; `timeout` and the end of this link when it comes too late. */
  async answered(deadlineMs: number): Promise<Renewed> {
    return await this.#lines.within(deadlineMs, "the host", async () => {
      for (;;) {
        const answer = readAnswer(await this.#lines.next());
        if (answer) return answer;
      }
    });
  }

  [Symbol.dispose](): void {
    this.#lines.close();
  }
}

/** What a reader answered; undefined for a line that is no answer, `tool_failed` for a refusal. */
export function readAnswer(line: string): Renewed | undefined {
  const answer = parse(line);
  if (typeof answer?.error === "string") {
    throw new NidoError(
      "tool_failed",
      `The guest's reader refused what it was sent: ${shown(answer.error)}`,
    );
  }
  if (answer?.renewed !== true || !Array.isArray(answer.problems)) return undefined;
  const problems = answer.problems.slice(0, MOST_PROBLEMS).map((problem) => shown(String(problem)));
  return typeof answer.quiet === "boolean" ? { problems, quiet: answer.quiet } : { problems };
}

function parse(line: string): Record<string, unknown> | undefined {
  try {
    const message = JSON.parse(line);
    return typeof message === "object" && message !== null ? message : undefined;
  } catch {
    return undefined;
  }
}

function shown(text: string): string {
  return printable(text.slice(0, LONGEST_PROBLEM)).replaceAll(/\s+/g, " ").trim();
}
