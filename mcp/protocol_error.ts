import { ErrorCode } from "./sdk.ts";

/** A request that the protocol itself refuses. SDK 1.32's own class says its code in the message twice. */
export class ProtocolError extends Error {
  constructor(readonly code: number, message: string, readonly data?: unknown) {
    super(message);
  }
}

/** A request whose parameters mean nothing here. */
export function invalidParams(message: string): ProtocolError {
  return new ProtocolError(ErrorCode.InvalidParams, message);
}
