import { resolve } from "node:path";
import { z } from "zod";
import { load } from "../../lib/cli/run.ts";
import { type Context, makeContext } from "../../lib/context.ts";
import { NidoError } from "../../lib/errors.ts";
import { nearestName } from "../../lib/nearest_name.ts";
import { type Call, effectOf, type Guard, type Operation } from "../../lib/operation.ts";
import { operations } from "../../lib/operations.ts";
import { machinesWanted } from "./starts.ts";

const PRESETS = ["full", "no-delete", "read-only"] as const;
const names = Object.keys(operations);
const IMPORTS = ["image.import", "template.import"];
const DEFAULT_IMAGE = "debian:12";

const policyFields = z.strictObject({
  preset: z.enum(PRESETS).default("full"),
  /** Operations that are refused, such as `vm.fork`. */
  deny: z.array(z.string()).default([]),
  maxVms: z.int().min(0).max(10_000).optional(),
  maxCpus: z.int().min(1).max(256).optional(),
  maxMemoryMib: z.int().min(128).max(4_194_304).optional(),
  maxDiskGib: z.number().min(0.001).max(16_384).optional(),
  /** Images to pull, files to import, images and templates to spawn from; `*` stands for anything. */
  images: z.array(z.string()).optional(),
  networks: z.array(z.enum(["full", "none"])).min(1).optional(),
});

/** What callers may do. */
export type Policy = z.output<typeof policyFields>;

/** Reads a policy: the name of a preset, or a JSON file. */
export async function readPolicy(given: string): Promise<Policy> {
  const preset = PRESETS.find((preset) => preset === given);
  if (preset) return policyFields.parse({ preset });
  const wrong = (fact: string) =>
    new NidoError("invalid_input", `Cannot read the policy ${given}: ${fact}`, {
      hint: `Give a JSON file or one of ${PRESETS.join(", ")}`,
      details: { nearest: nearestName(given, [...PRESETS]) },
    });
  const path = resolve(given);
  const text = await Deno.readTextFile(path).catch((cause) => {
    throw wrong(cause instanceof Deno.errors.NotFound ? "there is no such file" : cause.message);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw wrong("it is not JSON");
  }
  const parsed = policyFields.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    throw wrong(`${issue!.path.join(".") || "it"}: ${issue!.message}`);
  }
  const stranger = parsed.data.deny.find((name) => !names.includes(name));
  if (stranger) throw wrong(`deny: there is no operation "${stranger}"`);
  return parsed.data;
}

/** Whether a policy may ever let an operation through. */
export function mayEverRun({ preset, deny }: Policy, operation: Operation): boolean {
  if (deny.includes(operation.name)) return false;
  const effect = effectOf(operation);
  return preset === "read-only"
    ? effect === "read"
    : preset !== "no-delete" || effect !== "destroy";
}

/** Refuses what a policy doesn't allow, and names what the caller left open, so that it stays so. */
export function policyGuard(policy: Policy, home: string): Guard {
  const context = makeContext(home);
  const underway = new Set<{ names: string[]; unnamed: number }>();
  let turn: Promise<unknown> = Promise.resolve();
  return async (call, go) => {
    const { operation, input } = call;
    const effect = effectOf(operation, input);
    const isRefused = !mayEverRun(policy, operation) ||
      (policy.preset === "read-only" && effect !== "read");
    if (isRefused) throw refused(call, `the policy of this server does not allow it`);
    if (effect === "read") return await go(input);
    const checked = await withinLimits(policy, context, call);
    if (policy.maxVms === undefined || !makesVms(operation)) return await go(checked);
    const limit = policy.maxVms;
    // One at a time: two that look at once would both find room for one.
    const mine = turn.then(async () => {
      const making = await room(limit, context, { operation, input: checked }, underway);
      underway.add(making);
      return making;
    });
    turn = mine.catch(() => {});
    const making = await mine;
    try {
      return await go(checked);
    } finally {
      underway.delete(making);
    }
  };
}

function makesVms({ name, effect }: Operation): boolean {
  return name.startsWith("vm.") && effect === "create";
}

