import assert from "node:assert/strict";
import { join } from "node:path";
import { z } from "zod";
import { killHostJob } from "../../../lib/host/job/perform.ts";
import { aboutCall } from "../../../lib/host/job/record.ts";
import { field, operation } from "../../../lib/operation.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { nido, type Said } from "../../helpers/command.ts";
import { errorOf, lives, refuses } from "../../helpers/nest.ts";
import { fixture } from "../../image/fixture.ts";
import { smallHome } from "../../helpers/small_home.ts";
import { halfDone, pidOf, type Told, work } from "../../helpers/host_jobs.ts";

const dataOf = (said: Said) => JSON.parse(said.stdout).data as Told;

Deno.test("long work has a process of its own: listed, waited for by two, and its result told to all", async () => {
  await using at = await work();
  const held = await at.holdUp("before");
  const { job, imported } = await at.begin();
  assert.match(job, /^host-[0-9a-f]{6}$/);
  assert.equal((await at.jobs())[0]?.command, `image import ${at.file}`);
  assert.notEqual(await pidOf(at.home, job), Deno.pid);

  assert.equal(
    dataOf(await at.nido(["job", "wait", job, "--timeout", "1", "--json"])).state,
    "running",
  );
  const waits = [
    at.call<Told>("job.wait", { job }),
    at.nido(["job", "wait", job, "--json"]).then(dataOf),
  ];
  held[Symbol.dispose]();
  const result = await imported;
  assert.equal((result.image as { name: string }).name, "tiny");
  for (const told of await Promise.all(waits)) {
    assert.deepEqual([told.state, told.exitCode], ["exited", 0]);
    assert.deepEqual(told.result, JSON.parse(JSON.stringify(result)));
  }
  assert.equal((await at.nido(["job", "wait", job])).stdout, `${job} exited with 0\n`);
  const said = await at.nido(["job", "output", job]);
  assert.match(said.stdout, /^Imported: image tiny \(1 MiB, .*\)\ncopy: Reading .*\n/);
  assert.match((await at.nido(["job", "list"])).stdout, new RegExp(`${job} +exited`));
});

Deno.test("what fails tells its error: to the caller, and to who waits", async () => {
  await using at = await work();
  const file = at.at("none.raw");
  const message = `Cannot import ${file}: no such file`;
  await refuses(at.call("image.import", { file }), "not_found", message);
  const [{ job }] = await at.jobs() as [Told];
  const told = await at.call<Told>("job.wait", { job });
  assert.deepEqual([told.state, told.exitCode, told.error?.message], ["exited", 3, message]);
  const { stdout, stderr } = await at.call<Record<string, { text: string; isComplete: boolean }>>(
    "job.output",
    { job, stderrOffset: -9 },
  );
  assert.deepEqual([stdout!.text, stderr!.text], ["", "uch file\n"]);
  assert.deepEqual([stdout!.isComplete, stderr!.isComplete], [true, true]);
});

Deno.test("a job that is ended cleans up, and ending it again does nothing", async () => {
  await using at = await work();
  using _held = await at.holdUp("half done");
  const { job, imported } = await at.begin();
  await halfDone(at);
  const killed = dataOf(await at.nido(["job", "kill", job, "--json"]));
  assert.deepEqual(
    [killed.state, killed.exitCode, (killed as unknown as { wasAlive: boolean }).wasAlive],
    ["killed", 130, true],
  );
  await refuses(imported, "cancelled", "image.import was interrupted");
  await at.assertNothing();
  const again = await at.call<Record<string, unknown>>("job.kill", { job });
  assert.deepEqual([again.state, again.wasAlive], ["killed", false]);
});

Deno.test("an interrupt of who began it ends the job; one of who joined it doesn't", async () => {
  await using at = await work();
  using _held = await at.holdUp("half done");
  const first = new AbortController();
  const { job, imported } = await at.begin(first.signal);
  await halfDone(at);
  const second = new AbortController();
  const joined = await at.begin(second.signal);
  assert.equal(joined.job, job);
  second.abort(new DOMException("enough", "AbortError"));
  await refuses(joined.imported, "cancelled", "image.import was interrupted");
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["running"]);

  first.abort(new DOMException("enough", "AbortError"));
  await refuses(imported, "cancelled", "image.import was interrupted");
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["killed"]);
  await at.assertNothing();
});

Deno.test("a job whose process was killed is lost", async () => {
  await using at = await work();
  using _held = await at.holdUp("before");
  const { job, imported } = await at.begin();
  const pid = await pidOf(at.home, job);
  Deno.kill(pid, "SIGKILL");
  await refuses(
    imported,
    "unavailable",
    `How job ${job} ended is not known: its process was killed`,
  );
  const told = await at.call<Told>("job.wait", { job });
  assert.deepEqual([told.state, told.exitCode, told.result], ["lost", undefined, undefined]);
  assert.equal((await at.call<{ wasAlive: boolean }>("job.kill", { job })).wasAlive, false);
});

Deno.test("a job that doesn't heed is killed, and told so", async () => {
  await using at = await work();
  using _held = await at.holdUp("before");
  const { job, imported } = await at.begin();
  const pid = await pidOf(at.home, job);
  Deno.kill(pid, "SIGSTOP");
  const killed = await killHostJob(at.context, job, 1000);
  assert.equal(killed?.wasAlive, true);
  const told = await at.call<Told>("job.wait", { job });
  const error = await imported.catch((error) => error);
  assert.deepEqual([told.state, told.error?.message], [
    "killed",
    "image.import was ended by force",
  ]);
  assert.match(error.code, /^(cancelled|unavailable)$/);
  assert.equal(await lives(pid), false);
});

