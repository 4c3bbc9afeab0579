import { z } from "zod";
import type { Context } from "./context.ts";
import { NidoError, toNidoError } from "./errors.ts";

/** What a call does to the world; surfaces derive HTTP methods and MCP annotations from it. */
export type Effect = "read" | "create" | "change" | "destroy";

/** Where an operation can be called from. */
export type Surface = "cli" | "mcp" | "rest";

/**
 * What a surface must know of a field beyond its schema.
 * `content`: the command line reads a file or `-`, the others take text.
 * `hostPath`: a path on this machine, refused over MCP and REST outside the allowed workspace.
 * `nameOrPath`: a name, or a path on this machine for which the same holds.
 * `secret`: never logged.
 * `commandLine`: for a person at a terminal; no other surface has it.
 * `rare`: most callers never need it; lists that models read leave it out, and calls may have it.
 */
export type FieldKind = "content" | "hostPath" | "nameOrPath" | "secret" | "commandLine" | "rare";

const kinds = z.registry<{ kind: FieldKind }>();

/** Marks a field with its kind. */
export function field<T extends z.ZodType>(kind: FieldKind, schema: T): T {
  kinds.add(schema, { kind });
  return schema;
}

/** The kind of a field, looked up through optional and default wrappers. */
export function fieldKind(schema: z.ZodType): FieldKind | undefined {
  return kinds.get(schema)?.kind ?? kinds.get(innermost(schema))?.kind;
}

/** The schema inside optional and default wrappers. */
export function innermost(schema: z.ZodType): z.ZodType {
  let inner = schema;
  while (inner instanceof z.ZodOptional || inner instanceof z.ZodDefault) {
    inner = inner.unwrap() as z.ZodType;
  }
  return inner;
}

/** One declaration of a capability; every surface is computed from it. */
export interface Declaration<I extends z.ZodObject, O extends z.ZodObject> {
  /** `noun.verb`, for example `vm.spawn`. */
  name: string;
  /** One line, no period: the help line and the tool title. */
  summary: string;
  /** When to use it and what it gives, for help pages and tool descriptions. */
  description?: string;
  effect: Effect;
  /** Calling it twice leaves the world as once does; read operations always are. */
  idempotent?: boolean;
  /** The input key without which it only reads, whatever its effect is with it. */
  readsUnless?: keyof z.input<I> & string;
  /** It may work for minutes on this host; a surface may have that done in a process of its own. */
  long?: boolean;
  /** It reaches things Nido doesn't control, for example programs in a guest. */
  openWorld?: boolean;
  input: I;
  output: O;
  /** Input keys that the command line takes by position; the last may be an array. */
  positional?: (keyof z.input<I> & string)[];
  /** The last positional takes everything that follows, options too (a command to run). */
  passThrough?: boolean;
  /** One-letter flags for some input keys: `{ user: "u" }` is `-u`. */
  short?: Partial<Record<keyof z.input<I> & string, string>>;
  /** Default: all. */
  surfaces?: Surface[];
  /** Command lines shown in help and in the reference. */
  examples?: string[];
  /** The result as a person reads it; without it, surfaces print fields and tables. */
  text?: (result: z.output<O>, context: Context) => string;
  /** That text is what a guest wrote, byte for byte; any other is cleaned of what steers a terminal. */
  verbatim?: boolean;
  /** The process exit status of a successful call; default 0 (`exec` gives the guest's). */
  exitStatus?: (result: z.output<O>) => number;
  run: (context: Context, input: z.output<I>) => Promise<z.input<O>>;
}

/** A declared operation whose types are known only to itself, as the list holds it. */
export interface Operation extends
  Omit<
    Declaration<z.ZodObject, z.ZodObject>,
    "text" | "exitStatus" | "run" | "positional" | "short" | "readsUnless"
  > {
  positional: string[];
  short?: Partial<Record<string, string>>;
  surfaces: Surface[];
  idempotent: boolean;
  readsUnless?: string;
  // deno-lint-ignore no-explicit-any
  text?: (result: any, context: Context) => string;
  // deno-lint-ignore no-explicit-any
  exitStatus?: (result: any) => number;
  /** Checks the input, runs, checks the output: the only way in for every surface. */
  call(context: Context, input: unknown): Promise<Record<string, unknown>>;
}

