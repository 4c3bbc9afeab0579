import { homedir } from "node:os";
import { join } from "node:path";

/** How a client reaches Nido: by starting it, or over HTTP. */
export type Way =
  | { command: string; args: string[]; env?: Record<string, string> }
  | { url: string; headers?: Record<string, string> };

/** A program that can use MCP servers, and how its configuration says so. */
export interface Client {
  name: string;
  format: "jsonc" | "toml";
  /** The keys under which servers are listed. */
  section: string;
  /** Its configuration file; the generic client has none. */
  file?: (place: Place) => string;
  /** The entry of a server; undefined where the client can't do it that way. */
  entry(way: Way): Record<string, unknown> | undefined;
}

/** Where configuration is kept. */
export interface Place {
  home: string;
  os: typeof Deno.build.os;
}

/** This user's place. */
export function thisPlace(): Place {
  return { home: Deno.env.get("HOME") ?? homedir(), os: Deno.build.os };
}

/** Where applications keep their settings. */
function settings({ home, os }: Place, ...path: string[]): string {
  if (os === "darwin") return join(home, "Library", "Application Support", ...path);
  if (os === "windows") return join(home, "AppData", "Roaming", ...path);
  return join(home, ".config", ...path);
}

const plain = (way: Way) => ({ ...way });
const typed = (way: Way) => ({ type: "url" in way ? "http" : "stdio", ...way });
const urlAs = (key: string) => (way: Way) => {
  if (!("url" in way)) return { ...way };
  const { url, ...rest } = way;
  return { [key]: url, ...rest };
};

/** Every client that Nido can be registered with. */
export const clients: Client[] = [
  {
    name: "claude-desktop",
    format: "jsonc",
    section: "mcpServers",
    file: (place) => settings(place, "Claude", "claude_desktop_config.json"),
    entry: (way) => "url" in way ? undefined : { ...way },
  },
  {
    name: "claude-code",
    format: "jsonc",
    section: "mcpServers",
    file: ({ home }) => join(home, ".claude.json"),
    entry: typed,
  },
  {
    name: "cursor",
    format: "jsonc",
    section: "mcpServers",
    file: ({ home }) => join(home, ".cursor", "mcp.json"),
    entry: plain,
  },
  {
    name: "vscode",
    format: "jsonc",
    section: "servers",
    file: (place) => settings(place, "Code", "User", "mcp.json"),
    entry: typed,
  },
  {
    name: "codex",
    format: "toml",
    section: "mcp_servers",
    file: ({ home }) => join(home, ".codex", "config.toml"),
    entry: (way) => "url" in way ? { url: way.url, http_headers: way.headers ?? {} } : { ...way },
  },
  {
    name: "gemini",
    format: "jsonc",
    section: "mcpServers",
    file: ({ home }) => join(home, ".gemini", "settings.json"),
    entry: urlAs("httpUrl"),
  },
  {
    name: "windsurf",
    format: "jsonc",
    section: "mcpServers",
    file: ({ home }) => join(home, ".codeium", "windsurf", "mcp_config.json"),
    entry: urlAs("serverUrl"),
  },
  {
    name: "zed",
    format: "jsonc",
    section: "context_servers",
    file: ({ home, os }) =>
      os === "windows"
        ? join(home, "AppData", "Roaming", "Zed", "settings.json")
        : join(home, ".config", "zed", "settings.json"),
    entry: plain,
  },
  {
    name: "lmstudio",
    format: "jsonc",
    section: "mcpServers",
    file: ({ home }) => join(home, ".lmstudio", "mcp.json"),
    entry: plain,
  },
  { name: "generic", format: "jsonc", section: "mcpServers", entry: plain },
];
