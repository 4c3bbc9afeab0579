import { startNido } from "../../helpers/command.ts";

/** The real HTTP server as a process, for the length of a test. */
export async function serve(home: string): Promise<AsyncDisposable & { url: string }> {
  const child = startNido(["mcp", "--http", "--listen", "127.0.0.1:0"], { home });
  const reader = child.stderr.pipeThrough(new TextDecoderStream()).getReader();
  let said = "";
  while (!/\/mcp\n/.test(said)) said += (await reader.read()).value ?? "";
  return {
    url: /http:\/\/\S+\/mcp/.exec(said)![0],
    async [Symbol.asyncDispose]() {
      child.kill("SIGTERM");
      await Promise.all([
        child.status,
        reader.cancel(),
        child.stdout.cancel(),
        child.stdin.close(),
      ]);
    },
  };
}