/** Declares an operation. */
export function operation<I extends z.ZodObject, O extends z.ZodObject>(
  declaration: Declaration<I, O>,
): Operation {
  const { run, ...rest } = declaration;
  const made: Operation = {
    ...rest,
    positional: declaration.positional ?? [],
    surfaces: declaration.surfaces ?? ["cli", "mcp", "rest"],
    idempotent: declaration.idempotent ?? declaration.effect === "read",
    call: (context, input) =>
      audited(context, made, input, async () => {
        const check = (given: unknown) => {
          refuseCommandLineFields(context, made, given);
          const parsed = declaration.input.safeParse(given);
          if (!parsed.success) throw invalidInput(declaration.name, parsed.error);
          return parsed.data;
        };
        try {
          const checked = check(input);
          context.signal.throwIfAborted();
          const { perform, guards } = context;
          const go = async (input: z.output<I>) =>
            declaration.output.parse(
              perform && declaration.long
                ? await perform(context, { operation: made, input })
                : await run(context, input),
            );
          if (!guards) return await go(checked);
          const guarded = guards.reduceRight<Go>(
            (go, guard) => (given) => guard({ operation: made, input: given }, go),
            (given) => go(check(given)),
          );
          return await guarded(checked);
        } catch (thrown) {
          throw context.signal.aborted
            ? interrupted(declaration.name, thrown)
            : toNidoError(thrown, context.home);
        }
      }),
  };
  return made;
}

/** What a call with this input does: some operations only read unless they are asked for more. */
export function effectOf(operation: Operation, input: Record<string, unknown> = {}): Effect {
  const { effect, readsUnless } = operation;
  return readsUnless !== undefined && !input[readsUnless] ? "read" : effect;
}

/** A call whose input was checked, on its way in. */
export interface Call {
  operation: Operation;
  input: Record<string, unknown>;
}

type Go = (input: Record<string, unknown>) => Promise<Record<string, unknown>>;

/**
 * Stands around every call of a context: it refuses by throwing, changes what goes in, and sees how
 * it ends. What it lets in is checked again.
 */
export type Guard = (call: Call, go: Go) => Promise<Record<string, unknown>>;

/** A call that has ended, as an audit hears of it. */
export interface Ended {
  operation: Operation;
  /** As it came, unchecked. */
  input: unknown;
  error?: NidoError;
  startedAt: Date;
  durationMs: number;
}

async function audited(
  { audit, now }: Context,
  operation: Operation,
  input: unknown,
  run: () => Promise<Record<string, unknown>>,
): Promise<Record<string, unknown>> {
  if (!audit) return await run();
  const ended: Ended = { operation, input, startedAt: now(), durationMs: 0 };
  const since = performance.now();
  try {
    return await run();
  } catch (thrown) {
    ended.error = toNidoError(thrown);
    throw thrown;
  } finally {
    ended.durationMs = Math.round(performance.now() - since);
    await audit(ended);
  }
}

function refuseCommandLineFields(context: Context, operation: Operation, given: unknown): void {
  const { surface } = context.actor;
  if (surface === "cli" || surface === "library" || typeof given !== "object" || !given) return;
  const values = given as Record<string, unknown>;
  for (const [key, schema] of Object.entries(operation.input.shape as Record<string, z.ZodType>)) {
    if (!values[key] || fieldKind(schema) !== "commandLine") continue;
    throw new NidoError(
      "invalid_input",
      `Cannot run ${operation.name}: ${key}: it is for a person on the command line`,
    );
  }
}

function interrupted(name: string, thrown: unknown): NidoError {
  if (thrown instanceof NidoError && thrown.code !== "internal") return thrown;
  return new NidoError("cancelled", `${name} was interrupted`, { cause: thrown });
}

function invalidInput(name: string, error: z.ZodError): NidoError {
  const problems = error.issues.map((issue) => ({
    field: issue.path.join(".") || "input",
    problem: issue.message,
  }));
  const told = problems.map(({ field, problem }) => `${field}: ${problem}`).join("; ");
  const words = name.replace(/^(vm|system)\./, "").replace(".", " ").replaceAll("_", "-");
  return new NidoError("invalid_input", `Cannot run ${name}: ${told}`, {
    hint: `nido ${words} --help`,
    details: { problems },
  });
}
