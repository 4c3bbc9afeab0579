import assert from "node:assert/strict";
import { join } from "node:path";
import { makeContext } from "../../../lib/context.ts";
import { load } from "../../../lib/cli/run.ts";
import { type Guard, operation } from "../../../lib/operation.ts";
import { type Policy, readPolicy } from "../../../mcp/guards/policy.ts";
import { startsGuard } from "../../../mcp/guards/starts.ts";
import { workspaceGuard } from "../../../mcp/guards/workspace.ts";
import { makeService } from "../../../mcp/service.ts";
import { z } from "zod";
import { withHome } from "../../helpers/command.ts";
import { nest, refuses } from "../../helpers/nest.ts";
import { connect } from "../../mcp/client.ts";

/** A stand-in for an operation; it gives back what arrived. */
function echo(name: string, shape: z.ZodRawShape, effect: "create" | "change" | "read" = "change") {
  return operation({
    name,
    summary: "Give back what arrived",
    effect,
    input: z.strictObject(shape),
    output: z.strictObject({ got: z.record(z.string(), z.unknown()) }),
    run: (_, got) => Promise.resolve({ got }),
  });
}

Deno.test("guards stand around a call, the first outermost; what they let in is checked again", async () => {
  const told: string[] = [];
  const guard = (name: string): Guard => async ({ input }, go) => {
    told.push(`${name} in`);
    const result = await go({ ...input, count: Number(input.count) + 1 });
    told.push(`${name} out`);
    return result;
  };
  const op = echo("vm.echo", { count: z.int().max(3) });
  const context = makeContext("/nowhere", { guards: [guard("a"), guard("b")] });
  assert.deepEqual(await op.call(context, { count: 1 }), { got: { count: 3 } });
  assert.deepEqual(told, ["a in", "b in", "b out", "a out"]);
  await refuses(
    op.call(context, { count: 2 }),
    "invalid_input",
    "Cannot run vm.echo: count: Too big: expected number to be <=3",
  );
});

Deno.test("paths are kept inside the workspace, whatever links lead out of it", async () => {
  await withHome(async (folder) => {
    const workspace = join(folder, "work");
    await Deno.mkdir(join(workspace, "inner"), { recursive: true });
    await Deno.writeTextFile(join(folder, "secret"), "");
    await Deno.symlink("/etc", join(workspace, "out"));
    await Deno.symlink(join(folder, "not-yet"), join(workspace, "dangling"));
    await Deno.symlink("inner", join(workspace, "in"));
    const upload = await load("vm.upload");
    const guard = workspaceGuard(workspace);
    const arrived = async (source: string) =>
      (await guard(
        { operation: upload, input: { name: "x", source, destination: "/tmp" } },
        (input) => Promise.resolve(input),
      )).source;
    const real = await Deno.realPath(workspace);
    assert.equal(await arrived("."), real);
    assert.equal(await arrived("in/new"), join(real, "inner", "new"));
    assert.equal(await arrived(join(workspace, "a", "b")), join(real, "a", "b"));
    assert.equal(await arrived("..data"), join(real, "..data"));
    for (
      const outside of [
        "..",
        "../secret",
        "/etc/passwd",
        "out/passwd",
        "out/no/such",
        "dangling",
        "inner/../../secret",
        `${workspace}-other`,
      ]
    ) {
      await refuses(
        arrived(outside),
        "denied",
        `Cannot run vm.upload: ${outside} is outside of the workspace`,
      );
    }
  });
});

Deno.test("without a workspace no path of this machine is reached, by an image's name neither", async () => {
  await using made = await nest();
  await using mcp = await connect({ home: made.home });
  for (const image of ["/etc/passwd", "./disk", "../x", "disk.qcow2", "tiny.RAW", "a\\b"]) {
    assert.equal(
      await mcp.error("vm_spawn", { image }),
      `denied: Cannot run vm.spawn with ${image}: this server reaches no files of its host\n` +
        "Hint: Somebody must start it with nido mcp --workspace FOLDER",
    );
  }
  await mcp.data("vm_spawn", { image: "tiny", wait: "none" });
});

Deno.test("a policy is obeyed by every route", async () => {
  await using made = await nest();
  for (const name of ["one", "two"]) await made.spawn(name, { wait: "none" });
  const noDelete = await readPolicy("no-delete");
  await using mcp = await connect({ home: made.home, toolsets: ["all"], policy: noDelete });
  const { tools } = await mcp.client.listTools();
  assert.ok(tools.some(({ name }) => name === "vm_stop"));
  assert.deepEqual(tools.filter(({ annotations }) => annotations?.destructiveHint), []);
  const { callOperation, makeSession } = await import("../../../mcp/service.ts");
  for (const name of ["vm.delete", "vm.prune", "image.remove"]) {
    const input = name === "vm.delete"
      ? { names: ["one"] }
      : name === "vm.prune"
      ? {}
      : { name: "tiny" };
    await refuses(
      callOperation(mcp.service, makeSession(), name, input, { confirmed: true }),
      "denied",
      `Cannot run ${name}: the policy of this server does not allow it`,
    );
  }
  await using reading = await connect({
    home: made.home,
    toolsets: ["all"],
    policy: await readPolicy("read-only"),
  });
  await refuses(
    callOperation(reading.service, makeSession(), "vm.start", { name: "one" }),
    "denied",
    "Cannot run vm.start: the policy of this server does not allow it",
  );
  assert.equal(
    (await reading.client.readResource({ uri: "nido://system/doctor" })).contents.length,
    1,
  );
  assert.equal((await made.list()).length, 2);
});

