import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { takeLock } from "../../../lib/store/lock.ts";
import { startNido } from "../../helpers/command.ts";
import { echoAfter, FLOOD } from "../../helpers/boot_sector.ts";
import { eventually, type Nest, nest } from "../../helpers/nest.ts";

const LIMIT = 3 << 20;

interface Logs {
  text: string;
  lines: number;
}

Deno.test("a guest that floods its console fills neither disk nor memory, and logs show the newest", async () => {
  await using home = await nest();
  await home.importProgram("flood", FLOOD);
  await home.spawn("x", { image: "flood" });
  const memoryBefore = await residentKib(await home.pid("x"));
  await new Promise((resolve) => setTimeout(resolve, 4_000)); // nobody reads meanwhile
  const first = await lastNumber(home);
  assert.ok(first > 10_000, `the guest wrote only ${first} lines: no flood`);
  for (let round = 0; round < 4; round++) {
    await new Promise((resolve) => setTimeout(resolve, 500));
    const size = (await Deno.stat(home.at("x", "consoleLog"))).size;
    assert.ok(size < LIMIT, `console.log holds ${size} bytes`);
    await home.call("vm.logs", { name: "x" });
  }
  const last = await lastNumber(home);
  assert.ok(last > first, `the newest line is ${last}, after ${first}`);
  const grown = await residentKib(await home.pid("x")) - memoryBefore;
  assert.ok(grown < 64 * 1024, `QEMU grew by ${grown} KiB`);
  assert.ok(await folderBytes(`${home.home}/vms/x`) < LIMIT + (1 << 20));
});

Deno.test("what a guest sends to the terminal is kept raw and shown harmless", async () => {
  await using home = await nest();
  const text = "plain\x1b[2J\x1b]0;title\x07 \x1b[31mred\x1b[0m\x08\x00 end\n";
  await home.importProgram("rude", echoAfter(text));
  await home.spawn("x", { image: "rude" });
  let shown = "";
  await eventually("the text arrives", async () => {
    shown = (await home.call<Logs>("vm.logs", { name: "x" })).text;
    return shown.includes("end");
  });
  assert.ok(shown.endsWith("plain red end"), JSON.stringify(shown));
  // deno-lint-ignore no-control-regex
  assert.doesNotMatch(shown, /[\x00-\x08\x0b-\x1f\x7f]/);
  const raw = await Deno.readTextFile(home.at("x", "consoleLog"));
  assert.ok(raw.endsWith(text), "the file lost something");
  const said = await home.nido(["logs", "x"]);
  assert.ok(said.stdout.endsWith("plain red end\n"), JSON.stringify(said.stdout));
});

Deno.test("nido console shows live bytes and types, and gives the ring back", async () => {
  await using home = await nest();
  await home.importProgram("echo", echoAfter("ready\n"));
  await home.spawn("x", { image: "echo" });
  await logsHold(home, "ready");

  const open = await openConsole(home);
  await open.type("hello there\n");
  await open.shows("hello there");
  await open.type("\x1d");
  assert.equal((await open.child.status).code, 0);
  await logsHold(home, "hello there");
  await open.end();

  const killed = await openConsole(home);
  await killed.type("once more\n");
  await killed.shows("once more");
  killed.child.kill("SIGKILL");
  await killed.child.status;
  await killed.end();
  await logsHold(home, "once more");
  await home.call("vm.logs", { name: "x" });

  const again = await openConsole(home);
  await again.type("third\n");
  await again.shows("third");
  const second = await home.nido(["console", "x"]);
  assert.equal(second.code, 7, second.stderr);
  assert.match(second.stderr, /Cannot open the console of VM "x": process \d+ holds it/);
  again.child.kill("SIGINT");
  await again.child.status;
  await again.end();
  await logsHold(home, "third");
});

