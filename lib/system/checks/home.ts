import { files } from "../../store/files.ts";
import { prepareHome } from "../../store/home.ts";
import { tryLockFile } from "../../store/lock.ts";
import { namesIn } from "../../store/record.ts";
import { sweepStaging, withStaging } from "../../store/staging.ts";
import { type Check, type Finding, tried } from "./check.ts";

/** That the home is ours, private and can be written. */
export const home: Check = {
  name: "home",
  run: async ({ context, fix }) => {
    const path = context.home;
    const written = await tried("home", "blocked", async () => {
      await prepareHome(path);
      await withStaging(context, async () => {});
      return `The home is ${path}`;
    });
    if (written.state !== "ok") return [written];
    const { mode, uid } = await Deno.stat(path);
    if (uid !== null && uid !== Deno.uid()) {
      return [blocked(`The home ${path} belongs to another user`, `sudo chown -R $USER '${path}'`)];
    }
    if (mode === null || (mode & 0o077) === 0) return [written];
    if (fix) {
      await Deno.chmod(path, 0o700);
      return [{ ...written, message: `The home ${path} is private again`, fixed: true }];
    }
    const others = (mode & 0o777).toString(8).padStart(4, "0");
    return [{
      name: "home",
      state: "warning",
      message: `The home ${path} is open to other users: its mode is ${others}`,
      fix: `chmod 0700 '${path}'`,
    }];
  },
};

function blocked(message: string, fix: string): Finding {
  return { name: "home", state: "blocked", message, fix };
}

/** Half-built things whose maker died. */
export const staging: Check = {
  name: "staging",
  run: async ({ context, fix }) => {
    const count = fix ? (await sweepStaging(context.home)).length : await leftovers(context.home);
    if (count === 0) return [{ name: "staging", state: "ok", message: "Nothing is half-built" }];
    const what = count === 1 ? "1 half-built thing" : `${count} half-built things`;
    if (fix) return [{ name: "staging", state: "ok", message: `Swept ${what}`, fixed: true }];
    const message = `Found ${what} of commands that died`;
    return [{ name: "staging", state: "warning", message, fix: "nido doctor --fix" }];
  },
};

async function leftovers(home: string): Promise<number> {
  const entries = await namesIn(files.staging(home));
  let count = 0;
  for (const name of entries.filter((entry) => !entry.endsWith(".lock"))) {
    using lock = await tryLockFile(`${files.staging(home)}/${name}.lock`, "look at what is left");
    if (lock) count++;
  }
  return count;
}
