import assert from "node:assert/strict";
import { run } from "../../../lib/host/process.ts";
import { files } from "../../../lib/store/files.ts";
import { namesIn } from "../../../lib/store/record.ts";
import { startNido } from "../../helpers/command.ts";
import { eventually, leftovers, lives, machinesOf, nest } from "../../helpers/nest.ts";
import { halfDone, pidOf, type Told, type Work, work } from "../../helpers/host_jobs.ts";
import { withTemplate } from "../../template/fixture.ts";
import { connect, type Connected } from "../../mcp/client.ts";

interface Late {
  job?: string;
  pending?: boolean;
  hint?: string;
  stage?: string;
  image?: { name: string };
  reused?: boolean;
}

const INPUT = { file: "./disk.raw", name: "tiny" };

/** A client of a server that doesn't wait for long. */
async function impatient({ home, folder }: Work): Promise<Connected> {
  return await connect({ home, workspace: folder, toolsets: ["all"], answerWithinMs: 1000 });
}

/** Imports until the answer names a job; on a busy host that may be the second one. */
async function late(mcp: Connected): Promise<Late> {
  let answer: Late = {};
  await eventually("a job is told", async () => {
    answer = await mcp.data<Late>("image_import", INPUT);
    return answer.job !== undefined;
  });
  return answer;
}

Deno.test("a call that ends in time gives its result, by a process of its own", async () => {
  await using at = await work();
  await using mcp = await connect({ home: at.home, workspace: at.folder, toolsets: ["image"] });
  const held = await at.holdUp("half done");
  const told: string[] = [];
  const onprogress = ({ message = "" }) => {
    told.push(message);
    held[Symbol.dispose]();
  };
  const { structuredContent } = await mcp.client.callTool(
    { name: "image_import", arguments: INPUT },
    undefined,
    { onprogress },
  ) as { structuredContent: Late };
  assert.equal(structuredContent.image?.name, "tiny");
  assert.equal(structuredContent.pending, undefined);
  assert.match(told.join("\n"), /^(begin|copy|convert): /m);
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["exited"]);
  assert.match(
    await mcp.error("image_import", { file: "./none.raw" }),
    /^not_found: .*: no such file/,
  );
});

Deno.test("a late call names its job; the same call again joins it, and job_wait gives the result", async () => {
  await using at = await work();
  await using mcp = await impatient(at);
  const held = await at.holdUp("half done");
  const { job, stage, ...rest } = await late(mcp);
  assert.deepEqual(rest, {
    pending: true,
    hint: `job_wait {"job":"${job}"} until it has ended`,
  });
  assert.match(stage!, /^[a-z]+: ./);
  assert.equal((await late(mcp)).job, job);
  await using other = await impatient(at);
  assert.equal((await late(other)).job, job);
  assert.equal((await at.jobs()).length, 1);
  await eventually("who waits in vain is told how to go on", async () => {
    const { pending, hint } = await other.data<Late>("job_wait", { job });
    assert.equal(pending, true);
    return hint === rest.hint; // another one where a second was too short to look at the job
  });

  held[Symbol.dispose]();
  let told: Told & Late = await mcp.data("job_wait", { job });
  while (told.pending) told = await mcp.data("job_wait", { job });
  assert.deepEqual([told.state, told.exitCode], ["exited", 0]);
  assert.deepEqual([(told.result as Late).image?.name, told.result?.reused], ["tiny", false]);
  let anew: Late = {};
  await eventually("it is called anew", async () => {
    anew = await mcp.data<Late>("image_import", INPUT);
    return !anew.pending;
  });
  assert.equal(anew.reused, true);
});

Deno.test("a failed job's hint is a call", async () => {
  await using at = await work();
  await using mcp = await impatient(at);
  await at.call("image.import", { file: at.file, name: "tiny" });
  await at.call("image.import", { file: at.file, name: "tiny", user: "wren" }).catch(() => {});
  const failed = (await at.jobs()).find(({ error }) => error);
  const told = await mcp.data<Told>("job_wait", { job: failed!.job });
  assert.equal(told.error?.code, "already_exists");
  assert.match(told.error?.hint ?? "", /^image_import \{.*"force":true.*\}$/);
});

Deno.test("a read that takes long is done by a job, too", async () => {
  await using at = await withTemplate();
  await using mcp = await connect({ home: at.home, toolsets: ["template", "job"] });
  const { digest } = await mcp.data<{ digest: string }>("template_verify", { name: "web" });
  assert.equal(digest, at.template.digest);
  const { jobs } = await mcp.data<{ jobs: Told[] }>("job_list");
  assert.deepEqual(jobs.map(({ command }) => command), ["template verify web"]);
  await using reader = await connect({ home: at.home, toolsets: ["template"], readOnly: true });
  await reader.data("template_verify", { name: "web" });
  assert.equal((await namesIn(files.jobs(at.home))).length, 1, "a read-only server left a record");
});

