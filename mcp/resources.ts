import { NidoError, toNidoError } from "../lib/errors.ts";
import { guide } from "./guide.ts";
import { ProtocolError } from "./protocol_error.ts";
import { ErrorCode } from "./sdk.ts";
import type { ReadResourceResult, Resource, ResourceTemplate } from "./sdk.ts";
import { callOperation, type Service, type Session } from "./service.ts";

const JSON_TYPE = "application/json";

/** The pages that a client may read, each from one operation. */
const PAGES: Record<
  string,
  { name: string; description: string; operation: string; input: object }
> = {
  "nido://vms": {
    name: "vms",
    description: "Every VM and its state",
    operation: "vm.list",
    input: {},
  },
  "nido://templates": {
    name: "templates",
    description: "What to spawn from: prepared VMs",
    operation: "template.list",
    input: {},
  },
  "nido://images": {
    name: "images",
    description: "What to spawn from: disk images",
    operation: "image.list",
    input: {},
  },
  "nido://system/doctor": {
    name: "doctor",
    description: "What this host has, and what is wrong with it",
    operation: "system.doctor",
    input: {},
  },
};

const GUIDE = "nido://guide";

/** The pages that are always there. */
export const resources: Resource[] = [
  ...Object.entries(PAGES).map(([uri, { name, description }]) => ({
    uri,
    name,
    description,
    mimeType: JSON_TYPE,
  })),
  {
    uri: GUIDE,
    name: "guide",
    description: "The manual, on one page",
    mimeType: "text/markdown",
  },
];

/** The pages of each VM. */
export const resourceTemplates: ResourceTemplate[] = [
  {
    uriTemplate: "nido://vms/{name}",
    name: "vm",
    description: "Everything about one VM",
    mimeType: JSON_TYPE,
  },
  {
    uriTemplate: "nido://vms/{name}/console",
    name: "console",
    description: "The last lines of a VM's serial console",
    mimeType: "text/plain",
  },
];

/** Reads a page. */
export async function readResource(
  service: Service,
  session: Session,
  uri: string,
  signal: AbortSignal,
): Promise<ReadResourceResult> {
  const answer = (mimeType: string, text: string) => ({ contents: [{ uri, mimeType, text }] });
  const ask = (operation: string, input: Record<string, unknown>) =>
    callOperation(service, session, operation, input, { signal });
  try {
    if (uri === GUIDE) return answer("text/markdown", await guide(service.tools));
    const page = Object.hasOwn(PAGES, uri) ? PAGES[uri] : undefined;
    if (page) {
      return answer(JSON_TYPE, JSON.stringify(await ask(page.operation, { ...page.input })));
    }
    const [, name, console] = /^nido:\/\/vms\/([^/?#]+)(\/console)?$/.exec(uri) ?? [];
    if (name === undefined) throw unknownPage(uri);
    const vm = decode(name, uri);
    if (!console) return answer(JSON_TYPE, JSON.stringify(await ask("vm.info", { name: vm })));
    return answer("text/plain", String((await ask("vm.logs", { name: vm, tail: 200 })).text));
  } catch (thrown) {
    throw asProtocolError(thrown, uri);
  }
}

/** The names of VMs that begin like this. */
export async function completeName(
  service: Service,
  session: Session,
  begun: string,
): Promise<string[]> {
  const { vms } = await callOperation(service, session, "vm.list", {}) as {
    vms: { name: string }[];
  };
  return vms.map(({ name }) => name).filter((name) => name.startsWith(begun));
}

function decode(name: string, uri: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    throw unknownPage(uri);
  }
}

function unknownPage(uri: string): NidoError {
  return new NidoError("not_found", `There is no page ${uri}`, { hint: GUIDE });
}

const RESOURCE_NOT_FOUND = -32002;

function asProtocolError(thrown: unknown, uri: string): ProtocolError {
  const { code, message, hint } = toNidoError(thrown);
  const number = code === "not_found" || code === "invalid_input"
    ? RESOURCE_NOT_FOUND
    : ErrorCode.InternalError;
  return new ProtocolError(number, `${code}: ${message}`, { uri, code, hint });
}