Deno.test("nothing is shown that the log doesn't hold", async () => {
  await using home = await nest();
  await home.importProgram("echo", echoAfter("ready\n"));
  await home.spawn("x", { image: "echo" });
  await logsHold(home, "ready");
  const open = await openConsole(home);
  const noting = await takeLock(home.context, { what: "console-x", doing: "hold it up" });
  await open.type("late\n");
  await new Promise((resolve) => setTimeout(resolve, 1_000));
  assert.equal(open.shown(), "");
  noting[Symbol.dispose]();
  await open.shows("late");
  open.child.kill("SIGKILL");
  await open.child.status;
  await open.end();
  assert.match(await Deno.readTextFile(home.at("x", "consoleLog")), /late/);
});

Deno.test("a console ends when its machine does", async () => {
  await using home = await nest();
  await home.importProgram("echo", echoAfter("ready\n"));
  await home.spawn("x", { image: "echo" });
  const open = await openConsole(home);
  await open.type("a\n");
  await open.shows("a");
  await home.call("vm.stop", { name: "x", force: true });
  assert.equal((await open.child.status).code, 0);
  await open.end();
  assert.equal((await home.row("x"))?.state, "stopped");
});

async function openConsole(home: Nest) {
  const child = startNido(["console", "x"], { home: home.home });
  const writer = child.stdin.getWriter();
  let text = "";
  const reading = (async () => {
    for await (const chunk of child.stdout) text += new TextDecoder().decode(chunk);
  })();
  let told = "";
  const listening = (async () => {
    for await (const chunk of child.stderr) told += new TextDecoder().decode(chunk);
  })();
  // deno-lint-ignore require-await
  await eventually("the console opens", async () => told.includes("Ctrl-]"));
  return {
    child,
    shown: () => text,
    type: (keys: string) => writer.write(new TextEncoder().encode(keys)),
    // deno-lint-ignore require-await
    shows: (what: string) => eventually(`it shows ${what}`, async () => text.includes(what)),
    end: async () => {
      await writer.close().catch(() => {});
      await Promise.all([reading, listening]);
    },
  };
}

async function logsHold(home: Nest, what: string): Promise<void> {
  await eventually(
    `logs hold ${what}`,
    async () => (await home.call<Logs>("vm.logs", { name: "x" })).text.includes(what),
  );
}

async function lastNumber(home: Nest): Promise<number> {
  const { text } = await home.call<Logs>("vm.logs", { name: "x" });
  const lines = text.split("\n").filter((line) => /^[0-9a-f]{8}$/.test(line));
  return Number.parseInt(lines.at(-1) ?? "0", 16);
}

async function residentKib(pid: number): Promise<number> {
  const { stdout } = await run("ps", ["-o", "rss=", "-p", String(pid)]);
  return Number(new TextDecoder().decode(stdout));
}

async function folderBytes(folder: string): Promise<number> {
  let bytes = 0;
  for await (const entry of Deno.readDir(folder)) {
    bytes += (await Deno.stat(`${folder}/${entry.name}`)).blocks! * 512;
  }
  return bytes;
}

Deno.test("the logs of all VMs go to a folder, those of broken ones too", async () => {
  await using home = await nest();
  await home.importProgram("echo", echoAfter("hello\n"));
  for (const name of ["x", "y"]) await home.spawn(name, { image: "echo" });
  await eventually("both have written", async () => {
    const shown = await Promise.all(
      ["x", "y"].map((name) => home.call<Logs>("vm.logs", { name })),
    );
    return shown.every(({ text }) => text.includes("hello"));
  });
  await Deno.writeTextFile(home.at("y", "record"), "{");
  const folder = `${home.home}-logs`;
  try {
    const { code, stdout } = await home.nido(["logs", "--all", "--output", folder]);
    assert.equal(code, 0);
    const files = ["x/console.log", "x/qemu.log", "y/console.log", "y/qemu.log"];
    assert.deepEqual(stdout.trim().split("\n"), files.map((file) => `${folder}/${file}`));
    for (const name of ["x", "y"]) {
      assert.match(await Deno.readTextFile(`${folder}/${name}/console.log`), /hello/);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  await home.call("vm.delete", { names: ["y"], force: true });
  for (const words of [["logs"], ["logs", "x", "--all"], ["logs", "--all"]]) {
    assert.equal((await home.nido(words)).code, 2, words.join(" "));
  }
});
