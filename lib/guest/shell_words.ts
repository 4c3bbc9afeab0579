import { NidoError } from "../errors.ts";

// Linux refuses a single argument of 128 KiB or more (MAX_ARG_STRLEN), and the guest's login shell
// gets the whole line as one.
const MAX_LINE_BYTES = 131_000;

/** A user of a guest: nothing that could be an option, a number or more than one word. */
export const GUEST_USER = /^[A-Za-z_][A-Za-z0-9_.-]{0,31}$/;

/** One word as a POSIX shell reads it back, byte for byte. A NUL can't be carried. */
export function quote(word: string): string {
  if (word.includes("\0")) {
    throw new NidoError("invalid_input", `Cannot pass ${JSON.stringify(word)}: it holds a NUL`);
  }
  if (!word.isWellFormed()) {
    throw new NidoError("invalid_input", `Cannot pass ${JSON.stringify(word)}: it is not Unicode`);
  }
  return /^[A-Za-z0-9_@%+:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** How a command is shown in messages: its words, cut to one short line. */
export function shown(command: string[]): string {
  const line = command.join(" ").replaceAll(/\p{C}+/gu, " ");
  return line.length > 60 ? `${line.slice(0, 57)}...` : line;
}

/** Where and as whom a command runs. */
export interface Setting {
  cwd?: string;
  env?: Record<string, string>;
  /** Another user, entered with `sudo`. */
  asUser?: string;
}

/**
 * The line for the guest's login shell. Before the command takes the shell's place it tells on
 * stderr, marked with `token`, its process id; given a user, that it runs `as` it or what is missing
 * (`nosudo`, `nouser`); given a folder, whether it is `in` it or `out`. Without a token it tells nothing.
 */
export function commandLine(command: string[], setting: Setting, token?: string): string {
  checkCommand(command);
  const tell: Tell = (word) => token === undefined ? ":" : `echo ${token} ${word} >&2`;
  const steps = [...inFolder(setting.cwd, tell), ...withEnv(setting.env ?? {})];
  const inner = [...steps, `exec ${command.map(quote).join(" ")}`].join("; ");
  const line = setting.asUser === undefined
    ? `${tell("$$")}; ${inner}`
    : `${tell("$$")}; ${asUser(setting.asUser, inner, tell)}`;
  if (new TextEncoder().encode(line).length > MAX_LINE_BYTES) {
    throw new NidoError(
      "invalid_input",
      `Cannot run "${shown(command)}": the command line is longer than 128 KiB`,
      { hint: "nido exec --help" },
    );
  }
  return line;
}

/** The shell's words for telling one. */
type Tell = (word: string) => string;

function checkCommand(command: string[]): void {
  const program = command[0];
  if (!program) throw new NidoError("invalid_input", "Cannot run a command: none was given");
  if (program.startsWith("-")) {
    throw new NidoError(
      "invalid_input",
      `Cannot run "${shown(command)}": a program's name can't begin with a dash`,
    );
  }
}

/** Runs a script as another user, in its home: sudo itself stays in the folder it was called in. */
function asUser(user: string, script: string, tell: Tell): string {
  if (!GUEST_USER.test(user)) {
    throw new NidoError(
      "invalid_input",
      `Cannot run a command as ${
        JSON.stringify(user)
      }: a user's name has letters, digits and . _ - ` +
        "only, and starts with a letter or _",
    );
  }
  const without = (word: string) => `|| { ${tell(word)}; exit 125; }`;
  const inner = `${tell("as")}; cd 2>/dev/null || cd /; ${script}`;
  return `command -v sudo >/dev/null 2>&1 ${without("nosudo")}; ` +
    `id -u ${user} >/dev/null 2>&1 ${without("nouser")}; ` +
    `exec sudo -n -H -u ${user} -- sh -c ${quote(inner)}`;
}

function inFolder(cwd: string | undefined, tell: Tell): string[] {
  if (cwd === undefined) return [];
  const path = cwd.startsWith("/") ? cwd : `./${cwd}`; // without it, CDPATH and options would count
  return [
    `cd ${quote(path)} 2>/dev/null || { ${tell("out")}; exit 125; }`,
    tell("in"),
  ];
}

function withEnv(env: Record<string, string>): string[] {
  return Object.entries(env).map(([name, value]) => {
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name)) {
      throw new NidoError(
        "invalid_input",
        `Cannot set the variable ${JSON.stringify(name)}: a name has letters, digits and _ only`,
      );
    }
    return `export ${name}=${quote(value)}`;
  });
}
