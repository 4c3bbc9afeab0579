import { NidoError } from "../errors.ts";
import type { Architecture, Firmware } from "./image.ts";
import { nameFromFile } from "./import_name.ts";
import { machineFacts } from "./machine_facts.ts";
import type { PullTarget } from "./pull_target.ts";
import { refuser } from "./refuse.ts";

/** What the caller says of a file that no catalog describes. */
export interface AddressRequest {
  /** The name that it gets here; by default made from the file's. */
  name?: string;
  architecture?: Architecture;
  firmware?: Firmware;
  user?: string;
  /** Take whatever comes, without a digest to check it by. */
  insecureNoChecksum?: boolean;
}

const DEFAULT_USER = "nido";

/** A file by its address, which must come with a digest or with the word that none is wanted. */
export function addressTarget(
  { url, digest }: { url: string; digest?: string },
  request: AddressRequest,
): PullTarget {
  if (digest === undefined && !request.insecureNoChecksum) {
    throw new NidoError("invalid_input", `Cannot pull ${url}: no digest to check it by is named`, {
      hint: `nido image pull ${url} --sha256 DIGEST`,
      details: { url },
    });
  }
  const file = new URL(url).pathname;
  return {
    label: url,
    sources: [[url]],
    digest,
    keepsName: false,
    facts: {
      name: request.name ?? nameFromFile(file),
      user: request.user ?? DEFAULT_USER,
      ...machineFacts(request, file, refuser(`pull ${url}`)),
      source: { url },
    },
  };
}
