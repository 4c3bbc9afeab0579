import { z } from "zod";
import { NidoError } from "../../errors.ts";
import { killLine } from "../kill.ts";
import { utf8Part } from "../output.ts";
import { inWords, lastLine, runScript, type ScriptAnswer } from "../script.ts";
import { commandLine, type Setting, shown } from "../shell_words.ts";
import type { SshSession } from "../ssh.ts";
import { CONDEMN, GIVE, START, SUPERVISE, TELL, WAIT } from "./scripts.ts";

/** What a job is, derived from its files and processes in the guest. */
export const JOB_STATES = ["running", "exited", "killed", "lost"] as const;

/** A command that runs, or ran, in the background of a guest. */
export interface Job {
  /** Its id inside its VM: six hexadecimal digits. */
  id: string;
  state: (typeof JOB_STATES)[number];
  /** 128 + n when signal n ended it; absent until it ended by itself. */
  exitCode?: number;
  /** Its command, cut to one short line. */
  command: string;
  /** Whom it runs as, if not as the login user. */
  user?: string;
  startedAt: string;
  endedAt?: string;
  stdoutBytes: number;
  stderrBytes: number;
  /** Whether the command, or something that it left behind, is there. */
  isAlive: boolean;
  pid: number;
}

/** A command to run in the background. */
export interface JobRequest extends Setting {
  command: string[];
  stdin?: string;
  signal?: AbortSignal;
}

const START_MS = 60_000;
const about = z.object({ command: z.string().max(200), user: z.string().max(64).optional() });

/** Starts a command that outlives the connection, and gives its id inside the guest. */
export async function startJob(session: SshSession, request: JobRequest): Promise<string> {
  const { command, signal } = request;
  const asUser = request.asUser === session.user ? undefined : request.asUser;
  const setting: Setting = { cwd: request.cwd, env: request.env, asUser };
  const doing = `run "${shown(command)}"`;
  const line = `cd 2>/dev/null || cd /; ${commandLine(command, setting)}`;
  if (asUser !== undefined || request.cwd !== undefined) {
    await checkSetting(session, setting, doing, signal);
  }
  const id = crypto.getRandomValues(new Uint8Array(3)).toHex();
  const stdin = new TextEncoder().encode(request.stdin ?? "");
  const facts = JSON.stringify({ command: shown(command), user: asUser });
  const words = [id, line, facts, stdin.length, SUPERVISE];
  const timeoutMs = START_MS;
  const said = await runScript(session, { doing, text: START, words, stdin, signal, timeoutMs });
  if (new TextDecoder().decode(said.stdout).trim() === "begun") return id;
  const reason = lastLine(said.stderr) || "it gave no reason";
  const isFull = /no space left|quota exceeded/i.test(reason);
  throw new NidoError(
    isFull ? "exhausted" : "tool_failed",
    `Cannot ${doing} in the background of VM "${session.name}": ${reason}`,
    { hint: `nido exec ${session.name} -- df -h` },
  );
}

/** Says at once what would otherwise be a job that fails without a word. */
async function checkSetting(
  session: SshSession,
  { cwd, asUser }: Setting,
  doing: string,
  signal?: AbortSignal,
): Promise<void> {
  try {
    await session.exec(["true"], { cwd, asUser, signal });
  } catch (error) {
    throw inWords(error, ["true"], doing);
  }
}

/** All jobs of a guest, the newest first. */
export async function listJobs(session: SshSession, signal?: AbortSignal): Promise<Job[]> {
  const said = await runScript(session, { doing: "list the jobs", text: TELL, signal });
  return readJobs(said).toSorted((a, b) => a.startedAt < b.startedAt ? 1 : -1);
}

/** Waits until a job has ended, but no longer than so many seconds; undefined when it isn't there. */
export async function waitForJob(
  session: SshSession,
  id: string,
  seconds: number,
  signal?: AbortSignal,
): Promise<Job | undefined> {
  const doing = `wait for job ${session.name}.${id}`;
  const words = [id, seconds];
  const timeoutMs = seconds * 1000 + START_MS;
  return readJobs(await runScript(session, { doing, text: WAIT, words, signal, timeoutMs }))[0];
}

/** Ends a job and everything it started; tells of it afterwards, and whether there was anything to end. */
export async function killJob(
  session: SshSession,
  id: string,
  signal?: AbortSignal,
): Promise<{ job: Job; wasAlive: boolean } | undefined> {
  const doing = `end job ${session.name}.${id}`;
  const look = async () =>
    readJobs(await runScript(session, { doing, text: TELL, words: [id], signal }))[0];
  const job = await look();
  if (!job?.isAlive) return job && { job, wasAlive: false };
  const text = CONDEMN + killLine(job.pid, false);
  const { exitCode } = await runScript(session, { doing, text, words: [id, job.pid], signal });
  if (exitCode !== 0 && exitCode !== 4) {
    throw new NidoError(
      "denied",
      `Cannot ${doing}: processes of it are left, and the guest's user may not end them`,
      { hint: `nido exec ${session.name} -- ps -s ${job.pid}` },
    );
  }
  return { job: await look() ?? job, wasAlive: exitCode === 0 };
}

