import { z } from "zod";
import { makeContext } from "../context.ts";
import { NidoError, toNidoError } from "../errors.ts";
import { keepHostJob } from "../host/job/keep.ts";
import { HOST_JOB } from "../host/job/record.ts";
import { operations } from "../operations.ts";
import { homePath } from "../store/home.ts";
import { load, textOf } from "./run.ts";

const order = z.strictObject({
  operation: z.string(),
  input: z.record(z.string(), z.unknown()),
  /** Who asked for it: the work is refused what they would be. */
  surface: z.enum(["cli", "mcp", "rest", "library"]),
});

/** Does the work of a host job, which comes on standard input; says one line when it has begun. */
export async function perform([id = ""]: string[]): Promise<number> {
  const { operation, input, surface } = await readOrder(id);
  const interruption = new AbortController();
  const interrupt = () => interruption.abort(new DOMException("Interrupted", "AbortError"));
  for (const signal of ["SIGTERM", "SIGINT"] as const) Deno.addSignalListener(signal, interrupt);
  Deno.addSignalListener("SIGHUP", () => {}); // no terminal is waited for
  const home = homePath();
  const job = await keepHostJob(makeContext(home), id, { operation, input });
  const said = new TextEncoder().encode('{"status":"ok"}\n');
  await Deno.stdout.write(said).catch(() => {}); // who began it has gone; its work is done all the same
  const context = makeContext(home, {
    signal: interruption.signal,
    report: job.report,
    actor: { surface },
  });
  try {
    const result = await operation.call(context, input);
    await job.end({ result, text: await textOf(operation, result, context) });
  } catch (thrown) {
    await job.end({ error: toNidoError(thrown) });
  }
  return 0;
}

async function readOrder(id: string) {
  const refuse = (fact: string) => new NidoError("invalid_input", `Cannot perform: ${fact}`);
  if (!HOST_JOB.test(id)) throw refuse("a host job's id is needed");
  const text = await new Response(Deno.stdin.readable).text();
  let read;
  try {
    read = order.parse(JSON.parse(text));
  } catch {
    throw refuse("what is to be done did not come whole");
  }
  const operation = Object.hasOwn(operations, read.operation) && await load(read.operation);
  if (!operation || !operation.long) throw refuse(`${read.operation} is no work for a host job`);
  return { operation, input: read.input, surface: read.surface };
}
