import type { Progress } from "../lib/context.ts";
import { NidoError, toNidoError } from "../lib/errors.ts";
import { friendlyName } from "../lib/friendly_name.ts";
import { effectOf } from "../lib/operation.ts";
import type { Ask } from "./guards/confirm.ts";
import { bounded } from "./bounded.ts";
import { hintOfCalls } from "./hints.ts";
import { type Extra, ProgressTeller } from "./progress.ts";
import { refusal } from "./refusal.ts";
import type { CallToolResult } from "./sdk.ts";
import { ANSWER_WITHIN_MS, callOperation, type Service, type Session } from "./service.ts";
import { hiddenKeys, mayBePending, toolFields } from "./tool_schema.ts";
import type { Tool } from "./tools.ts";
import type { Waited } from "./unfinished.ts";

type Input = Record<string, unknown>;

/** What one result may hold; operations tell where the rest is. */
const LIMITS = { maxOutputBytes: 8 * 1024, maxBytes: 64 * 1024 };

/** Answers one tool call. A failure is an answer, too. */
export async function callTool(
  service: Service,
  session: Session,
  tool: Tool,
  given: Input,
  { extra, ask }: { extra: Extra; ask?: Ask },
): Promise<CallToolResult> {
  const startedAt = performance.now();
  try {
    using teller = new ProgressTeller(extra);
    const { input, confirmed, offset } = readInput(service, tool, given);
    const withinMs = service.setup.answerWithinMs ?? ANSWER_WITHIN_MS;
    const waiting = {
      signal: extra.signal,
      report: teller.report,
      get waitMs() {
        return Math.max(0, startedAt + withinMs - performance.now());
      },
    };
    const awaitsVm = tool.operation.name === "vm.wait" && typeof input.name === "string";
    const made = awaitsVm && await service.unfinished.made(String(input.name), waiting);
    const waited: Waited = made && "pending" in made ? made : await service.unfinished.run(
      (signal, report) =>
        callOperation(service, session, tool.operation.name, input, {
          confirmed,
          ask,
          signal,
          report,
        }),
      {
        key: `${tool.name} ${JSON.stringify(input)}`,
        makes: tool.operation.name === "vm.spawn" ? String(input.name) : undefined,
        goesOn: tool.operation.long === true || effectOf(tool.operation, input) !== "read",
        signal: waiting.signal,
        report: waiting.report,
        waitMs: waiting.waitMs,
      },
    );
    const result = "result" in waited
      ? bounded(tool, await inCalls(waited.result, service), offset)
      : await pending(service, session, tool, input, waited.pending);
    return { content: [{ type: "text", text: JSON.stringify(result) }], structuredContent: result };
  } catch (thrown) {
    return await refusal(notYet(service, given, thrown), service.tools);
  }
}

/** Parts what is the tool's from what is the operation's, and fills in what only a client leaves out. */
function readInput({ setup }: Service, { operation }: Tool, given: Input) {
  const input = { ...given };
  const take = (key: keyof typeof toolFields): unknown => {
    if (key in operation.input.shape) return undefined;
    const value = input[key];
    delete input[key];
    if (value === undefined) return undefined;
    const read = toolFields[key].safeParse(value);
    if (read.success) return read.data;
    throw new NidoError(
      "invalid_input",
      `Cannot run ${operation.name}: ${key}: ${read.error.issues[0]!.message}`,
    );
  };
  const confirmed = take("confirm") === true;
  const offset = take("offset") as number | undefined;
  const hidden = hiddenKeys(operation, setup.workspace !== undefined);
  const stranger = Object.keys(input).find((key) => hidden.includes(key));
  if (stranger) {
    throw new NidoError(
      "invalid_input",
      `Cannot run ${operation.name}: this server has no ${stranger}`,
    );
  }
  // A VM that is not ready in time must have a name to come back to.
  if (operation.name === "vm.spawn") input.name ??= friendlyName(0);
  for (const [key, limit] of Object.entries(LIMITS)) {
    if (typeof input[key] === "number") input[key] = Math.min(input[key], limit);
  }
  return { input, confirmed, offset };
}

/** The error of a job, which is told as a result, with its hint as a call. */
async function inCalls(result: Input, { tools }: Service): Promise<Input> {
  const { error } = result as { error?: { hint?: string } };
  if (!error?.hint) return result;
  return { ...result, error: { ...error, hint: await hintOfCalls(error.hint, tools) } };
}

/** What a client is told of work that goes on. */
async function pending(
  service: Service,
  session: Session,
  tool: Tool,
  input: Input,
  { stage, message, job }: Progress,
): Promise<Input> {
  const { operation, name: toolName } = tool;
  if (!mayBePending(operation)) {
    throw new NidoError("timeout", `${operation.name} takes too long: ${message}`, {
      hint: `${toolName} again, later`,
    });
  }
  const name = typeof input.name === "string" ? input.name : undefined;
  const waits = operation.name === "vm.spawn" || operation.name === "vm.wait";
  const hint = job !== undefined && service.tools.has("job_wait")
    ? `job_wait ${JSON.stringify({ job })} until it has ended`
    : waits && service.tools.has("vm_wait")
    ? `vm_wait ${JSON.stringify({ name })} until it is ready`
    : `${toolName} with the same arguments: it goes on, and that waits for its result`;
  const has = (key: string) => key in operation.output.shape;
  const state = name && has("state") ? await stateOf(service, session, name) : undefined;
  return {
    ...(name && has("name") ? { name } : {}),
    ...(state ? { state } : {}),
    ...(job !== undefined ? { job } : {}),
    pending: true,
    stage: `${stage}: ${message}`,
    hint,
  };
}

async function stateOf(service: Service, session: Session, name: string): Promise<unknown> {
  try {
    return (await callOperation(service, session, "vm.info", { name })).state;
  } catch {
    return undefined; // it has no folder yet
  }
}

/** A VM that is still being made is not unknown. */
function notYet({ unfinished }: Service, { name }: Input, thrown: unknown): unknown {
  const error = toNidoError(thrown);
  const progress = typeof name === "string" ? unfinished.making(name) : undefined;
  if (error.code !== "not_found" || !progress) return error;
  return new NidoError("wrong_state", `VM "${name}" is still being made: ${progress.message}`, {
    hint: `nido wait ${name}`,
  });
}
