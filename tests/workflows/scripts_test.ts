import assert from "node:assert/strict";
import { join } from "node:path";
import { writeSums } from "../../scripts/build/sums.ts";
import manifest from "../../deno.json" with { type: "json" };
import { thisPlatform } from "../../lib/host/platform.ts";
import { binaryName } from "../../lib/system/installed/release.ts";
import { bareMachine } from "../helpers/bare_machine.ts";
import { withHome } from "../helpers/command.ts";
import { ROOT } from "./actions.ts";

const NOBODY = 65534;
const isRoot = Deno.uid() === 0;

/** How a script ends, and what it says. */
async function sh(args: string[], options: Deno.CommandOptions = {}): Promise<[number, string]> {
  const { code, stdout, stderr } = await new Deno.Command("/bin/sh", { ...options, args }).output();
  const decoder = new TextDecoder();
  return [code, decoder.decode(stdout) + decoder.decode(stderr)];
}

/** Runs ready_host.sh on a machine that has a KVM which is closed to its user. */
async function readyHost(
  programs: Record<string, string>,
  { hasKvm = true, args = [] as string[] } = {},
): Promise<{ code: number; said: string; rule?: string }> {
  await using machine = await bareMachine();
  await machine.lend("cp");
  const kvm = join(machine.folder, "kvm");
  const rule = join(machine.folder, "kvm.rules");
  const all = {
    uname: "case $1 in -m) echo x86_64 ;; *) echo Linux ;; esac",
    id: "echo me",
    ...Object.fromEntries(
      ["qemu-system-x86_64", "qemu-img", "ssh", "ps", "kill", "curl"].map((name) => [name, ""]),
    ),
    ...programs,
  };
  for (const [name, script] of Object.entries(all)) {
    await machine.addProgram(name, script.replaceAll("KVM", kvm));
  }
  if (hasKvm) await Deno.writeTextFile(kvm, "", { mode: 0o000 });
  if (isRoot) {
    await Deno.chmod(machine.folder, 0o777);
    if (hasKvm) await Deno.chown(kvm, NOBODY, NOBODY);
  }
  const [code, said] = await sh([join(ROOT, "scripts/ci/ready_host.sh"), ...args], {
    clearEnv: true,
    env: {
      PATH: join(machine.folder, "bin"),
      TMPDIR: machine.folder,
      NIDO_KVM_DEVICE: kvm,
      NIDO_KVM_RULE: rule,
    },
    ...(isRoot ? { uid: NOBODY, gid: NOBODY } : {}),
  });
  const text = await Deno.readTextFile(rule).catch(() => undefined);
  return { code, said: said.replaceAll(kvm, "KVM"), ...(text === undefined ? {} : { rule: text }) };
}

const SUDO = 'case $1 in -v) exit 0 ;; esac\nexec "$@"';
const RULE = 'KERNEL=="kvm", GROUP="kvm", MODE="0666", OPTIONS+="static_node=kvm"\n';

Deno.test("KVM is opened by a udev rule", async () => {
  const udevadm = 'case $1 in trigger) chmod 0666 "KVM" ;; esac';
  assert.deepEqual(await readyHost({ sudo: SUDO, udevadm, chmod: 'exec /bin/chmod "$@"' }), {
    code: 0,
    said: "KVM can be used\n",
    rule: RULE,
  });
});

Deno.test("where no udev runs, KVM is opened by its mode", async () => {
  assert.deepEqual(await readyHost({ sudo: SUDO }), { code: 0, said: "KVM can be used\n" });
});

Deno.test("without root's rights KVM stays closed, and that is told", async () => {
  const told = "KVM is closed to me: guests are emulated, which is right but slow\n";
  assert.deepEqual(await readyHost({}), { code: 0, said: told });
  const { code, said } = await readyHost({ sudo: "exit 1", udevadm: "" });
  assert.deepEqual([code, said.startsWith(told), /Cannot become root/.test(said)], [0, true, true]);
});

Deno.test("without KVM guests are emulated; for packages alone it isn't looked for", async () => {
  const told = "There is no KVM here: guests are emulated, which is right but slow\n";
  assert.deepEqual(await readyHost({ sudo: SUDO }, { hasKvm: false }), { code: 0, said: told });
  assert.deepEqual(await readyHost({}, { args: ["--packages"] }), { code: 0, said: "" });
});

const HOME_SAYS = 'echo \'{"schemaVersion":1,"command":"system.doctor","status":"ok","data":{}}\'';

