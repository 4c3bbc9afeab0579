import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import type { ConnectOptions, SshTarget } from "./link.ts";
import { connect, type SshSession } from "./ssh.ts";

const TRIES = 8;
const [LEAST_MS, SPREAD_MS] = [200, 1000];

/**
 * Logs in to a guest as one of many at once. OpenSSH drops newcomers at random while ten (its
 * `MaxStartups`) are logging in; they come again a moment later, not all at the same time.
 */
export async function connectAgain(
  context: Context,
  target: SshTarget,
  options: ConnectOptions,
): Promise<SshSession> {
  for (let left = TRIES;; left--) {
    try {
      return await connect(context, target, options);
    } catch (error) {
      if (left <= 1 || !wasDropped(error)) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, LEAST_MS + Math.random() * SPREAD_MS));
  }
}

function wasDropped(error: unknown): boolean {
  return error instanceof NidoError && error.details?.endedDuring === "login";
}
