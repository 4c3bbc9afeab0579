import { join } from "node:path";
import { endMachines } from "./machines.ts";

let made: Promise<string> | undefined;

/**
 * The folder whose home all guest tests of a run share: `NIDO_E2E_HOME`, or one of this test file's own
 * that is gone when its tests are over. `prepare` runs once for each folder, whoever comes first.
 */
export async function sharedFolder(prepare: (folder: string) => Promise<void>): Promise<string> {
  made ??= make(prepare);
  return await made;
}

async function make(prepare: (folder: string) => Promise<void>): Promise<string> {
  const named = Deno.env.get("NIDO_E2E_HOME");
  if (named) await Deno.mkdir(named, { recursive: true });
  const folder = await Deno.realPath(
    named ?? await Deno.makeTempDir({ prefix: "nido-e2e-shared-" }),
  );
  if (!named) removeAtTheEnd(folder);
  using lock = await Deno.open(join(folder, "lock"), { write: true, create: true });
  await lock.lock(true);
  const prepared = join(folder, "prepared");
  if (await Deno.stat(prepared).catch(() => undefined)) return folder;
  await prepare(folder);
  await Deno.writeTextFile(prepared, "");
  return folder;
}

function removeAtTheEnd(folder: string): void {
  addEventListener("unload", () => {
    endMachines(folder);
    Deno.removeSync(folder, { recursive: true });
  });
}
