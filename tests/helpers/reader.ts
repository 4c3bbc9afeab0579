import { join } from "node:path";
import { readerProgram } from "../../lib/guest/reader_program.ts";
import { fromFileUrl } from "./paths.ts";
import { finish } from "./sshd.ts";

/** What a reader in a folder answers: besides the answer itself, what it would have done. */
export interface Told {
  renewed?: true;
  problems?: string[];
  quiet?: boolean;
  error?: string;
  told: unknown[][];
  later: string[][];
}

/** The guest's reader, run by this machine's Python with a folder as its root. */
export interface FolderReader extends AsyncDisposable {
  root: string;
  pid: number;
  /** Connects as a host does, until it is disposed of. */
  host(): Promise<Deno.FsFile>;
  /** The next answer. */
  answer(): Promise<Told>;
  /** Sends one request as a host that comes, asks and leaves. */
  ask(request: unknown): Promise<Told>;
}

/** Starts a reader whose root holds `files`: text by path, or the target of a link after `-> `. */
export async function startReader(files: Record<string, string> = {}): Promise<FolderReader> {
  const folder = await Deno.makeTempDir({ prefix: "nido-reader-" });
  const [root, fifo, program] = ["root", "port", "reader.py"].map((name) => join(folder, name));
  for (const [path, content] of Object.entries(files)) {
    const full = join(root!, path);
    await Deno.mkdir(join(full, ".."), { recursive: true });
    if (content.startsWith("-> ")) await Deno.symlink(content.slice(3), full);
    else await Deno.writeTextFile(full, content);
  }
  await finish("mkfifo", [fifo!]);
  await Deno.writeTextFile(program!, readerProgram);
  const process = new Deno.Command("/usr/bin/python3", {
    args: ["-I", "-S", fromFileUrl("../fixtures/reader_in_folder.py"), program!, root!, fifo!],
    stdin: "null",
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const lines = linesOf(process.stdout);
  const host = () => Deno.open(fifo!, { write: true });
  const answer = async () => JSON.parse((await lines.next()).value!) as Told;
  return {
    root: root!,
    pid: process.pid,
    host,
    answer,
    async ask(request) {
      using file = await host();
      await file.write(new TextEncoder().encode(`${JSON.stringify(request)}\n`));
      return await answer();
    },
    async [Symbol.asyncDispose]() {
      process.kill("SIGKILL");
      await lines.return();
      await process.status;
      await Deno.remove(folder, { recursive: true });
    },
  };
}

async function* linesOf(stream: ReadableStream<Uint8Array<ArrayBuffer>>): AsyncGenerator<
  string,
  void
> {
  let text = "";
  for await (const piece of stream.pipeThrough(new TextDecoderStream())) {
    const lines = (text + piece).split("\n");
    text = lines.pop()!;
    yield* lines;
  }
}
