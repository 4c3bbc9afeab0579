import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext, type Progress } from "../../../lib/context.ts";
import { downloadFrom, uploadTo } from "../../../lib/guest/copy.ts";
import { connect } from "../../../lib/guest/ssh.ts";
import { finish, startSshd } from "../../helpers/sshd.ts";

const context = makeContext("/nowhere");

/** What matters of a tree: each name with its kind, mode, time and content. */
async function picture(folder: string, prefix = ""): Promise<string[]> {
  const lines: string[] = [];
  for await (const { name } of Deno.readDir(folder)) {
    const path = join(folder, name);
    const info = await Deno.lstat(path);
    const facts = `${prefix}${name} ${
      (info.mode! & 0o7777).toString(8)
    } ${info.mtime?.toISOString()}`;
    if (info.isSymlink) lines.push(`${prefix}${name} -> ${await Deno.readLink(path)}`);
    else if (info.isFile) lines.push(`${facts} ${await digest(path)}`);
    else lines.push(`${facts}/`, ...await picture(path, `${prefix}${name}/`));
  }
  return lines.sort();
}

async function digest(path: string): Promise<string> {
  const hash = await crypto.subtle.digest("SHA-256", await Deno.readFile(path));
  return new Uint8Array(hash).toHex();
}

async function makeTree(root: string): Promise<void> {
  await Deno.mkdir(join(root, "sub/deep"), { recursive: true });
  await Deno.mkdir(join(root, "empty"));
  await Deno.writeFile(join(root, "big"), crypto.getRandomValues(new Uint8Array(65_536)));
  const parts = Array.from({ length: 50 }, () => crypto.getRandomValues(new Uint8Array(65_536)));
  await Deno.writeFile(join(root, "sub/large"), await new Blob(parts).bytes());
  await Deno.writeFile(join(root, "exact"), new Uint8Array(131_072 * 2).fill(7));
  await Deno.writeTextFile(join(root, "nothing"), "");
  await Deno.writeTextFile(join(root, "sub/it's ü\n🐦"), "odd name");
  await Deno.writeTextFile(join(root, "sub/deep/script"), "#!/bin/sh\n", { mode: 0o755 });
  for (let index = 0; index < 30; index++) {
    await Deno.writeTextFile(join(root, `sub/file${index}`), `content ${index}`);
  }
  await Deno.symlink("sub/large", join(root, "link"));
  await Deno.symlink("../..", join(root, "sub/deep/up"));
  await Deno.chmod(join(root, "big"), 0o640);
  await Deno.chmod(join(root, "empty"), 0o500);
  const then = new Date("2020-01-02T03:04:05Z");
  for (const name of ["big", "sub/deep/script", "sub/deep", "sub"]) {
    await Deno.utime(join(root, name), then, then);
  }
}

