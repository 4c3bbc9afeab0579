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
} from "../../../mcp/sdk.ts";
import { ServerSide } from "../../../mcp/server_side.ts";
// @ts-types="@modelcontextprotocol/sdk/types"
import {
  CreateMessageResultSchema,
  SetLevelRequestSchema,
  SubscribeRequestSchema,
  UnsubscribeRequestSchema,
} from "@modelcontextprotocol/sdk/types.js";
import type { Extra } from "../../../mcp/progress.ts";

const PNG =
  "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==";
const WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAAAAA==";

const text = (text: string) => ({ type: "text" as const, text });
const image = { type: "image" as const, data: PNG, mimeType: "image/png" };
const embedded = (uri: string, mimeType: string, text: string) => ({
  type: "resource" as const,
  resource: { uri, mimeType, text },
});
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));

type Answer = (input: Record<string, string>, extra: Extra) => unknown;

/** The tools that the conformance suite calls, each with its required arguments. */
const tools: Record<string, { required?: string[]; answer: Answer }> = {
  test_simple_text: { answer: () => [text("This is a simple text response for testing.")] },
  test_image_content: { answer: () => [image] },
  test_audio_content: { answer: () => [{ type: "audio", data: WAV, mimeType: "audio/wav" }] },
  test_embedded_resource: {
    answer: () => [
      embedded("test://embedded-resource", "text/plain", "This is an embedded resource content."),
    ],
  },
  test_multiple_content_types: {
    answer: () => [
      text("Multiple content types test:"),
      image,
      embedded(
        "test://mixed-content-resource",
        "application/json",
        JSON.stringify({ test: "data", value: 123 }),
      ),
    ],
  },
  test_tool_with_logging: {
    answer: async (_, extra) => {
      for (const data of ["started", "processing data", "completed"]) {
        const told = data === "processing data" ? `Tool ${data}` : `Tool execution ${data}`;
        await extra.sendNotification({
          method: "notifications/message",
          params: { level: "info", data: told },
        });
        await soon();
      }
      return [text("Logged")];
    },
  },
  test_error_handling: {
    answer: () => {
      throw new Error("This tool intentionally returns an error for testing");
    },
  },
  test_tool_with_progress: {
    answer: async (_, extra) => {
      const progressToken = extra._meta?.progressToken;
      for (const progress of [0, 50, 100]) {
        if (progressToken !== undefined) {
          await extra.sendNotification({
            method: "notifications/progress",
            params: { progressToken, progress, total: 100 },
          });
        }
        await soon();
      }
      return [text("Done")];
    },
  },
  test_sampling: {
    required: ["prompt"],
    answer: async ({ prompt = "" }, extra) => {
      const { content } = await extra.sendRequest({
        method: "sampling/createMessage",
        params: { messages: [{ role: "user", content: text(prompt) }], maxTokens: 100 },
      }, CreateMessageResultSchema);
      return [text(`LLM response: ${JSON.stringify(content)}`)];
    },
  },
  test_elicitation: {
    required: ["message"],
    answer: async ({ message = "" }, extra) => {
      const answer = await elicit(extra, message, {
        username: { type: "string", description: "User's response" },
        email: { type: "string", description: "User's email address" },
      }, ["username", "email"]);
      return [text(`User response: ${JSON.stringify(answer)}`)];
    },
  },
  test_elicitation_sep1034_defaults: {
    answer: async (_, extra) => [
      completed(
        await elicit(extra, "Fill this in", {
          name: { type: "string", default: "John Doe" },
          age: { type: "integer", default: 30 },
          score: { type: "number", default: 95.5 },
          status: {
            type: "string",
            enum: ["active", "inactive", "pending"],
            default: "active",
          },
          verified: { type: "boolean", default: true },
        }),
      ),
    ],
  },
  test_elicitation_sep1330_enums: {
    answer: async (_, extra) => {
      const plain = ["option1", "option2", "option3"];
      const titled = (noun: string) =>
        ["First", "Second", "Third"].map((title, index) => ({
          const: `value${index + 1}`,
          title: `${title} ${noun}`,
        }));
      return [
        completed(
          await elicit(extra, "Choose", {
            untitledSingle: { type: "string", enum: plain },
            titledSingle: { type: "string", oneOf: titled("Option") },
            legacyEnum: {
              type: "string",
              enum: ["opt1", "opt2", "opt3"],
              enumNames: ["Option One", "Option Two", "Option Three"],
            },
            untitledMulti: { type: "array", items: { type: "string", enum: plain } },
            titledMulti: { type: "array", items: { anyOf: titled("Choice") } },
          }),
        ),
      ];
    },
  },
};

