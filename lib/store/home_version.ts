import { z } from "zod";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { thisNido } from "../this_nido.ts";
import { files } from "./files.ts";
import { isHomeThere } from "./home.ts";
import { withLock } from "./lock.ts";
import { type Migration, migrations } from "./migrations.ts";
import { changeRecords, copyRecords } from "./records_below.ts";
import { readRecord, writeRecord } from "./record.ts";
import { stage } from "./staging.ts";

/** The first released shape; a home that doesn't tell its version has it. */
const FIRST = 1;

/** `home.json`: which shape the records of a home have. */
const homeRecord = z.object({
  schemaVersion: z.literal(1),
  version: z.int().min(FIRST),
  /** The Nido that wrote this. */
  nido: z.string(),
  /** The backup of a change that has not ended. */
  backup: z.string().optional(),
});
type HomeRecord = z.output<typeof homeRecord>;

/**
 * Brings an older home to the shape that this Nido knows, after a backup of its records; refuses one of
 * a newer Nido. A home that isn't there is fine.
 */
export async function openHome(context: Context, list = migrations): Promise<void> {
  const { home } = context;
  const known = newest(list);
  if (refuseNewer(home, await readHome(home), known) >= known) return;
  if (!await isHomeThere(home)) return;
  const doing = `bring the home to version ${known}`;
  await withLock(context, { what: "home", doing }, async () => {
    const record = await readHome(home);
    if (refuseNewer(home, record, known) < known) await migrate(context, record, list);
  });
}

/** Writes a home's version where it has none; one of a newer Nido is refused. */
export async function markHome(home: string, isFresh: boolean): Promise<void> {
  const record = await readHome(home);
  const known = newest(migrations);
  refuseNewer(home, record, known);
  if (record === undefined) await writeHome(home, isFresh ? known : FIRST);
}

async function migrate(
  context: Context,
  record: HomeRecord | undefined,
  list: Migration[],
): Promise<void> {
  const { home } = context;
  const version = record?.version ?? FIRST;
  const backup = record?.backup ?? await backUp(context, version);
  for (const { to, records } of list.toSorted((one, other) => one.to - other.to)) {
    if (to <= version) continue;
    context.report({ stage: "home", message: `Bringing the home to version ${to}` });
    await changeRecords(home, records);
    await writeHome(home, to, backup);
  }
  await writeHome(home, newest(list));
}

/** Copies all records and no disks; the backup is named in home.json before anything is changed. */
async function backUp(context: Context, version: number): Promise<string> {
  const { home } = context;
  const at = context.now().toISOString().replaceAll(/[-:]|\.\d+/g, "");
  const name = `version-${version}-${at}`;
  await Deno.mkdir(files.backups(home), { recursive: true, mode: 0o700 });
  await Deno.mkdir(files.staging(home), { recursive: true, mode: 0o700 });
  await stage(context, files.backup(home, name), (folder) => copyRecords(home, folder));
  await writeHome(home, version, name);
  return name;
}

async function readHome(home: string): Promise<HomeRecord | undefined> {
  return await readRecord(files.home(home), homeRecord);
}

async function writeHome(home: string, version: number, backup?: string): Promise<void> {
  const record: HomeRecord = { schemaVersion: 1, version, nido: thisNido.version, backup };
  await writeRecord(files.home(home), record);
}

function newest(list: Migration[]): number {
  return Math.max(FIRST, ...list.map(({ to }) => to));
}

/** The version of a home that this Nido can use. */
function refuseNewer(home: string, record: HomeRecord | undefined, known: number): number {
  const version = record?.version ?? FIRST;
  if (version <= known) return version;
  const fact = `Nido ${record!.nido} brought it to version ${version}, and this one knows ${known}`;
  throw new NidoError("wrong_state", `Cannot use the home ${home}: ${fact}`, {
    hint: "nido update",
    details: { version, known },
  });
}
