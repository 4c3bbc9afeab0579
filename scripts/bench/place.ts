import { join } from "node:path";
import { type Context, makeContext } from "../../lib/context.ts";
import { importImage } from "../../lib/image/import.ts";
import { prepareHome } from "../../lib/store/home.ts";
import { deleteVms } from "../../lib/vm/delete.ts";
import { listVms } from "../../lib/vm/vm.ts";
import { bootDisk, IDLE } from "../../tests/helpers/boot_sector.ts";

/** The command line as users start it. */
export const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** A home of its own with the image `tiny`, whose machine idles; gone afterwards with all its VMs. */
export async function withPlace(use: (context: Context, folder: string) => Promise<void>) {
  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-bench-" }));
  const context = makeContext(join(folder, "home"));
  try {
    await prepareHome(context.home);
    const file = join(folder, "tiny.raw");
    await Deno.writeFile(file, bootDisk(IDLE));
    await importImage(context, { file, name: "tiny", format: "raw", force: false });
    await use(context, folder);
  } finally {
    const names = (await listVms(context)).map(({ name }) => name);
    if (names.length) await deleteVms(context, { names, force: true });
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs `nido` as a process of its own. */
export async function nido(context: Context, ...args: string[]): Promise<void> {
  await runScript(context, MAIN, ...args);
}

/** Runs a script as a process of its own, with the home of a place. */
export async function runScript(context: Context, script: string, ...args: string[]) {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", script, ...args],
    env: { NIDO_HOME: context.home },
    stdin: "null",
  }).output();
  if (code !== 0) throw new Error(`nido ${args.join(" ")}: ${new TextDecoder().decode(stderr)}`);
}