/** Which part of a stream is wanted. */
export interface Part {
  /** Counted from the end if negative. */
  offset: number;
  length: number;
}

/** A part of one stream of a job. */
export interface JobStream {
  text: string;
  /** Where the text begins; later than asked for when the log has no such bytes any more. */
  offset: number;
  /** How many bytes were wanted that the log does not have any more. */
  missingBytes: number;
  nextOffset: number;
  totalBytes: number;
  /** Whether nothing follows, now or later. */
  isComplete: boolean;
  /** Whether the guest had no room for all of it. */
  isCutShort: boolean;
}

/** Gives a part of each stream of a job; undefined when the job isn't there. */
export async function readJobOutput(
  session: SshSession,
  id: string,
  { stdout, stderr }: Record<"stdout" | "stderr", Part>,
  signal?: AbortSignal,
): Promise<Record<"stdout" | "stderr", JobStream> | undefined> {
  const doing = `read the output of job ${session.name}.${id}`;
  const words = [id, stdout.offset, stdout.length, stderr.offset, stderr.length];
  const said = await runScript(session, { doing, text: GIVE, words, signal });
  if (said.stdout.length === 0) return undefined;
  const broken = () =>
    new NidoError("integrity", `Cannot ${doing}: the guest's answer can't be understood`);
  const out = readStream(said.stdout, stdout);
  const err = readStream(said.stderr, stderr);
  if (!out || !err) throw broken();
  return { stdout: out, stderr: err };
}

function readStream(said: Uint8Array, { offset, length }: Part): JobStream | undefined {
  const end = said.indexOf(10);
  const facts = new TextDecoder().decode(said.subarray(0, Math.max(end, 0)));
  if (!/^\d{1,15}( \d{1,15}){2} [01] [01]$/.test(facts)) return undefined;
  const [total, asked, at, ended, full] = facts.split(" ").map(Number) as Five;
  const bytes = said.subarray(end + 1, end + 1 + length);
  const isEnd = ended === 1 && at + bytes.length >= total;
  // Bytes that the log does not have any more follow: what they would have ended never ends.
  const isEdge = bytes.length < length && at + bytes.length < total;
  const mayBeginInside = at > asked || offset < 0;
  const part = utf8Part(bytes, { mayBeginInside, isEnd: isEnd || isEdge });
  const nextOffset = at + part.skipped + part.size;
  return {
    text: part.text,
    offset: at + part.skipped,
    missingBytes: at - asked,
    nextOffset,
    totalBytes: total,
    isComplete: isEnd,
    isCutShort: full === 1,
  };
}

type Five = [number, number, number, number, number];

function readJobs({ stdout }: ScriptAnswer): Job[] {
  const lines = new TextDecoder().decode(stdout).split("\n");
  return lines.flatMap((line, index) => {
    const found = JOB_LINE.exec(line)?.groups;
    return found ? [readJob(found, lines[index + 1] ?? "")] : [];
  });
}

const JOB_LINE = new RegExp(
  "^(?<id>[0-9a-f]{6}) (?<alive>[01]) (?<killed>[01]) (?<code>-|\\d{1,3}) (?<ended>-|\\d{1,11}) " +
    "(?<started>\\d{1,11}) (?<pid>\\d{1,10}) (?<out>\\d{1,15}) (?<err>\\d{1,15})$",
);

function readJob(found: Record<string, string>, told: string): Job {
  const { id = "", alive, killed, code, ended, started, pid, out, err } = found;
  const isAlive = alive === "1";
  const hasCode = code !== "-" && Number(code) < 256;
  return {
    id,
    state: killed === "1" && !(isAlive && !hasCode)
      ? "killed"
      : hasCode
      ? "exited"
      : isAlive
      ? "running"
      : "lost",
    exitCode: hasCode ? Number(code) : undefined,
    ...readAbout(told),
    startedAt: time(started!),
    endedAt: ended === "-" ? undefined : time(ended!),
    stdoutBytes: Number(out),
    stderrBytes: Number(err),
    isAlive,
    pid: Number(pid),
  };
}

function readAbout(told: string): z.output<typeof about> {
  try {
    return about.parse(JSON.parse(told));
  } catch {
    return { command: "" }; // the guest's user wrote over it: only less is told
  }
}

function time(seconds: string): string {
  return new Date(Number(seconds) * 1000).toISOString();
}