Deno.test("ids that are none, and those of no job", async () => {
  await using at = await work();
  const wrong =
    "a job's id is its VM's name or host, and six hexadecimal digits: web.3f2a9c, host-3f2a9c";
  for (const name of ["job.wait", "job.output", "job.kill"]) {
    for (
      const job of ["../x", "host-3f2a9c/../x", "host-3f2a9", "host-3F2A9C", "web.3f2a9c\n", ""]
    ) {
      await refuses(at.call(name, { job }), "invalid_input", `Cannot run ${name}: job: ${wrong}`);
    }
    const error = await refuses(
      at.call(name, { job: "host-000000" }),
      "not_found",
      'No job "host-000000" of this host',
    );
    assert.equal(error.hint, "nido job list");
  }
  await at.call("image.import", { file: at.file, name: "tiny" });
  const [{ job }] = await at.jobs() as [Told];
  const near = `${job.slice(0, -1)}${job.endsWith("0") ? "1" : "0"}`;
  const error = await refuses(
    at.call("job.wait", { job: near }),
    "not_found",
    `No job "${near}" of this host; the nearest is "${job}"`,
  );
  assert.equal(error.hint, `nido job wait ${job}`);
});

Deno.test("of the jobs that ended the newest ten are kept; records are private", async () => {
  await using at = await work();
  const old = Array.from({ length: 13 }, (_, index) => `host-0000${index + 10}`);
  for (const [index, id] of old.entries()) {
    await Deno.mkdir(files.job(at.home, id));
    const record = {
      schemaVersion: 1,
      pid: 2,
      operation: "image.import",
      command: "image import a.raw",
      digest: "",
      startedAt: `2026-01-01T00:00:${index + 10}.000Z`,
    };
    await Deno.writeTextFile(join(files.job(at.home, id), "job.json"), JSON.stringify(record));
  }
  await at.call("image.import", { file: at.file, name: "tiny" });
  const [newest, ...kept] = (await at.jobs()).map(({ job }) => job);
  assert.deepEqual(kept, old.slice(3).reverse());
  const folder = files.job(at.home, newest!);
  assert.equal((await Deno.stat(folder)).mode! & 0o777, 0o700);
  assert.deepEqual(await namesIn(folder), ["job.json", "lock", "outcome.json", "stderr", "stdout"]);
  for (const name of await namesIn(folder)) {
    assert.equal((await Deno.stat(join(folder, name))).mode! & 0o777, 0o600, name);
  }
});

Deno.test("a record that can't be read hides no other, and keeps no work from beginning", async () => {
  await using at = await work();
  await Deno.mkdir(files.job(at.home, "host-0bad00"));
  await Deno.writeTextFile(join(files.job(at.home, "host-0bad00"), "job.json"), "{");
  await at.call("image.import", { file: at.file, name: "tiny" });
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["exited"]);
});

Deno.test("a record tells what a job does, and nothing of contents and secrets", async () => {
  const text = () => z.string().describe("x");
  const made = operation({
    name: "sample.long",
    summary: "A sample",
    effect: "read",
    long: true,
    input: z.strictObject({
      name: text(),
      note: field("content", text()),
      key: field("secret", text()),
    }),
    output: z.strictObject({}),
    positional: ["name", "note", "key"],
    run: () => Promise.resolve({}),
  });
  const input = { name: "web", note: "whispered", key: "hunter2" };
  const { command } = await aboutCall({ operation: made, input });
  assert.equal(command, "sample long web");
});

Deno.test("a process whose order doesn't come whole does nothing", async () => {
  await using at = await work();
  const order = JSON.stringify({
    operation: "image.import",
    input: { file: at.file },
    surface: "mcp",
  });
  const id = "host-3f2a9c";
  for (
    const [words, stdin, fact] of [
      [[id], order.slice(0, -1), "what is to be done did not come whole"],
      [[id], "", "what is to be done did not come whole"],
      [["../x"], order, "a host job's id is needed"],
      [[], order, "a host job's id is needed"],
      [
        [id],
        '{"operation":"vm.list","input":{},"surface":"cli"}',
        "vm.list is no work for a host job",
      ],
      [
        [id],
        '{"operation":"constructor","input":{},"surface":"cli"}',
        "constructor is no work for a host job",
      ],
    ] as const
  ) {
    const said = await nido(["perform", ...words, "--json"], { home: at.home, stdin });
    assert.deepEqual([said.code, errorOf(said).message], [2, `Cannot perform: ${fact}`]);
  }
  assert.deepEqual(await namesIn(files.jobs(at.home)), []);
});

Deno.test("a job whose process can't begin says why", async () => {
  await using at = await work();
  await Deno.remove(files.jobs(at.home), { recursive: true });
  await Deno.writeTextFile(files.jobs(at.home), "in the way");
  const error = await at.call("image.import", { file: at.file }).catch((error) => error);
  assert.deepEqual([error.code, /a file is in its place/.test(error.message)], ["denied", true]);
});

Deno.test("on a full disk a job's outcome waits for room", async () => {
  await using around = await fixture();
  await using small = await smallHome(around.at("small"));
  if (!small) return;
  await using at = await work(around.at("small"));
  const held = await at.holdUp("before");
  const { job, imported } = await at.begin();
  const filler = join(at.home, "filler");
  fill(filler);
  held[Symbol.dispose]();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["running"]);
  await Deno.remove(filler);
  await refuses(
    imported,
    "exhausted",
    `Cannot import ${at.file}: it needs 1 MiB and 2 MiB to spare, and ${at.home} has 0 B free`,
  );
  assert.equal((await at.call<Told>("job.wait", { job })).state, "exited");
});

function fill(path: string): void {
  using file = Deno.openSync(path, { write: true, create: true });
  try {
    for (;;) file.writeSync(new Uint8Array(4096));
  } catch {
    // full, as it should be
  }
}