async function withinLimits(policy: Policy, context: Context, call: Call) {
  const { operation, input } = call;
  const has = (key: string) => key in operation.input.shape;
  const known = makesVms(operation) && has("memoryMib") ? await defaults(context, input) : {};
  const checked = { ...input };
  const check = (key: string, limit: number | undefined, unit: string) => {
    if (limit === undefined || !has(key)) return;
    const value = input[key] ?? known[key];
    if (typeof value !== "number") return;
    if (value > limit) throw refused(call, `the policy allows ${limit} ${unit}, not ${value}`);
    if (key !== "diskGib") checked[key] = value; // an image's own size is not one to ask for
  };
  check("cpus", policy.maxCpus, "CPUs");
  check("memoryMib", policy.maxMemoryMib, "MiB of memory");
  check("diskGib", policy.maxDiskGib, "GiB of disk");
  const network = input.network ?? known.network;
  if (policy.networks && has("network") && typeof network === "string") {
    if (!policy.networks.includes(network as "full" | "none")) {
      throw refused(call, `the policy allows the network ${policy.networks.join(" or ")}`);
    }
    checked.network = network;
  }
  const base = input.template ?? input.image ?? known.image;
  if (policy.images) {
    const wanted = has("image") && makesVms(operation)
      ? [base]
      : IMPORTS.includes(operation.name)
      ? [input.file] // what comes by a file could take any name that is allowed
      : input.references;
    const isAllowed = (name: unknown) =>
      typeof name === "string" && policy.images!.some((glob) => matches(glob, name));
    if (Array.isArray(wanted) && !wanted.every(isAllowed)) {
      throw refused(call, `the policy allows the images ${policy.images.join(", ")}`);
    }
  }
  return checked;
}

/** What a spawn takes where its caller says nothing: of the template, of the settings, Nido's own. */
async function defaults(
  context: Context,
  input: Record<string, unknown>,
): Promise<Record<string, unknown>> {
  const ask = async (name: string, input: Record<string, unknown> = {}) =>
    name in operations ? await (await load(name)).call(context, input).catch(() => ({})) : {};
  const { settings = [] } = await ask("config.list") as {
    settings?: { key: string; value: unknown }[];
  };
  const set = Object.fromEntries(settings.map(({ key, value }) => [key, value ?? undefined]));
  const image = input.image ?? set.image ?? DEFAULT_IMAGE;
  const template = typeof input.template === "string"
    ? input.template
    : typeof image === "string"
    ? image
    : undefined;
  const found = template === undefined ? {} : await ask("template.info", { name: template });
  const disk = "diskSizeBytes" in found
    ? found.diskSizeBytes
    : typeof image === "string"
    ? (await ask("image.info", { name: image }) as { virtualSizeBytes?: number }).virtualSizeBytes
    : undefined;
  const known: Record<string, unknown> = { cpus: 2, memoryMib: 1024, network: "full" };
  for (const from of [set, found]) {
    for (const key of ["cpus", "memoryMib", "network", "diskGib"]) {
      known[key] = from[key as never] ?? known[key];
    }
  }
  if (typeof disk === "number") known.diskGib ??= disk / 2 ** 30;
  return { ...known, image };
}

/** Refuses VMs beyond the limit, counting those that are being made at this moment. */
async function room(
  limit: number,
  context: Context,
  call: Call,
  underway: Set<{ names: string[]; unnamed: number }>,
): Promise<{ names: string[]; unnamed: number }> {
  const { name } = call.input;
  const isFork = "count" in call.operation.input.shape;
  const making = isFork || typeof name !== "string"
    ? { names: [], unnamed: machinesWanted(call.input) }
    : { names: [name], unnamed: 0 };
  const { vms } = await (await load("vm.list")).call(context, {}) as { vms: { name: string }[] };
  const named = new Set(vms.map(({ name }) => name));
  let unnamed = making.unnamed;
  for (const other of [...underway, making]) for (const name of other.names) named.add(name);
  for (const other of underway) unnamed += other.unnamed;
  if (named.size + unnamed <= limit) return making;
  throw refused(call, `the policy allows ${limit} VMs, and there are ${vms.length}`, "vm_list");
}

function matches(glob: string, name: string): boolean {
  const parts = glob.split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join(".*")}$`).test(name);
}

function refused({ operation }: Call, fact: string, hint?: string): NidoError {
  return new NidoError("denied", `Cannot run ${operation.name}: ${fact}`, {
    hint: hint ?? "Do without it, or ask the user",
  });
}