Deno.test("a client that cancels ends the job, and nothing of it is left", async () => {
  await using at = await work();
  using _held = await at.holdUp("half done");
  await using mcp = await connect({ home: at.home, workspace: at.folder, toolsets: ["image"] });
  const controller = new AbortController();
  const call = mcp.client.callTool(
    { name: "image_import", arguments: INPUT },
    undefined,
    { signal: controller.signal },
  ).catch(() => {});
  await halfDone(at);
  controller.abort("enough");
  await call;
  await mcp.service.unfinished.settled();
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["killed"]);
  await at.assertNothing();
});

Deno.test("a job that boots a copy is ended from elsewhere: no machine, no template, the VM as it was", async () => {
  await using made = await nest();
  await made.spawn("web", { wait: "none" });
  await using mcp = await connect({ home: made.home, toolsets: ["template"] });
  const call = mcp.error("template_create", { vm: "web", name: "base" });
  await eventually("a copy boots", async () => (await machinesOf(made.home)).size > 0);
  const { jobs: [running] } = await made.call<{ jobs: Told[] }>("job.list");
  assert.equal(running?.command, "template create web base");
  const killed = await made.call<Told>("job.kill", { job: running!.job });
  assert.deepEqual([killed.state, killed.exitCode], ["killed", 130]);
  assert.match(await call, /^cancelled: template\.create was interrupted/);
  assert.deepEqual(await leftovers(made.home), ["VM web"]);
  assert.deepEqual(await namesIn(files.templates(made.home)), []);
  assert.deepEqual(await namesIn(files.incubators(made.home)), []);
});

Deno.test("the server is killed in the middle: the work ends by itself, and anybody gets its result", async () => {
  await using at = await work();
  const held = await at.holdUp("half done");
  const server = startNido(["mcp", "--workspace", at.folder, "--toolsets", "image"], {
    home: at.home,
  });
  const writer = server.stdin.getWriter();
  const say = (message: Record<string, unknown>) =>
    writer.write(new TextEncoder().encode(`${JSON.stringify({ jsonrpc: "2.0", ...message })}\n`));
  const clientInfo = { name: "raw", version: "1" };
  const params = { protocolVersion: "2025-11-25", capabilities: {}, clientInfo };
  await say({ id: 1, method: "initialize", params });
  await say({ method: "notifications/initialized" });
  await say({ id: 2, method: "tools/call", params: { name: "image_import", arguments: INPUT } });
  await halfDone(at);
  server.kill("SIGKILL");
  await Promise.all([server.status, server.stdout.cancel(), server.stderr.cancel()]);
  await writer.abort().catch(() => {});

  const [{ job, state }] = await at.jobs() as [Told];
  assert.equal(state, "running");
  const pid = await pidOf(at.home, job);
  const { stdout } = await run("ps", ["-o", "sid=", "-p", String(pid)]);
  assert.equal(Number(new TextDecoder().decode(stdout)), pid, "it leads a session of its own");
  Deno.kill(pid, "SIGHUP");
  held[Symbol.dispose]();
  const said = JSON.parse((await at.nido(["job", "wait", job, "--json"])).stdout).data as Told;
  assert.deepEqual([said.state, (said.result as Late).image?.name], ["exited", "tiny"]);
  await eventually("its process has ended", async () => !await lives(pid));
});

Deno.test("a client that goes before it was answered takes its job with it, one that was doesn't", async () => {
  await using at = await work();
  const held = await at.holdUp("half done");
  const mcp = await impatient(at);
  const { job } = await late(mcp);
  await mcp[Symbol.asyncDispose]();
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["running"]);
  held[Symbol.dispose]();
  assert.equal((await at.call<Told>("job.wait", { job })).state, "exited");
  await at.call("image.remove", { name: "tiny" });

  using _again = await at.holdUp("half done");
  const other = await connect({ home: at.home, workspace: at.folder, toolsets: ["image"] });
  const call = other.call("image_import", INPUT).catch(() => {});
  await halfDone(at);
  await other[Symbol.asyncDispose]();
  await call;
  assert.deepEqual((await at.jobs()).map(({ state }) => state), ["killed", "exited"]);
  await at.assertNothing();
});

Deno.test({
  name: "without the permission to run itself, a server does long work in its own process",
  permissions: {
    run: ["qemu-img", "ps", "kill"],
    read: true,
    write: true,
    env: true,
    sys: true,
    net: true,
  },
  fn: async () => {
    await using at = await work();
    await using mcp = await impatient(at);
    const held = await at.holdUp("half done");
    const first = await mcp.data<Late>("image_import", INPUT);
    assert.deepEqual([first.pending, first.job], [true, undefined]);
    assert.match(first.hint!, /^image_import with the same arguments: it goes on/);
    held[Symbol.dispose]();
    await eventually(
      "it is done",
      async () => (await mcp.data<Late>("image_import", INPUT)).image?.name === "tiny",
    );
    assert.deepEqual(await namesIn(files.jobs(at.home)), []);
  },
});
