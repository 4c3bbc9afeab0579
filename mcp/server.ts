import { nearestName } from "../lib/nearest_name.ts";
import { callTool } from "./call.ts";
import { instructions } from "./instructions.ts";
import { invalidParams } from "./protocol_error.ts";
import type { Extra } from "./progress.ts";
import { prompts, promptText } from "./prompts.ts";
import { completeName, readResource, resources, resourceTemplates } from "./resources.ts";
import {
  CallToolRequestSchema,
  CompleteRequestSchema,
  ElicitResultSchema,
  GetPromptRequestSchema,
  ListPromptsRequestSchema,
  ListResourcesRequestSchema,
  ListResourceTemplatesRequestSchema,
  ListToolsRequestSchema,
  ReadResourceRequestSchema,
} from "./sdk.ts";
import { ServerSide } from "./server_side.ts";
import type { Service, Session } from "./service.ts";
import type { Tool } from "./tools.ts";

const ASK_MS = 40_000;
const MOST_COMPLETIONS = 100;

/** Makes the protocol's side of one session. */
export async function makeServer(service: Service, session: Session): Promise<ServerSide> {
  const { default: { version } } = await import("../deno.json", { with: { type: "json" } });
  const server = new ServerSide({
    serverInfo: { name: "nido", title: "Nido", version },
    capabilities: { tools: {}, resources: {}, prompts: {}, completions: {} },
    instructions,
  });
  answerTools(server, service, session);
  answerPages(server, service, session);
  return server;
}

function answerTools(server: ServerSide, service: Service, session: Session): void {
  const { tools } = service;
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: [...tools.values()].map(({ listed }) => listed),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    const tool = tools.get(params.name) ?? unknownTool(params.name, tools);
    return await callTool(service, session, tool, params.arguments ?? {}, {
      extra: extra as Extra,
      ask: (question) => ask(server, extra as Extra, question),
    });
  });
}

function answerPages(server: ServerSide, service: Service, session: Session): void {
  server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({ resourceTemplates }));
  server.setRequestHandler(
    ReadResourceRequestSchema,
    ({ params }, { signal }) => readResource(service, session, params.uri, signal),
  );
  server.setRequestHandler(ListPromptsRequestSchema, () => ({ prompts }));
  server.setRequestHandler(
    GetPromptRequestSchema,
    ({ params }) => promptText(params.name, params.arguments),
  );
  server.setRequestHandler(CompleteRequestSchema, async ({ params: { ref, argument } }) => {
    const isVm = ref.type === "ref/resource" && argument.name === "name";
    const names = isVm ? await completeName(service, session, argument.value) : [];
    const values = names.slice(0, MOST_COMPLETIONS);
    return { completion: { values, total: names.length, hasMore: values.length < names.length } };
  });
}

function unknownTool(name: string, tools: Map<string, Tool>): never {
  const nearest = nearestName(name, [...tools.keys()]);
  const told = nearest ? `; the nearest is "${nearest}"` : "";
  throw invalidParams(`There is no tool "${name}" here${told}`);
}

/** Asks over the call's own stream, because a client of HTTP may have opened no other. */
async function ask(
  server: ServerSide,
  extra: Extra,
  question: string,
): Promise<"yes" | "no" | undefined> {
  if (!server.client?.elicitation) return undefined;
  try {
    const { action, content } = await extra.sendRequest(
      {
        method: "elicitation/create",
        params: {
          mode: "form",
          message: question,
          requestedSchema: {
            type: "object",
            properties: { proceed: { type: "boolean", title: "Proceed", default: true } },
          },
        },
      },
      ElicitResultSchema,
      { timeout: ASK_MS, signal: extra.signal },
    );
    return action === "accept" && content?.proceed !== false ? "yes" : "no";
  } catch {
    return undefined; // the client offers it and can't do it; the caller has confirmed anyway
  }
}