Deno.test("copying to and from a real SFTP server", async (t) => {
  await using sshd = await startSshd();
  await using session = await connect(context, sshd.target, { timeoutMs: 20_000 });
  const here = join(sshd.folder, "here");
  const there = join(sshd.folder, "there");
  await Deno.mkdir(here);
  await Deno.mkdir(there);
  await makeTree(join(here, "tree"));
  // Times have whole seconds over SFTP.
  await finish("find", [here, "-exec", "touch", "-h", "-d", "2021-05-06 07:08:09", "{}", "+"]);
  const original = await picture(join(here, "tree"));

  await t.step("a folder goes there and back with content, modes, times and links", async () => {
    const sent = await uploadTo(session, join(here, "tree"), join(there, "new"));
    assert.deepEqual(await picture(join(there, "new")), original);
    assert.deepEqual([sent.files, sent.folders, sent.links, sent.skipped], [36, 4, 2, []]);
    const got = await downloadFrom(session, join(there, "new"), join(here, "back"));
    assert.deepEqual(await picture(join(here, "back")), original);
    assert.deepEqual(got, sent);
  });

  await t.step("a second copy replaces files and leaves the rest", async () => {
    await Deno.writeTextFile(join(there, "new/nothing"), "changed");
    await Deno.writeTextFile(join(there, "new/extra"), "kept");
    await uploadTo(session, join(here, "tree") + "/", join(there, "new/.."));
    assert.equal(await Deno.readTextFile(join(there, "tree/nothing")), "");
    await uploadTo(session, join(here, "tree/nothing"), join(there, "new"));
    assert.equal(await Deno.readTextFile(join(there, "new/nothing")), "");
    assert.equal(await Deno.readTextFile(join(there, "new/extra")), "kept");
    await downloadFrom(session, join(there, "new"), join(here, "again"));
    await downloadFrom(session, join(there, "new"), join(here, "again/.."));
    assert.equal(await Deno.readTextFile(join(here, "new/extra")), "kept");
  });

  await t.step("destinations follow cp", async () => {
    const file = join(here, "tree/big");
    await uploadTo(session, file, join(there, "named"));
    await uploadTo(session, file, `${there}/made/`);
    await uploadTo(session, file, join(there, "made"));
    assert.equal(await digest(join(there, "named")), await digest(file));
    assert.equal(await digest(join(there, "made/big")), await digest(file));
    await downloadFrom(session, join(there, "named"), join(here, "got"));
    await downloadFrom(session, join(there, "named"), `${here}/into/`);
    await downloadFrom(session, `${there}/made/`, join(here, "into"));
    assert.deepEqual(
      [...Deno.readDirSync(join(here, "into"))].map(({ name }) => name).sort(),
      ["made", "named"],
    );
  });

  await t.step("a link that is named is followed; special bits and pipes stay behind", async () => {
    const odd = join(there, "odd");
    await Deno.mkdir(odd);
    await Deno.writeTextFile(join(odd, "suid"), "x");
    await Deno.chmod(join(odd, "suid"), 0o6755);
    await finish("mkfifo", [join(odd, "pipe")]);
    await Deno.symlink("/etc/passwd", join(odd, "passwd"));
    const got = await downloadFrom(session, odd, join(here, "odd"));
    assert.equal((await Deno.stat(join(here, "odd/suid"))).mode! & 0o7777, 0o755);
    const byPath = got.skipped.sort((a, b) => a.path < b.path ? -1 : 1);
    assert.deepEqual(byPath, [
      {
        path: join(odd, "passwd"),
        reason: 'it leads out of the copied folder, to "/etc/passwd"',
      },
      { path: join(odd, "pipe"), reason: "it is a named pipe" },
    ]);
    const sent = await uploadTo(session, odd, join(there, "odd2"));
    assert.deepEqual(sent.skipped, [{ path: join(odd, "pipe"), reason: "it is a named pipe" }]);
    assert.equal((await Deno.stat(join(there, "odd2/suid"))).mode! & 0o7777, 0o755);
    assert.equal(await Deno.readLink(join(there, "odd2/passwd")), "/etc/passwd");
    const followed = await downloadFrom(session, join(odd, "passwd"), join(here, "followed"));
    assert.equal(followed.files, 1);
    assert((await Deno.lstat(join(here, "followed"))).isFile);
  });

  await t.step("files that the kernel makes up are read to their end", async () => {
    const { sizeBytes } = await downloadFrom(
      session,
      "/proc/cpuinfo",
      join(here, "cpuinfo"),
    );
    assert(sizeBytes > 0);
  });

  await t.step("what can't be copied says why", async () => {
    const missing = join(there, "missing");
    await assert.rejects(downloadFrom(session, missing, here), {
      code: "not_found",
      message: `Cannot copy ${missing} from VM "dev": it does not exist`,
    });
    await assert.rejects(downloadFrom(session, "/dev/null", here), {
      code: "invalid_input",
      message: 'Cannot copy /dev/null from VM "dev": it is a device',
    });
    await assert.rejects(downloadFrom(session, join(there, "named"), join(here, "no/such")), {
      code: "not_found",
      message: `Cannot copy ${join(there, "named")} from VM "dev": no such folder here`,
    });
    await assert.rejects(downloadFrom(session, there, join(here, "got")), {
      code: "already_exists",
      message: `Cannot copy ${there} from VM "dev": ${join(here, "got")} is not a folder`,
    });
    await Deno.mkdir(join(here, "taken/named"), { recursive: true });
    await assert.rejects(downloadFrom(session, join(there, "named"), join(here, "taken")), {
      code: "already_exists",
      message: `Cannot copy ${join(there, "named")} from VM "dev": a folder is in its place`,
    });
    await assert.rejects(downloadFrom(session, "/", here), {
      code: "invalid_input",
      message: 'Cannot copy / from VM "dev": its copy needs a name',
    });
    await assert.rejects(uploadTo(session, missing, there), {
      code: "not_found",
      message: `Cannot copy ${missing} to VM "dev": it does not exist`,
    });
    const big = join(here, "tree/big");
    await assert.rejects(uploadTo(session, big, join(there, "no/such")), {
      code: "not_found",
      message: `Cannot copy ${big} to VM "dev": no such folder there`,
    });
    await assert.rejects(uploadTo(session, big, "/dev/full/"), {
      code: "already_exists",
      message: `Cannot copy ${big} to VM "dev": /dev/full is not a folder there`,
    });
  });

  await t.step("narrow permissions are enough, but for links", async () => {
    const into = join(sshd.folder, "narrow");
    await Deno.mkdir(into);
    const source = join(there, "new");
    const printed = await finish(Deno.execPath(), [
      "run",
      "--no-prompt",
      "--allow-net",
      `--allow-read=${into}`,
      `--allow-write=${into}`,
      new URL("../../fixtures/narrow_copy.ts", import.meta.url).pathname,
      ...[JSON.stringify(sshd.target), source, into],
    ]);
    const { exitCode, files, skipped } = JSON.parse(printed);
    assert.deepEqual([exitCode, files], [0, 37]);
    assert.deepEqual(
      skipped,
      ["link", "sub/deep/up"].map((path) => ({
        path: join(source, path),
        reason: "Deno's permissions allow no links",
      })),
    );
  });

  await t.step("it tells its progress, and stops when it must", async () => {
    const told: Progress[] = [];
    const large = join(here, "tree/sub/large");
    await uploadTo(session, large, there, { report: (progress) => told.push(progress) });
    assert.deepEqual(told[0]?.total, 50 * 65_536);
    assert.equal(told[0]?.stage, "copy");
    const controller = new AbortController();
    const stopped = uploadTo(session, large, join(there, "stopped"), {
      signal: controller.signal,
      report: () => controller.abort(),
    });
    await assert.rejects(stopped, {
      code: "cancelled",
      message: `Cannot copy ${large} to VM "dev": it was interrupted`,
    });
    await assert.rejects(Deno.lstat(join(there, "stopped")), Deno.errors.NotFound);
  });
});
