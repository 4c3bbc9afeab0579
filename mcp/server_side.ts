import {
  type ClientCapabilities,
  InitializedNotificationSchema,
  InitializeRequestSchema,
  LATEST_PROTOCOL_VERSION,
  Protocol,
  type ServerCapabilities,
  type ServerNotification,
  type ServerRequest,
  type ServerResult,
  SUPPORTED_PROTOCOL_VERSIONS,
} from "./sdk.ts";

/** What a server tells of itself when a session begins. */
export interface Introduction {
  serverInfo: { name: string; title?: string; version: string };
  capabilities: ServerCapabilities;
  instructions?: string;
}

/**
 * The server's side of one session. The SDK's own `Server` does more than is needed here, and to
 * import it is to load a JSON Schema compiler: a quarter of the time that a server takes to start.
 */
export class ServerSide extends Protocol<ServerRequest, ServerNotification, ServerResult> {
  /** What the client can do, once it has said so. */
  client?: ClientCapabilities;

  constructor(introduction: Introduction) {
    super();
    this.setRequestHandler(InitializeRequestSchema, ({ params }) => {
      this.client = params.capabilities;
      const isKnown = SUPPORTED_PROTOCOL_VERSIONS.includes(params.protocolVersion);
      const protocolVersion = isKnown ? params.protocolVersion : LATEST_PROTOCOL_VERSION;
      return { protocolVersion, ...introduction };
    });
    this.setNotificationHandler(InitializedNotificationSchema, () => {});
  }

  // What is asked of a client is asked only when it has said that it can; and it is told only what
  // every client takes.
  protected override assertCapabilityForMethod(): void {}
  protected override assertNotificationCapability(): void {}
  protected override assertRequestHandlerCapability(): void {}
  protected override assertTaskCapability(): void {}
  protected override assertTaskHandlerCapability(): void {}
}
