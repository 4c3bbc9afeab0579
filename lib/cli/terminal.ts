/** A command that needs the terminal itself or is part of the surface, and so is no operation. */
export interface TerminalVerb {
  summary: string;
  /** What follows its word. */
  usage: string;
  examples: string[];
  /** The group of commands it is shown with. */
  group: string;
  hidden?: boolean;
  run(argv: string[]): Promise<number>;
}

/** Every command outside the list of operations; a test pins the names. */
export const terminal: Record<string, TerminalVerb> = {
  ssh: {
    summary: "Open a shell in a VM with the system's ssh",
    usage: "NAME [SSH ARGUMENTS...]",
    examples: ["nido ssh dev", "nido ssh dev -L 8080:localhost:80", "nido ssh dev uptime"],
    group: "vm",
    run: async (argv) => (await import("./ssh.ts")).ssh(argv),
  },
  cp: {
    summary: "Copy files and folders in or out of a VM",
    usage: "SOURCE DESTINATION (one of them is NAME:PATH)",
    examples: ["nido cp app dev:/srv/app", "nido cp dev:/var/log/syslog ."],
    group: "vm",
    run: async (argv) => (await import("./cp.ts")).cp(argv),
  },
  console: {
    summary: "Open a VM's serial console; Ctrl-] leaves it",
    usage: "NAME",
    examples: ["nido console dev"],
    group: "vm",
    run: async (argv) => (await import("./console.ts")).console(argv),
  },
  mcp: {
    summary: "Serve AI agents over the Model Context Protocol",
    usage: "[--http [--listen ADDRESS:PORT] [--allow-host NAME] [--show-token] [--no-token]]\n" +
      "       [--toolsets A,B] [--tools A,B] [--read-only] [--workspace FOLDER]\n" +
      "       [--policy FILE|full|no-delete|read-only] [--ephemeral] [--describe]",
    examples: [
      "nido mcp",
      "nido mcp --read-only",
      "nido mcp --workspace ~/project --toolsets image,template",
      "nido mcp --http --listen 127.0.0.1:7433",
    ],
    group: "agents",
    run: async (argv) => (await import("../../mcp/main.ts")).mcp(argv),
  },
  register: {
    summary: "Tell an AI client of Nido, or take it back",
    usage: "[--client NAME] [--write|--remove] [--http] [-- FLAGS OF nido mcp]\n\n" +
      "Clients: claude-desktop, claude-code, cursor, vscode, codex, gemini, windsurf, zed, lmstudio, generic.\n" +
      "Without --write it prints what belongs into the client's file",
    examples: [
      "nido register",
      "nido register --client cursor --write",
      "nido register --client codex --write -- --read-only",
      "nido register --client cursor --remove",
    ],
    group: "agents",
    run: async (argv) => (await import("../../mcp/register/register.ts")).register(argv),
  },
  completion: {
    summary: "Print the completion script of a shell",
    usage: "bash|zsh|fish|powershell",
    examples: [
      "source <(nido completion bash)",
      "nido completion fish > ~/.config/fish/completions/nido.fish",
    ],
    group: "terminal",
    run: async (argv) => (await import("./completion.ts")).completion(argv),
  },
  complete: {
    summary: "Answer a shell that completes a command line",
    usage: "-- WORDS...",
    examples: [],
    group: "terminal",
    hidden: true,
    run: async (argv) => (await import("./completion.ts")).complete(argv),
  },
  perform: {
    summary: "Do the work of a host job",
    usage: "JOB --json < CALL",
    examples: [],
    group: "terminal",
    hidden: true,
    run: async (argv) => (await import("./perform.ts")).perform(argv),
  },
  help: {
    summary: "Show what a command does and takes",
    usage: "[COMMAND]",
    examples: ["nido help spawn"],
    group: "terminal",
    run: async (argv) => (await import("./help.ts")).help(argv),
  },
};
