/** Long enough to take back what was begun, short enough for a host that waits for the end. */
export const GRACE_MS = 1_500;
/** Long enough to delete the VMs of sessions that take them with them. */
export const EPHEMERAL_GRACE_MS = 60_000;

/** Resolves when this process is asked to end. */
export function askedToEnd(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const signals: Deno.Signal[] = Deno.build.os === "windows"
    ? ["SIGINT", "SIGBREAK"]
    : ["SIGINT", "SIGTERM", "SIGHUP"];
  for (const signal of signals) Deno.addSignalListener(signal, () => resolve());
  return promise;
}

/** Waits for something, but not for long. */
export async function within(ms: number, act: Promise<unknown>): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const timer = setTimeout(resolve, ms);
  await Promise.race([act.catch(() => {}), promise]);
  clearTimeout(timer);
}
