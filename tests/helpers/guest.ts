import assert from "node:assert/strict";
import { join } from "node:path";
import { nido, type Said } from "./command.ts";
import { endMachines } from "./machines.ts";
import { fromFileUrl } from "./paths.ts";
import { sharedFolder } from "./shared_home.ts";

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

/** The image that the guest tests import, and the size that their shared base is warm for. */
const IMAGE = "debian:12";
const MEMORY = "512M";

/** A home with the guest image in it and the real command line to use it with. */
export class Nest implements AsyncDisposable {
  private constructor(
    readonly home: string,
    readonly folder: string,
    /** In a home that others use too: how the names of its VMs begin. */
    readonly prefix?: string,
  ) {}

  static async make(): Promise<Nest> {
    const root = await Deno.realPath(await Deno.makeTempDir({ prefix: "nido-e2e-" }));
    const nest = new Nest(join(root, "home"), join(root, "files"));
    await Deno.mkdir(nest.folder);
    return nest;
  }

  static async withGuestImage(): Promise<Nest> {
    const nest = await Nest.make();
    await nest.ok(["image", "import", await guestImage(), "--name", IMAGE]);
    return nest;
  }

  /**
   * The home that the guest tests of a run share, in which the guest image is warm for two CPUs and
   * 512 MiB. Only VMs whose names begin with `prefix` are this test's to make and delete.
   */
  static async shared(prefix: string): Promise<Nest> {
    const root = await sharedFolder(async (root) => {
      const nest = new Nest(join(root, "home"), root);
      await nest.ok(["image", "import", await guestImage(), "--name", IMAGE]);
      await nest.ok(["spawn", "first", "--image", IMAGE, "--memory", MEMORY]);
      await nest.ok(["delete", "first", "--force"]);
    });
    const folder = await Deno.makeTempDir({ prefix: "nido-e2e-files-" });
    return new Nest(join(root, "home"), await Deno.realPath(folder), prefix);
  }

  /** Spawns from the warm base and gives what spawn said; more words may follow. */
  // deno-lint-ignore no-explicit-any
  async hatch(name: string, ...more: string[]): Promise<any> {
    return await this.data(["spawn", name, "--image", IMAGE, "--memory", MEMORY, ...more]);
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

  /** Deletes this test's VMs and files, and checks that no process of theirs is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    const { vms } = JSON.parse((await this.run(["list", "--json"])).stdout).data;
    const names = vms.map(({ name }: { name: string }) => name)
      .filter((name: string) => name.startsWith(this.prefix ?? ""));
    if (names.length) await this.ok(["delete", "--force", ...names]);
    const ours = this.prefix === undefined ? this.home : join(this.home, "vms", this.prefix);
    const left = endMachines(ours);
    const gone = this.prefix === undefined ? join(this.home, "..") : this.folder;
    await Deno.remove(gone, { recursive: true });
    assert.deepEqual(left, [], "processes of this test are left");
  }
}