/** Tries a release whose binary is a script. */
async function smoke(binary: string, change?: (folder: string) => Promise<void>) {
  let ended: [number, string] = [0, ""];
  await withHome(async (folder) => {
    const names = [binaryName("1.2.3", thisPlatform()), "nido-1.2.3.js"];
    for (const name of names) await Deno.writeTextFile(join(folder, name), binary);
    await writeSums(folder, names);
    await change?.(folder);
    const [code, said] = await sh([join(ROOT, "scripts/ci/smoke.sh"), folder]);
    ended = [code, said.replaceAll(join(folder, names[0]!), "nido")];
  });
  return ended;
}

const GOOD = `#!/bin/sh
case $1 in
  version) echo '{"data":{"version":"1.2.3"}}' ;;
  doctor) ${HOME_SAYS}; exit 1 ;;
  run) echo Linux ;;
esac
`;

Deno.test("a binary that says its version, examines its machine and runs a VM is good", async () => {
  const [code, said] = await smoke(GOOD);
  assert.equal(code, 0, said);
  assert.match(
    said,
    /^ok {6}digests of 2 files\nok {6}version 1\.2\.3\nok {6}doctor\n(ok {6}a command in a VM|skipped a VM: .*)\n$/,
  );
});

Deno.test("a binary that is another version, doesn't start or can't examine is refused", async () => {
  const [code, said] = await smoke(GOOD.replace('"1.2.3"', '"1.2.4"'));
  assert.equal(code, 1);
  assert.match(said, /error: Cannot release nido as 1\.2\.3: it says .*1\.2\.4/);
  assert.match((await smoke("#!/bin/sh\necho no; exit 3\n"))[1], /error: Cannot start nido: no\n$/);
  const [status, told] = await smoke(GOOD.replace("exit 1", "exit 125"));
  assert.deepEqual([status, /Cannot examine .*: status 125: /.test(told)], [1, true]);
});

Deno.test("a file that is not the published one is not tried", async () => {
  const [code, said] = await smoke(
    GOOD,
    (folder) => Deno.writeTextFile(join(folder, "nido-1.2.3.js"), ""),
  );
  assert.equal(code, 1);
  assert.match(
    said,
    /error: Cannot try the release in .*: its files are not those of SHA256SUMS\n$/,
  );
});

/** release_notes.sh in a project with this changelog. */
async function notes(tag: string, changelog: string): Promise<[number, string]> {
  let ended: [number, string] = [0, ""];
  await withHome(async (folder) => {
    for (const path of ["scripts/ci/release_notes.sh", "scripts/setup/say.sh", "deno.json"]) {
      await Deno.mkdir(join(folder, path, ".."), { recursive: true });
      await Deno.copyFile(join(ROOT, path), join(folder, path));
    }
    await Deno.writeTextFile(join(folder, "CHANGELOG.md"), changelog);
    ended = await sh([join(folder, "scripts/ci/release_notes.sh"), tag]);
  });
  return ended;
}

const { version } = manifest;

Deno.test("a release's notes are what the changelog tells of its version", async () => {
  const changelog = `# Changelog\n\n## [9.9.9] - 2031-01-01\n\nLater.\n\n` +
    `## [${version}] - 2030-01-01\n\n### Added\n\n- [A link](x)\n\n## [0.0.1] - 2029-01-01\n\n` +
    `Old.\n\n[0.0.1]: https://images.example\n`;
  const told = "\n### Added\n\n- [A link](x)\n";
  assert.deepEqual(await notes(`v${version}`, changelog), [0, told]);
  assert.deepEqual(
    await notes(`v${version}`, changelog.replace(/\n## \[0\.0\.1\][^]*Old\.\n/, "")),
    [0, told],
  );
});

Deno.test("a tag of another version, and a version without a date, are not released", async () => {
  const dated = `## [${version}] - 2030-01-01\n\nNew.\n`;
  assert.deepEqual(await notes("v0.0.0", dated), [
    1,
    `error: Cannot release v0.0.0: deno.json says that this is ${version}\n`,
  ]);
  const undated = await Deno.readTextFile(join(ROOT, "CHANGELOG.md"));
  assert.deepEqual(
    await notes(`v${version}`, undated.replaceAll(/\d{4}-\d\d-\d\d$/gm, "unreleased")),
    [
      1,
      `error: Cannot release v${version}: CHANGELOG.md has no "## [${version}] - YYYY-MM-DD"\n`,
    ],
  );
});
