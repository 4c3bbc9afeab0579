import { NidoError } from "../errors.ts";
import { abandonState, holdStill, letGo } from "./letting_go.ts";
import type { Qmp, QmpEvent } from "./qmp.ts";

/** How a machine's state is written. */
export interface SaveRequest {
  /** Where to listen for it; QEMU connects there. */
  socket: string;
  /** The file to write, which isn't there yet. */
  file: string;
  /** Leaves out memory that is a shared file already. */
  withoutSharedMemory: boolean;
  /** Runs while the machine stands still, before the last of it is written. */
  atSwitchover?: () => Promise<void>;
  /** One that ran goes on as soon as all of it was read, and need not wait for the disk. */
  goesOn: boolean;
}

/** What was written. */
export interface SavedState {
  sizeBytes: number;
  /** How long the machine stood still, in milliseconds. */
  stillMs: number;
}

const LARGEST_STATE_MS = 600_000;
const UNLIMITED_BYTES_PER_SECOND = 2 ** 40;
const LONGEST_STILL_MS = 100;
const FINAL = ["completed", "failed", "cancelled"];

/**
 * Writes a machine's memory and device state to a file, synced. Where its writes can be followed the
 * guest runs meanwhile, and stands still only for the last round. A failure leaves it running as before.
 */
export async function saveState(qmp: Qmp, request: SaveRequest): Promise<SavedState> {
  await Deno.remove(request.socket).catch(() => {}); // one that a killed save left, or none
  using listener = Deno.listen({ transport: "unix", path: request.socket });
  await Deno.chmod(request.socket, 0o600);
  const received = receive(listener, request.file);
  let unwritten: unknown;
  received.catch((error) => unwritten = error); // what QEMU then says is only that it failed
  try {
    await setCapabilities(qmp, {
      "x-ignore-shared": request.withoutSharedMemory,
      "pause-before-switchover": true,
    });
    await qmp.execute("migrate-set-parameters", {
      "max-bandwidth": UNLIMITED_BYTES_PER_SECOND,
      "downtime-limit": LONGEST_STILL_MS,
    });
    const still = nextStatus(qmp, ["pre-switchover", "failed", "cancelled"]);
    const runs = await isRunning(qmp);
    const runsMeanwhile = runs && request.goesOn && await followsWrites(qmp);
    let since = performance.now();
    if (runs && !runsMeanwhile) await holdStill(qmp);
    await qmp.execute("migrate", { uri: `unix:${request.socket}` });
    mustBe("pre-switchover", await still);
    if (runsMeanwhile) since = performance.now();
    await request.atSwitchover?.();
    const end = nextStatus(qmp, FINAL);
    await qmp.execute("migrate-continue", { state: "pre-switchover" });
    mustBe("completed", await end);
    if (request.goesOn && runs) await letGo(qmp);
    const stillMs = Math.round(performance.now() - since);
    return { sizeBytes: await received, stillMs };
  } catch (error) {
    await abandonState(qmp).catch(() => {}); // QEMU has ended
    throw unwritten ?? error;
  } finally {
    await Deno.remove(request.socket).catch(() => {});
  }
}

/**
 * Whether QEMU hears of every write of a guest that runs while its memory is copied. Its emulator
 * does not: QEMU before 9.0 leaves stale entries in the emulated TLB when it takes the list of dirty
 * pages (`cpu_physical_memory_sync_dirty_bitmap`, 7.2), and the guest writes past the list. A copy
 * without such a write may hang when it wakes.
 */
async function followsWrites(qmp: Qmp): Promise<boolean> {
  return (await qmp.execute<{ enabled: boolean }>("query-kvm")).enabled;
}

async function isRunning(qmp: Qmp): Promise<boolean> {
  return (await qmp.execute<{ status: string }>("query-status")).status === "running";
}

/**
 * Loads a state into a machine that was started to wait for one. A state that doesn't fit it, or is
 * damaged, is an error; most of them end QEMU.
 */
export async function loadState(
  qmp: Qmp,
  uri: string,
  withoutSharedMemory: boolean,
): Promise<void> {
  const capabilities = setCapabilities(qmp, { "x-ignore-shared": withoutSharedMemory });
  const end = nextStatus(qmp, FINAL);
  const begun = qmp.execute("migrate-incoming", { uri }, LARGEST_STATE_MS);
  // A state that breaks off at once ends QEMU before it answers.
  await Promise.all([capabilities, begun]);
  if (await end !== "completed") throw new NidoError("integrity", "QEMU could not load the state");
}

async function setCapabilities(qmp: Qmp, wanted: Record<string, boolean>): Promise<void> {
  const capabilities = Object.entries({ events: true, ...wanted })
    .map(([capability, state]) => ({ capability, state }));
  await qmp.execute("migrate-set-capabilities", { capabilities });
}

async function nextStatus(qmp: Qmp, statuses: string[]): Promise<string | undefined> {
  const isOne = ({ event, data }: QmpEvent) =>
    event === "MIGRATION" && statuses.includes(String(data?.status));
  const event = await qmp.waitFor(isOne, LARGEST_STATE_MS);
  return event && String(event.data?.status);
}

function mustBe(wanted: string, status: string | undefined): void {
  if (status === wanted) return;
  throw new NidoError("tool_failed", `QEMU could not write its state: ${status ?? "it has ended"}`);
}

async function receive(listener: Deno.Listener, path: string): Promise<number> {
  using connection = await listener.accept();
  using file = await Deno.open(path, { write: true, createNew: true, mode: 0o600 });
  const chunk = new Uint8Array(1 << 20);
  let sizeBytes = 0;
  for (let size; (size = await connection.read(chunk)) !== null; sizeBytes += size) {
    for (let written = 0; written < size;) {
      written += await file.write(chunk.subarray(written, size));
    }
  }
  await file.syncData();
  return sizeBytes;
}
