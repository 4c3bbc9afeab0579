// Preloaded before main.ts: ends this process with SIGKILL just before its KILL_AT-th step that
// touches the world outside, so that a test can stop a command at every boundary; or interrupts it,
// as Ctrl-C does, before the step that INTERRUPT_AT matches.
import { ChildProcess } from "node:child_process";
import fs from "node:fs";

const killAt = Number(Deno.env.get("KILL_AT") ?? 0);
const killAtChmod = Deno.env.get("KILL_AT_CHMOD") || "never";
const named = Deno.env.get("INTERRUPT_AT");
const interruptAt = named ? new RegExp(`^${named}`) : undefined;
let isInterrupted = false;
const trace = Deno.env.get("KILL_TRACE") === "1";
let steps = 0;

function step(what: string): void {
  steps++;
  if (trace) fs.writeSync(2, `step ${steps} ${what}\n`);
  if (interruptAt?.test(what) && !isInterrupted) {
    isInterrupted = true;
    fs.writeSync(2, `interrupted before step ${steps} ${what}\n`);
    Deno.kill(Deno.pid, "SIGINT");
  }
  if (steps === killAt || (what.startsWith("chmod") && what.endsWith(killAtChmod))) {
    fs.writeSync(2, `killed before step ${steps} ${what}\n`);
    Deno.kill(Deno.pid, "SIGKILL");
  }
}

// deno-lint-ignore no-explicit-any
function wrap(owner: any, name: string, label = name): void {
  const original = owner[name];
  owner[name] = function (...args: unknown[]) {
    step(`${label} ${typeof args[0] === "string" ? args[0] : ""}`);
    return original.apply(this, args);
  };
}

const calls = ["rename", "mkdir", "open", "writeFile", "writeTextFile", "remove", "truncate"];
for (const name of [...calls, "chmod", "copyFile", "link"]) wrap(Deno, name);
for (const name of ["write", "truncate", "sync", "syncData", "tryLock", "close"]) {
  wrap(Deno.FsFile.prototype, name, `file.${name}`);
}
wrap(ChildProcess.prototype, "spawn", "child.spawn");
wrap(ChildProcess.prototype, "unref", "child.unref");

const connect = Deno.connect as (options: unknown) => Promise<Deno.Conn>;
Deno.connect = (async (options: unknown) => {
  const connection = await connect(options);
  step("connected");
  wrap(connection, "write", "connection.write");
  return connection;
}) as unknown as typeof Deno.connect;

const { Command } = Deno;
Deno.Command = class extends Command {
  constructor(program: string | URL, options?: Deno.CommandOptions) {
    const args = (options?.args ?? []).slice(0, 2).join(" ");
    step(`run ${program} ${args}`);
    super(program, options);
  }
};
