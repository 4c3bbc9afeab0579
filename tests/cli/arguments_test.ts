import assert from "node:assert/strict";
import { join } from "node:path";
import { parseArguments } from "../../lib/cli/arguments.ts";
import { NidoError } from "../../lib/errors.ts";
import { command, sample } from "../helpers/sample_operations.ts";
import { withHome } from "../helpers/command.ts";

async function input(argv: string[], operation = sample) {
  return (await parseArguments(operation, argv)).input;
}

async function refuses(argv: string[], message: string, operation = sample) {
  const hint = `nido ${operation.name.slice(3)} --help`;
  await assert.rejects(parseArguments(operation, argv), (error) => {
    assert.ok(error instanceof NidoError);
    assert.deepEqual([error.code, error.message, error.hint], ["invalid_input", message, hint]);
    return true;
  });
}

Deno.test("only what was typed is passed on", async () => {
  assert.deepEqual(await input([]), {});
  assert.deepEqual(await input(["dev"]), { name: "dev" });
  assert.deepEqual(await input(["--force"]), { force: true });
  assert.deepEqual(await input(["-f", "dev"]), { force: true, name: "dev" });
  assert.deepEqual(await input(["--no-cache"]), { cache: false });
});

Deno.test("a position that may be left out can be given by a flag, and not by both", async () => {
  assert.deepEqual(await input(["--name", "dev"]), { name: "dev" });
  await refuses(
    ["dev", "--name", "dev"],
    `Cannot run ${sample.name}: NAME and --name say the same`,
  );
});

Deno.test("sizes and times are read into the key's unit", async () => {
  const sizes: [string, number][] = [["512M", 512], ["1G", 1024], ["1.5GiB", 1536], ["1024", 1024]];
  for (const [typed, memoryMib] of sizes) {
    assert.deepEqual(await input(["--memory", typed]), { memoryMib });
  }
  assert.deepEqual(await input(["--disk=20G"]), { diskGib: 20 });
  assert.deepEqual(await input(["--disk", "1t"]), { diskGib: 1024 });
  for (
    const [typed, timeoutSeconds] of [["30s", 30], ["5m", 300], ["1h", 3600], ["7", 7]] as const
  ) {
    assert.deepEqual(await input(["--timeout", typed]), { timeoutSeconds });
  }
});

Deno.test("a bad quantity says what is accepted", async () => {
  await refuses(
    ["--memory", "lots"],
    'Cannot run vm.sample: --memory: expected a size such as 512M or 2G (a bare number is MiB), got "lots"',
  );
  await refuses(
    ["--timeout", "5G"],
    'Cannot run vm.sample: --timeout: expected a time such as 30s, 5m or 1h (a bare number is seconds), got "5G"',
  );
  await refuses(["--cpus", "two"], 'Cannot run vm.sample: --cpus: expected a number, got "two"');
  await refuses(["--cpus", ""], 'Cannot run vm.sample: --cpus: expected a number, got ""');
});

Deno.test("lists and maps are repeated flags with a singular name", async () => {
  assert.deepEqual(await input(["--port", "80", "--port", "web:8080"]), {
    ports: ["80", "web:8080"],
  });
  assert.deepEqual(await input(["--label", "a=1", "--label", "b=x=y", "--label", "c="]), {
    labels: { a: "1", b: "x=y", c: "" },
  });
  await refuses(["--label", "a"], 'Cannot run vm.sample: --label: expected KEY=VALUE, got "a"');
  await refuses(["--label", "=1"], 'Cannot run vm.sample: --label: expected KEY=VALUE, got "=1"');
});

Deno.test("a choice outside the list names the list", async () => {
  assert.deepEqual(await input(["--wait", "none"]), { wait: "none" });
  await refuses(
    ["--wait", "long"],
    'Cannot run vm.sample: --wait: expected none, running or ready, got "long"',
  );
});

Deno.test("content is read from the named file", async () => {
  await withHome(async (folder) => {
    const [one, two] = [join(folder, "one"), join(folder, "two")];
    await Deno.writeTextFile(one, "#cloud-config\n");
    await Deno.writeTextFile(two, "ssh-ed25519 AAAA\n");
    assert.deepEqual(await input(["--user-data", one, "--ssh-key", one, "--ssh-key", two]), {
      userData: "#cloud-config\n",
      sshKeys: ["#cloud-config\n", "ssh-ed25519 AAAA\n"],
    });
    const absent = join(folder, "absent");
    await refuses(
      ["--user-data", absent],
      `Cannot run vm.sample: --user-data: can't read ${absent}: there is no such file`,
    );
    await refuses(
      ["--user-data", folder],
      `Cannot run vm.sample: --user-data: can't read ${folder}: it is a folder`,
    );
  });
});

Deno.test("unknown flags, missing values and arguments too many are refused", async () => {
  await refuses(
    ["--memmory", "1G"],
    "Cannot run vm.sample: unknown option --memmory (did you mean --memory?)",
  );
  await refuses(["--memory"], "Cannot run vm.sample: option --memory <SIZE> argument missing");
  await refuses(["a", "b"], "Cannot run vm.sample: one argument too many: b");
  await refuses([], "Cannot run vm.command: NAME is missing", command);
  await refuses(["dev"], "Cannot run vm.command: COMMAND is missing", command);
});

Deno.test("a command to run arrives untouched, wherever the flags of Nido stand", async () => {
  const ls = { name: "dev", command: ["ls", "-la"] };
  const lines: [string[], Record<string, unknown>][] = [
    [["dev", "--", "ls", "-la"], ls],
    [["dev", "ls", "-la"], ls],
    [["--timeout", "5s", "dev", "ls", "-la"], { ...ls, timeoutSeconds: 5 }],
    [["dev", "--timeout", "5s", "--", "ls", "-la"], { ...ls, timeoutSeconds: 5 }],
    [["dev", "--timeout=5s", "ls", "-la"], { ...ls, timeoutSeconds: 5 }],
    [["-u", "bob", "-t", "dev", "ls", "-la"], { ...ls, user: "bob", terminal: true }],
    [["-tu", "bob", "dev", "ls", "-la"], { ...ls, user: "bob", terminal: true }],
    [["-ubob", "dev", "ls", "-la"], { ...ls, user: "bob" }],
    [["--", "dev", "ls", "-la"], ls],
    [["dev", "ls", "--", "-u"], { name: "dev", command: ["ls", "--", "-u"] }],
    [["dev", "--", "--timeout", "5s"], { name: "dev", command: ["--timeout", "5s"] }],
    [["dev", "--", "--help"], { name: "dev", command: ["--help"] }],
    [["dev", "--", "--json", "-u", "ls"], { name: "dev", command: ["--json", "-u", "ls"] }],
    [["dev", "--", "--", "x"], { name: "dev", command: ["--", "x"] }],
    [["dev", "--", "printf", "%s\\n", "a b", "$HOME", ""], {
      name: "dev",
      command: ["printf", "%s\\n", "a b", "$HOME", ""],
    }],
    [["dev", "ls", "--json", "--help"], { name: "dev", command: ["ls", "--json", "--help"] }],
  ];
  for (const [argv, expected] of lines) {
    const parsed = await parseArguments(command, argv);
    assert.deepEqual(parsed.input, expected, argv.join(" "));
    assert.deepEqual([parsed.json, parsed.help], [false, false], argv.join(" "));
  }
  assert.equal((await parseArguments(command, ["--json", "dev", "ls"])).json, true);
  assert.equal((await parseArguments(command, ["dev", "--help"])).help, true);
});