Deno.test("a policy's limits hold for what is named, what is set and what is left out", async () => {
  await using made = await nest();
  const policy = (more: Partial<Policy>): Policy => ({ preset: "full", deny: [], ...more });
  const error = async (more: Partial<Policy>, input: Record<string, unknown>) => {
    await using mcp = await connect({ home: made.home, policy: policy(more) });
    return (await mcp.error("vm_spawn", { wait: "none", ...input })).split("\n")[0];
  };
  const denied = "denied: Cannot run vm.spawn: the policy allows";
  assert.equal(
    await error({ maxMemoryMib: 256 }, { memoryMib: 512 }),
    `${denied} 256 MiB of memory, not 512`,
  );
  assert.equal(await error({ maxCpus: 1 }, {}), `${denied} 1 CPUs, not 2`);
  assert.equal(await error({ maxDiskGib: 1 }, { diskGib: 2 }), `${denied} 1 GiB of disk, not 2`);
  assert.equal(await error({ networks: ["none"] }, {}), `${denied} the network none`);
  assert.equal(await error({ images: ["debian-*"] }, {}), `${denied} the images debian-*`);
  assert.equal(await error({ maxVms: 0 }, {}), `${denied} 0 VMs, and there are 0`);

  await made.call("config.set", { key: "memory", value: "1024" });
  assert.equal(await error({ maxMemoryMib: 512 }, {}), `${denied} 512 MiB of memory, not 1024`);

  await using mcp = await connect({
    home: made.home,
    policy: policy({
      maxMemoryMib: 1024,
      maxCpus: 2,
      networks: ["full"],
      images: ["t*y"],
      maxVms: 2,
      maxDiskGib: 1,
    }),
  });
  const spawned = await Promise.all(
    Array.from({ length: 4 }, () => mcp.call("vm_spawn", { wait: "none" })),
  );
  assert.equal(spawned.filter(({ isError }) => !isError).length, 2);
  assert.equal((await made.list()).length, 2);
});

Deno.test("a policy file is read closely", async () => {
  await withHome(async (folder) => {
    const path = join(folder, "policy.json");
    const read = async (text: string) => {
      await Deno.writeTextFile(path, text);
      return await readPolicy(path);
    };
    assert.deepEqual(await read('{"deny":["vm.fork"],"maxVms":3}'), {
      preset: "full",
      deny: ["vm.fork"],
      maxVms: 3,
    });
    const wrong = (fact: string) => `Cannot read the policy ${path}: ${fact}`;
    await refuses(read("{"), "invalid_input", wrong("it is not JSON"));
    await refuses(
      read('{"maxVMs":3}'),
      "invalid_input",
      wrong('it: Unrecognized key: "maxVMs"'),
    );
    await refuses(
      read('{"deny":["vm.frok"]}'),
      "invalid_input",
      wrong('deny: there is no operation "vm.frok"'),
    );
  });
});

Deno.test("machines are started only so fast", async () => {
  const guard = startsGuard({ atOnce: 2, perMinute: 3 });
  const spawn = await load("vm.spawn");
  const { promise, resolve } = Promise.withResolvers<void>();
  const start = (input = {}) =>
    guard({ operation: spawn, input }, async () => {
      await promise;
      return {};
    });
  const first = [start(), start()];
  await refuses(start(), "busy", "Cannot run vm.spawn: 2 VMs are being started");
  resolve();
  await Promise.all(first);
  await start();
  await refuses(start(), "busy", "Cannot run vm.spawn: 3 VMs may be started in a minute");
  const list = await load("vm.list");
  await guard({ operation: list, input: {} }, () => Promise.resolve({}));
});

Deno.test("copies count each, whether they are told by number or by name", async () => {
  const fork = await load("vm.fork");
  for (
    const input of [{ count: 3 }, { into: ["a", "b", "c"] }, { count: 1, into: ["a", "b", "c"] }]
  ) {
    const guard = startsGuard({ atOnce: 2, perMinute: 4 });
    const start = () => guard({ operation: fork, input }, () => Promise.resolve({}));
    await start();
    await refuses(start(), "busy", "Cannot run vm.fork: 4 VMs may be started in a minute");

    const slow = startsGuard({ atOnce: 5, perMinute: 100 });
    const { promise, resolve } = Promise.withResolvers<void>();
    const first = slow({ operation: fork, input }, () => promise.then(() => ({})));
    const next = () => slow({ operation: fork, input }, () => Promise.resolve({}));
    await refuses(next(), "busy", "Cannot run vm.fork: 3 VMs are being started");
    resolve();
    await first;
    await next();
  }
});

Deno.test("a server holds every session together to these limits", async () => {
  await using made = await nest();
  const setup = { home: made.home, starts: { atOnce: 1, perMinute: 2 } };
  await using one = await connect(setup);
  await using two = await connect(setup, { service: one.service });
  await one.data("vm_spawn", { wait: "none" });
  await two.data("vm_spawn", { wait: "none" });
  assert.equal(
    await one.error("vm_spawn", { wait: "none" }),
    "busy: Cannot run vm.spawn: 2 VMs may be started in a minute\nHint: Try again in a minute",
  );
});

Deno.test("no tool takes arguments for QEMU", async () => {
  const { tools } = await makeService({ home: "/nowhere", toolsets: ["all"], workspace: "/" });
  const keys = [...tools.values()].flatMap(({ operation }) => Object.keys(operation.input.shape));
  assert.ok(keys.includes("command"));
  assert.deepEqual(keys.filter((key) => /qemu|arg/i.test(key)), []);
});
