import { toNidoError } from "../lib/errors.ts";
import { type Context, makeContext } from "../lib/context.ts";
import { load } from "../lib/cli/run.ts";
import { IdleConnections } from "../lib/idle_connections.ts";
import { perform } from "../lib/host/job/perform.ts";
import { mayStartItself } from "../lib/host/process.ts";
import type { Guard } from "../lib/operation.ts";
import { nounOf } from "../lib/cli/words.ts";
import { operations } from "../lib/operations.ts";
import { openHome } from "../lib/store/home_version.ts";
import { auditOf } from "./guards/audit.ts";
import { type Ask, confirmGuard } from "./guards/confirm.ts";
import { labelGuard, SESSION_LABEL } from "./guards/label.ts";
import { mayEverRun, type Policy, policyGuard } from "./guards/policy.ts";
import { type StartLimits, startsGuard } from "./guards/starts.ts";
import { workspaceGuard } from "./guards/workspace.ts";
import { offeredTools, type Tool } from "./tools.ts";
import type { Choice } from "./toolsets.ts";
import { Unfinished } from "./unfinished.ts";

/** How a server is set up. */
export interface Setup extends Choice {
  home: string;
  readOnly?: boolean;
  workspace?: string;
  policy?: Policy;
  /** Deletes a session's VMs when it ends. */
  ephemeral?: boolean;
  starts?: StartLimits;
  /** After how long a call answers, done or not. */
  answerWithinMs?: number;
}

/** What all sessions of one server process share. */
export interface Service {
  setup: Setup;
  tools: Map<string, Tool>;
  unfinished: Unfinished;
  guards: Guard[];
  /** Connections to guests that calls leave to each other. */
  idle: IdleConnections;
  /** How long work is done that is to outlive this process, where it may start another one and keep records. */
  perform?: Context["perform"];
}

/** One client's stay. It holds nothing that the client needs: VMs are known by their names. */
export interface Session {
  label: string;
}

/** What one call brings besides its input. */
export interface CallParts {
  confirmed?: boolean;
  ask?: Ask;
  signal?: AbortSignal;
  report?: Context["report"];
}

/** Hosts end a call after about 60 s; this leaves them time to hear of it. */
export const ANSWER_WITHIN_MS = 48_000;
const STARTS: StartLimits = { atOnce: 8, perMinute: 60 };

/** Sets a server up. */
export async function makeService(setup: Setup): Promise<Service> {
  const { home, policy, readOnly, workspace, starts = STARTS } = setup;
  const policies = [
    ...(policy ? [policy] : []),
    ...(readOnly ? [{ preset: "read-only" as const, deny: [] }] : []),
  ];
  const mayChange = policies.every(({ preset }) => preset !== "read-only");
  const tools = await offeredTools({
    ...setup,
    isAllowed: (operation) => policies.every((policy) => mayEverRun(policy, operation)),
  });
  const guards = [
    workspaceGuard(workspace),
    ...policies.map((policy) => policyGuard(policy, home)),
    startsGuard(starts),
  ];
  return {
    setup,
    tools,
    unfinished: new Unfinished(),
    guards,
    idle: new IdleConnections(),
    ...(mayChange && await mayStartItself() ? { perform } : {}),
  };
}

/** Begins a session. */
export function makeSession(): Session {
  return { label: crypto.randomUUID().slice(0, 8) };
}

/** The context of one call: the only one by which clients reach operations. */
export function callContext(
  { setup, guards, idle, perform }: Service,
  { label }: Session,
  { confirmed = false, ask, signal, report }: CallParts = {},
): Context {
  return makeContext(setup.home, {
    actor: { surface: "mcp" },
    idle,
    perform,
    ...(signal ? { signal } : {}),
    ...(report ? { report } : {}),
    guards: [...guards, confirmGuard(confirmed, ask), labelGuard(label)],
    audit: auditOf(setup.home, label),
  });
}

/** Calls an operation for a client, whether or not it is offered as a tool. */
export async function callOperation(
  service: Service,
  session: Session,
  name: string,
  input: Record<string, unknown>,
  parts: CallParts = {},
): Promise<Record<string, unknown>> {
  const context = callContext(service, session, parts);
  if (nounOf(name) !== "system") await openHome(context);
  return await (await load(name)).call(context, input);
}

/** Ends a session: with `ephemeral`, its VMs are deleted, as its owner said at the start. */
export async function endSession({ setup }: Service, { label }: Session): Promise<void> {
  if (!setup.ephemeral) return;
  const context = makeContext(setup.home, { audit: auditOf(setup.home, label) });
  const call = async (name: string, input: Record<string, unknown>) =>
    name in operations ? await (await load(name)).call(context, input) : {};
  const { vms } = await call("vm.list", { labels: { [SESSION_LABEL]: label } }) as {
    vms: { name: string }[];
  };
  for (const { name } of vms) {
    await call("vm.delete", { names: [name], force: true }).catch((thrown) => {
      console.error(`nido: ${toNidoError(thrown).message}`);
    });
  }
}
