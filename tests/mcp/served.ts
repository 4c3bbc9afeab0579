import { startNido } from "../helpers/command.ts";

/** The real HTTP server as a process. */
export interface ServerProcess extends AsyncDisposable {
  url: string;
  /** Asks it to end; gives how it did and how long that took. */
  end(): Promise<{ code: number; endedMs: number }>;
}

/** Starts the real HTTP server, for the length of a test. */
export async function serve(home: string, args: string[] = []): Promise<ServerProcess> {
  const child = startNido(["mcp", "--http", "--listen", "127.0.0.1:0", ...args], { home });
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!/\/mcp\n/.test(said)) said += (await reader.read()).value ?? "";
  const end = async () => {
    const since = performance.now();
    try {
      child.kill("SIGTERM");
    } catch {
      // it has ended
    }
    const { code } = await child.status;
    return { code, endedMs: performance.now() - since };
  };
  return {
    url: /http:\/\/\S+\/mcp/.exec(said)![0],
    end,
    async [Symbol.asyncDispose]() {
      await Promise.all([end(), reader.cancel(), child.stdout.cancel(), child.stdin.close()]);
    },
  };
}
