import type { z } from "zod";
import { NidoError } from "../../lib/errors.ts";
import type { Page } from "./fetch.ts";

/** Reads an index in JSON that must have this shape. */
export function readIndex<T extends z.ZodType>({ address, text }: Page, schema: T): z.output<T> {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw unreadable(address, "it is not JSON");
  }
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  throw unreadable(address, `${issue!.path.join(".") || "it"}: ${issue!.message}`);
}

function unreadable(address: string, fact: string): NidoError {
  return new NidoError("integrity", `Cannot read the index ${address}: ${fact}`);
}
