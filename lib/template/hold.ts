import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { type Lock, takeLock } from "../store/lock.ts";
import { settleReplacement } from "./replacement.ts";
import { readTemplate, type Template, templateLock } from "./template.ts";

const QUEUE_MS = 120_000; // many spawns may stand in line for one template

/**
 * Holds a template in place while something is made that stands on it. It may have been removed or
 * replaced since it was opened; then this throws.
 */
export async function holdTemplate(
  context: Context,
  template: Template,
  doing: string,
): Promise<Lock> {
  const { name, digest, diskPath } = template;
  const lock = await takeLock(context, { what: templateLock(name), doing, patienceMs: QUEUE_MS });
  try {
    await settleReplacement(context.home, name);
    const now = await readTemplate(context.home, name);
    if (now?.digest === digest && now.diskPath === diskPath) return lock;
    const fate = now ? "was replaced" : "was removed";
    throw new NidoError("not_found", `Cannot ${doing}: template "${name}" ${fate}`, {
      hint: "nido templates",
    });
  } catch (error) {
    lock[Symbol.dispose]();
    throw error;
  }
}
