import { z } from "zod";
import type { Context } from "../context.ts";
import { onExpiry } from "./shape.ts";

/** When a VM's time is over, and what becomes of it then. */
export const lease = z.strictObject({
  expiresAt: z.iso.datetime(),
  onExpiry,
  ttlSeconds: z.int().min(1),
  /** How long this host had been up when the lease began. */
  uptimeSeconds: z.number().min(0),
});

/** When a VM's time is over, and what becomes of it then. */
export type Lease = z.output<typeof lease>;

/** What a caller asks for. */
export interface LeaseRequest {
  /** 0: no lease. */
  ttlSeconds?: number;
  onExpiry?: Lease["onExpiry"];
}

/** The lease that begins now; undefined when there is to be none. */
export function leaseFor(
  context: Context,
  { ttlSeconds, onExpiry = "suspend" }: LeaseRequest,
  uptimeSeconds = Deno.osUptime(),
): Lease | undefined {
  if (!ttlSeconds) return undefined;
  const expiresAt = new Date(context.now().getTime() + ttlSeconds * 1000).toISOString();
  return { expiresAt, onExpiry, ttlSeconds, uptimeSeconds };
}

/**
 * Whether a lease is over. A clock that was set forward ends none that deletes: unless this host was
 * restarted, as much time must have passed while it was up.
 */
export function isOver(lease: Lease, now: Date, uptimeSeconds = Deno.osUptime()): boolean {
  if (now.getTime() < Date.parse(lease.expiresAt)) return false;
  if (lease.onExpiry !== "delete" || uptimeSeconds < lease.uptimeSeconds) return true;
  return uptimeSeconds - lease.uptimeSeconds >= lease.ttlSeconds;
}
