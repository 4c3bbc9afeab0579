import { NidoError } from "../errors.ts";
import { asRoot, type Said } from "./as_root.ts";
import { printable } from "../printable.ts";
import { readAnswer } from "./reader_link.ts";
import { readerName, readerProgram } from "./reader_program.ts";
import type { Renewal, Renewed } from "./renewal.ts";
import type { SshSession } from "./ssh.ts";

export { ReaderLink } from "./reader_link.ts";

const START_MS = 120_000;
const RENEW_MS = 120_000;

// Each fact that stops it ends the script with its own line. The folder is in memory, so that no
// guest's disk holds the program.
const INSTALL = `set -u
name=$1
command -v python3 >/dev/null 2>&1 || { echo no-python; exit 0; }
[ -e /dev/virtio-ports/org.nido.hatch.0 ] || { echo no-port; exit 0; }
waits() {
  read -r pid waiting </run/nido/waiting && [ "$waiting" = "$name" ] &&
    tr '\\0' ' ' <"/proc/$pid/cmdline" | grep -q "reader.py wait $name"
} 2>/dev/null
waits && { echo waits; exit 0; }
set -e
umask 077
mkdir -p /run/nido
chmod 700 /run/nido
cat >/run/nido/reader.py
read -r old rest 2>/dev/null </run/nido/waiting || old=
rm -f /run/nido/waiting
if [ -d /run/systemd/system ]; then
  systemctl stop nido-reader.service 2>/dev/null || :
  systemctl reset-failed nido-reader.service 2>/dev/null || :
  systemd-run --quiet --collect --unit=nido-reader --property=KillMode=process \\
    python3 -I -S /run/nido/reader.py wait "$name"
else
  if [ -n "$old" ] && grep -q reader.py "/proc/$old/cmdline" 2>/dev/null; then kill "$old"; fi
  setsid python3 -I -S /run/nido/reader.py wait "$name" </dev/null >/dev/null 2>/run/nido/log &
fi
for i in $(seq 300); do
  waits && { echo waits; exit 0; }
  sleep 0.2
done
echo silent
`;

const FACTS: Record<string, string> = {
  "no-python": "it has no python3",
  "no-port": "it has no port org.nido.hatch.0",
  "silent": "the program that renews it did not begin to wait",
};

/**
 * Leaves the program that renews a guest waiting at its port, as root and outside of any login
 * session. Where it waits already, nothing is done; another version of it is replaced.
 */
export async function installReader(session: SshSession): Promise<void> {
  const said = await asRoot(session, ["sh", "-c", INSTALL, "sh", await readerName()], {
    stdin: ReadableStream.from([new TextEncoder().encode(readerProgram)]),
    timeoutMs: START_MS,
  });
  if (said.stdout.trim() === "waits") return;
  throw unavailable(`Cannot prepare VM "${session.name}" to be frozen`, said);
}

/** Renews a guest whose port does not answer: the same program, run once over SSH. */
export async function renewOverSsh(session: SshSession, renewal: Renewal): Promise<Renewed> {
  const started = performance.now();
  const ready = Promise.withResolvers<void>();
  const stdin = new ReadableStream<Uint8Array>({
    async pull(controller) {
      await ready.promise; // the guest may take seconds until then, and the time in it counts
      const at = renewal.at + (performance.now() - started) / 1000;
      controller.enqueue(new TextEncoder().encode(`${JSON.stringify({ ...renewal, at })}\n`));
      controller.close();
    },
  });
  const said = await asRoot(session, ["python3", "-I", "-S", "-c", readerProgram, "once"], {
    stdin,
    timeoutMs: RENEW_MS,
    heard: (text) => text.includes("\n") && ready.resolve(),
  });
  for (const line of said.stdout.split("\n")) {
    const answer = readAnswer(line);
    if (answer) return answer;
  }
  throw unavailable(`Cannot renew VM "${session.name}"`, said);
}

function unavailable(cannot: string, said: Said): NidoError {
  const lastLine = printable(said.stderr).trim().split("\n").at(-1);
  const fact = said.refusal ?? FACTS[said.stdout.trim()] ??
    `the program for it ended with exit code ${said.exitCode}${lastLine && `: ${lastLine}`}`;
  return new NidoError("unavailable", `${cannot}: ${fact}`, {
    hint: `nido exec ${said.vm} -- sudo python3 --version`,
  });
}
