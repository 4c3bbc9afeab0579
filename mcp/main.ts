import { renderFailure } from "../lib/cli/run.ts";
import { writeErr, writeOut } from "../lib/cli/streams.ts";
import { toNidoError } from "../lib/errors.ts";
import { readOptions } from "./options.ts";

/** Answers `nido mcp`. */
export async function mcp(argv: string[]): Promise<number> {
  // Standard output belongs to the protocol.
  console.log = console.info = console.debug = console.error;
  try {
    const { setup, http, describe, showToken } = await readOptions(argv);
    if (showToken) {
      const { readToken } = await import("./http/token.ts");
      writeOut(`${await readToken(setup.home)}\n`);
      return 0;
    }
    const { makeService } = await import("./service.ts");
    const service = await makeService(setup);
    if (describe) {
      const { description } = await import("./describe.ts");
      writeOut(`${JSON.stringify(await description(service), null, 2)}\n`);
      return 0;
    }
    if (http) {
      const { serveHttp } = await import("./http/listen.ts");
      return await serveHttp(service, http, (line) => writeErr(`${line}\n`));
    }
    const { serveStdio } = await import("./stdio.ts");
    return await serveStdio(service);
  } catch (thrown) {
    return renderFailure("mcp", toNidoError(thrown), { json: false, quiet: false });
  }
}
