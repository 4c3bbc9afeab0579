import assert from "node:assert/strict";
import { join } from "node:path";
import { nido, type Said } from "./command.ts";
import { fromFileUrl } from "./paths.ts";

/** The guest image of these tests, built from Debian's packages when the cache has none. */
export async function guestImage(): Promise<string> {
  const { code, stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", fromFileUrl("../../scripts/guest_image.ts")],
    stdout: "piped",
    stderr: "inherit",
  }).output();
  assert.equal(code, 0, "the guest image could not be built");
  return new TextDecoder().decode(stdout).trim();
}

/** A home with the guest image in it and the real command line to use it with. */
export class Nest implements AsyncDisposable {
  private constructor(readonly home: string, readonly folder: string) {}

  static async make(): Promise<Nest> {
    const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-e2e-" }));
    const nest = new Nest(join(root, "home"), join(root, "files"));
    await Deno.mkdir(nest.folder);
    return nest;
  }

  static async withGuestImage(): Promise<Nest> {
    const nest = await Nest.make();
    await nest.ok(["image", "import", await guestImage(), "--name", "debian-12"]);
    return nest;
  }

  /** Runs `nido`, whatever comes of it. */
  async run(args: string[], stdin?: string): Promise<Said> {
    return await nido(args, { home: this.home, stdin });
  }

  /** Runs `nido`, which must succeed; gives its standard output. */
  async ok(args: string[], stdin?: string): Promise<string> {
    const { code, stdout, stderr } = await this.run(args, stdin);
    assert.equal(code, 0, `nido ${args.join(" ")} failed with ${code}:\n${stderr}${stdout}`);
    return stdout;
  }

  /** Runs `nido --json`, which must succeed; gives the data. */
  // deno-lint-ignore no-explicit-any
  async data(args: string[]): Promise<any> {
    const { status, data } = JSON.parse(await this.ok([args[0]!, "--json", ...args.slice(1)]));
    assert.equal(status, "ok");
    return data;
  }

  /** Runs `nido --json`, which must fail; gives the error. */
  // deno-lint-ignore no-explicit-any
  async error(args: string[]): Promise<any> {
    const { code, stdout } = await this.run([args[0]!, "--json", ...args.slice(1)]);
    assert.notEqual(code, 0, `nido ${args.join(" ")} did not fail: ${stdout}`);
    return { ...JSON.parse(stdout).error, exit: code };
  }

  /** A path among this test's files. */
  at(name: string): string {
    return join(this.folder, name);
  }

  /** Deletes every VM and the home, and checks that no process of this home is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { vms } = JSON.parse((await this.run(["list", "--json"])).stdout).data;
    const names = vms.map(({ name }: { name: string }) => name);
    if (names.length) await this.ok(["delete", "--force", ...names]);
    const { stdout } = await new Deno.Command("ps", { args: ["-ww", "-eo", "args="] }).output();
    const left = new TextDecoder().decode(stdout).split("\n")
      .filter((line) => line.includes("qemu-system") && line.includes(`${this.home}/`));
    await Deno.remove(join(this.home, ".."), { recursive: true });
    assert.deepEqual(left, [], "processes of this home are left");
  }
}
