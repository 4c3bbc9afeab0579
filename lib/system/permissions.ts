import { z } from "zod";
import type { Context } from "../context.ts";
import { thisPlatform } from "../host/platform.ts";
import { operation } from "../operation.ts";
import { runRoot } from "../store/run_folder.ts";
import { thisCopy } from "./installed/copy.ts";

/** One Deno flag that Nido needs, and why. */
interface Permission {
  flag: string;
  reason: string;
}

/** The programs that Nido runs, each by its name. */
const PROGRAMS = {
  linux: ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-img", "ps", "kill", "ssh", "ss"],
  darwin: ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-img", "ps", "kill", "ssh", "lsof"],
  windows: ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-img", "tasklist", "taskkill", "ssh"],
};

/** Where firmware of virtual machines is installed. */
const FIRMWARE = {
  linux: ["/usr/share/qemu", "/usr/share/OVMF", "/usr/share/AAVMF", "/usr/share/edk2"],
  darwin: ["/opt/homebrew/share/qemu", "/usr/local/share/qemu"],
  windows: ["C:\\Program Files\\qemu"],
};

const VARIABLES = [
  "NIDO_HOME",
  "HOME",
  "LOCALAPPDATA",
  "PATH",
  "NO_COLOR",
  "TERM",
  "LOG_TOKENS", // these two are the yaml package's
  "LOG_STREAM",
  "NODE_V8_COVERAGE", // read by Deno itself when it starts QEMU
];

const SYSTEM_FACTS = ["homedir", "osUptime", "statfs", "systemMemoryInfo", "uid"];

/** The Deno flags with which this home works, narrowest first. */
export async function permissionsFor(home: string): Promise<Permission[]> {
  const { os, programFolders } = thisPlatform();
  const write = [...new Set([home, await runRoot(home)])].filter(isOutermost);
  const read = [...write, ...ownSources(), ...FIRMWARE[os], ...programFolders].filter(isOutermost);
  return [
    {
      flag: `--allow-run=${PROGRAMS[os].join(",")}`,
      reason: "QEMU and its image tool; ps and kill to know and end only its own processes; " +
        "ssh for the interactive shell; one to tell who holds a port",
    },
    {
      flag: `--allow-read=${read.join(",")}`,
      reason:
        "the home, the folders of its sockets, Nido's own sources, the firmware, and where programs " +
        "are looked for; add the files you name yourself",
    },
    {
      flag: `--allow-write=${write.join(",")}`,
      reason: "the home and the folders of its sockets; add the folders you copy to",
    },
    {
      flag: "--allow-net",
      reason: "unscoped, because Deno names unix sockets one by one and each VM has its own; " +
        "Nido connects to 127.0.0.1, its own sockets, and the servers of images, catalogs and releases",
    },
    {
      flag: `--allow-env=${VARIABLES.join(",")}`,
      reason: "where the home and the programs are, and what the terminal can show",
    },
    {
      flag: `--allow-sys=${SYSTEM_FACTS.join(",")}`,
      reason: "the memory and processors that VMs share, and whose files these are",
    },
  ];
}

/** A checkout, whose files are read when they are needed; another copy is read whole at its start. */
function ownSources(): string[] {
  const { kind, path } = thisCopy();
  return kind === "source" ? [path] : [];
}

/** Not inside another folder of the list. */
function isOutermost(path: string, _: number, all: string[]): boolean {
  return !all.some((other) => other !== path && path.startsWith(`${other}/`));
}

export default operation({
  name: "system.permissions",
  summary: "Print the exact Deno flags that this home needs",
  description:
    "The flags name every program, folder and variable that Nido uses, so that it can run " +
    "without --allow-all. Files outside the home that you name yourself must be added.",
  effect: "read",
  input: z.strictObject({}),
  output: z.strictObject({
    flags: z.array(z.string()).describe("Flags for deno run"),
    reasons: z.array(z.strictObject({
      flag: z.string().describe("Flag, without its value"),
      reason: z.string().describe("What it is for"),
    })).describe("Why each flag is needed"),
  }),
  examples: ["nido permissions"],
  text: ({ flags }) => flags.join("\n"),
  run: async (context: Context) => {
    const permissions = await permissionsFor(context.home);
    return {
      flags: permissions.map(({ flag }) => flag),
      reasons: permissions.map(({ flag, reason }) => ({ flag: flag.split("=")[0]!, reason })),
    };
  },
});
