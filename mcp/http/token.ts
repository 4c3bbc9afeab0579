import { dirname } from "node:path";
import { prepareHome } from "../../lib/store/home.ts";
import { files } from "../../lib/store/files.ts";
import { writeNewFile } from "../../lib/store/record.ts";

/** The token that HTTP clients must show; made at the first need, readable by its owner only. */
export async function readToken(home: string): Promise<string> {
  await prepareHome(home);
  const path = files.token(home);
  for (;;) {
    const kept = (await Deno.readTextFile(path).catch(() => "")).trim();
    if (kept !== "") {
      await Deno.chmod(path, 0o600);
      return kept;
    }
    const token = crypto.getRandomValues(new Uint8Array(32)).toBase64({
      alphabet: "base64url",
      omitPadding: true,
    });
    const fresh = `${dirname(path)}/.token.${crypto.randomUUID()}`;
    await writeNewFile(fresh, `${token}\n`);
    // Race: of two that make one at once, the first stays; an empty file of a full disk does not.
    await Deno.link(fresh, path).catch(async (error) => {
      if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
      if ((await Deno.stat(path)).size === 0) await Deno.rename(fresh, path);
    }).finally(() => Deno.remove(fresh).catch(() => {})); // renamed already
  }
}

/** Compares without telling by its time how much was right. */
export async function isToken(given: string, token: string): Promise<boolean> {
  const digest = async (text: string) =>
    new Uint8Array(await crypto.subtle.digest("SHA-256", new TextEncoder().encode(text)));
  const [left, right] = await Promise.all([digest(given), digest(token)]);
  let different = 0;
  for (let at = 0; at < left.length; at++) different |= left[at]! ^ right[at]!;
  return different === 0;
}
