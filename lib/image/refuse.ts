import { type ErrorCode, type ErrorExtras, NidoError } from "../errors.ts";

/** Says no to a source: `Cannot import debian.qcow2: it is encrypted (LUKS)`. */
export type Refuse = (code: ErrorCode, fact: string, extras?: ErrorExtras) => NidoError;

/** Makes the refusals of one source, given what is tried: `import debian.qcow2`. */
export function refuser(doing: string): Refuse {
  return (code, fact, extras) => new NidoError(code, `Cannot ${doing}: ${fact}`, extras);
}
