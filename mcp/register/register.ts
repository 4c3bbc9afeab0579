import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { renderFailure } from "../../lib/cli/run.ts";
import { writeErr, writeOut } from "../../lib/cli/streams.ts";
import { NidoError, toNidoError } from "../../lib/errors.ts";
import { nearestName } from "../../lib/nearest_name.ts";
import { homePath } from "../../lib/store/home.ts";
import { readToken } from "../http/token.ts";
import { DEFAULT_LISTEN, readOptions } from "../options.ts";
import { type Client, clients, thisPlace, type Way } from "./clients.ts";
import { blockOf, mergeIntoFile } from "./merge.ts";

/** Answers `nido register`. */
export async function register(argv: string[]): Promise<number> {
  try {
    const { values, positionals } = parse(argv);
    const client = findClient(values.client ?? "generic");
    const file = client.file?.(thisPlace());
    if (values.remove) return await remove(client, file);
    const entry = client.entry(await way(values.http === true, positionals));
    if (!entry) {
      throw refused(
        `${client.name} takes no HTTP server from its file`,
        "nido register, without --http",
      );
    }
    if (!values.write) {
      writeErr(file ? `For ${file}:\n` : "For the file of your client:\n");
      writeOut(withNewline(await blockOf(client, entry)));
      return 0;
    }
    if (!file) {
      throw refused("--write needs a client that has a file of its own", "nido register --help");
    }
    const { isChanged, backup } = await mergeIntoFile(client, file, entry);
    writeOut(
      isChanged
        ? `Registered with ${client.name} in ${file}\n`
        : `${client.name} knows Nido already: ${file}\n`,
    );
    if (backup) writeOut(`The file as it was: ${backup}\n`);
    if (isChanged) writeOut(`Restart ${client.name} to use it.\n`);
    return 0;
  } catch (thrown) {
    return renderFailure("register", toNidoError(thrown), { json: false, quiet: false });
  }
}

async function remove(client: Client, file: string | undefined): Promise<number> {
  if (!file) {
    throw refused("--remove needs a client that has a file of its own", "nido register --help");
  }
  const { isChanged, backup } = await mergeIntoFile(client, file, undefined);
  writeOut(
    isChanged
      ? `Removed from ${client.name} in ${file}\nThe file as it was: ${backup}\n`
      : `${client.name} does not know Nido: ${file}\n`,
  );
  return 0;
}

function parse(argv: string[]) {
  try {
    return parseArgs({
      args: argv,
      strict: true,
      allowPositionals: true,
      options: {
        client: { type: "string" },
        write: { type: "boolean" },
        remove: { type: "boolean" },
        http: { type: "boolean" },
      },
    });
  } catch (thrown) {
    throw refused((thrown as Error).message.replace(/\. To specify.*$/s, ""));
  }
}

function findClient(name: string): Client {
  const client = clients.find((client) => client.name === name);
  if (client) return client;
  const names = clients.map(({ name }) => name);
  const nearest = nearestName(name, names);
  throw refused(
    `there is no client "${name}"${nearest ? `; the nearest is "${nearest}"` : ""}`,
    `nido register --client ${nearest ?? names.join("|")}`,
  );
}

/** How this very Nido is started, or reached; what follows `--` goes to `nido mcp`. */
async function way(isHttp: boolean, rest: string[]): Promise<Way> {
  // A wrong flag is found here and not by a client that shows no errors.
  const { setup: { workspace } } = await readOptions(rest);
  const home = homePath();
  if (isHttp) {
    if (rest.length > 0) {
      throw refused(
        `over HTTP, ${rest.join(" ")} is for the server and not for its client`,
        `nido mcp --http ${rest.join(" ")}`,
      );
    }
    return {
      url: `http://${DEFAULT_LISTEN}/mcp`,
      headers: { Authorization: `Bearer ${await readToken(home)}` },
    };
  }
  const main = Deno.mainModule;
  const path = main.startsWith("file:") ? fileURLToPath(main) : main;
  const env = Deno.env.get("NIDO_HOME");
  return {
    command: Deno.execPath(),
    args: [
      ...(Deno.build.standalone ? [] : ["run", "-A", path]),
      "mcp",
      ...absolute(rest, workspace),
    ],
    ...(env ? { env: { NIDO_HOME: home } } : {}),
  };
}

/** A client starts Nido in a folder of its own, where relative paths mean something else. */
function absolute(flags: string[], workspace?: string): string[] {
  return flags.map((word, index) => {
    const [flag, value] = word.startsWith("--") ? word.split("=", 2) : [flags[index - 1], word];
    const path = flag === "--workspace"
      ? workspace
      : flag === "--policy" && value?.includes(".")
      ? resolve(value)
      : undefined;
    if (path === undefined || value === undefined) return word;
    return word.startsWith("--") ? `${flag}=${path}` : path;
  });
}

function withNewline(text: string): string {
  return text.endsWith("\n") ? text : `${text}\n`;
}

function refused(fact: string, hint = "nido register --help"): NidoError {
  return new NidoError("invalid_input", `Cannot register: ${fact}`, { hint });
}