function completed({ action, content }: { action: string; content?: unknown }) {
  return text(`Elicitation completed: action=${action}, content=${JSON.stringify(content)}`);
}

async function elicit(
  extra: Extra,
  message: string,
  properties: Record<string, unknown>,
  required: string[] = [],
) {
  const requestedSchema = { type: "object" as const, properties, required };
  return await extra.sendRequest({
    method: "elicitation/create",
    params: { message, requestedSchema: requestedSchema as never },
  }, ElicitResultSchema);
}

const prompts: Record<
  string,
  { required?: string[]; answer: (given: Record<string, string>) => unknown[] }
> = {
  test_simple_prompt: { answer: () => [text("This is a simple prompt for testing.")] },
  test_prompt_with_arguments: {
    required: ["arg1", "arg2"],
    answer: ({ arg1, arg2 }) => [
      text(`Prompt with arguments: arg1='${arg1}', arg2='${arg2}'`),
    ],
  },
  test_prompt_with_embedded_resource: {
    required: ["resourceUri"],
    answer: ({ resourceUri = "" }) => [
      embedded(resourceUri, "text/plain", "Embedded resource content for testing."),
      text("Please process the embedded resource above."),
    ],
  },
  test_prompt_with_image: {
    answer: () => [image, text("Please analyze the image above.")],
  },
};

const resources = [
  { uri: "test://static-text", mimeType: "text/plain" },
  { uri: "test://static-binary", mimeType: "image/png" },
  { uri: "test://watched-resource", mimeType: "text/plain" },
];

/** A server with what the conformance suite expects, to be mounted on Nido's own HTTP handler. */
export function makeFixture(): Promise<ServerSide> {
  const server = new ServerSide({
    serverInfo: { name: "fixture", version: "1" },
    capabilities: {
      tools: {},
      prompts: {},
      resources: { subscribe: true },
      completions: {},
      logging: {},
    },
  });
  server.setRequestHandler(ListToolsRequestSchema, () => ({
    tools: Object.entries(tools).map(([name, { required = [] }]) => ({
      name,
      description: `The suite's ${name}`,
      inputSchema: {
        type: "object" as const,
        properties: Object.fromEntries(required.map((key) => [key, { type: "string" }])),
        required,
      },
    })),
  }));
  server.setRequestHandler(CallToolRequestSchema, async ({ params }, extra) => {
    try {
      const input = (params.arguments ?? {}) as Record<string, string>;
      return { content: await tools[params.name]!.answer(input, extra as Extra) as never };
    } catch (error) {
      return { content: [text((error as Error).message)], isError: true };
    }
  });
  server.setRequestHandler(ListResourcesRequestSchema, () => ({
    resources: resources.map((resource) => ({
      ...resource,
      name: resource.uri,
      description: "The suite's",
    })),
  }));
  server.setRequestHandler(ListResourceTemplatesRequestSchema, () => ({
    resourceTemplates: [{ uriTemplate: "test://template/{id}/data", name: "template" }],
  }));
  server.setRequestHandler(ReadResourceRequestSchema, ({ params: { uri } }) => {
    const [, id] = /^test:\/\/template\/(.+)\/data$/.exec(uri) ?? [];
    if (id !== undefined) {
      const data = { id, templateTest: true, data: `Data for ID: ${id}` };
      return {
        contents: [{ uri, mimeType: "application/json", text: JSON.stringify(data) }],
      };
    }
    if (uri === "test://static-binary") {
      return { contents: [{ uri, mimeType: "image/png", blob: PNG }] };
    }
    const content = "This is the content of the static text resource.";
    return { contents: [{ uri, mimeType: "text/plain", text: content }] };
  });
  for (const schema of [SubscribeRequestSchema, UnsubscribeRequestSchema, SetLevelRequestSchema]) {
    server.setRequestHandler(schema, () => ({}));
  }
  server.setRequestHandler(ListPromptsRequestSchema, () => ({
    prompts: Object.entries(prompts).map(([name, { required = [] }]) => ({
      name,
      description: `The suite's ${name}`,
      arguments: required.map((name) => ({ name, required: true })),
    })),
  }));
  server.setRequestHandler(GetPromptRequestSchema, ({ params }) => ({
    messages: prompts[params.name]!.answer(params.arguments ?? {})
      .map((content) => ({ role: "user" as const, content: content as never })),
  }));
  server.setRequestHandler(CompleteRequestSchema, () => ({
    completion: { values: ["paris"], total: 1, hasMore: false },
  }));
  return Promise.resolve(server);
}
