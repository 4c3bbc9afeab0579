import { findEntry } from "../catalog/find.ts";
import { catalogAtHand } from "../catalog/open.ts";
import type { Context } from "../context.ts";
import type { Refuse } from "./refuse.ts";

/**
 * Refuses to give another file a name of the catalog when an agent asks for it: whoever spawns from
 * `debian:12` next would get a disk that its publisher never saw.
 */
export async function keepPublishedName(
  context: Context,
  name: string,
  refuse: Refuse,
): Promise<void> {
  const { surface } = context.actor;
  if (surface !== "mcp" && surface !== "rest") return;
  const [image = "", ...rest] = name.replace(/-(x86_64|aarch64)$/, "").split(":");
  const opened = await catalogAtHand(context);
  if (!opened || rest.length > 1) return;
  if (!findEntry(opened.catalog, { kind: "name", name: image, version: rest[0] })) return;
  throw refuse("denied", `"${name}" is a name of the catalog, and this is another file`, {
    hint: "choose a name of your own",
    details: { name },
  });
}
