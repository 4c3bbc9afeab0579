import { dirname } from "node:path";
import { z } from "zod";
import type { Context } from "../context.ts";
import { operation } from "../operation.ts";

/** One Deno flag that Nido needs, and why. */
interface Permission {
  flag: string;
  reason: string;
}

/** The programs that Nido runs, each by its name. */
const PROGRAMS = {
  linux: ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-img", "ps", "kill", "ssh"],
  darwin: ["qemu-system-x86_64", "qemu-system-aarch64", "qemu-img", "ps", "kill", "ssh"],
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
  "TMPDIR",
  "USER",
  "XDG_RUNTIME_DIR",
  "NO_COLOR",
];

const SYSTEM_FACTS = ["cpus", "homedir", "hostname", "osRelease", "systemMemoryInfo", "uid"];

/** The Deno flags with which this home works, narrowest first. */
export function permissionsFor(home: string): Permission[] {
  const system = Deno.build.os === "windows"
    ? "windows"
    : Deno.build.os === "darwin"
    ? "darwin"
    : "linux";
  const read = [home, ...runFolders(home), ...FIRMWARE[system]];
  const write = [home, ...runFolders(home)];
  return [
    {
      flag: `--allow-run=${PROGRAMS[system].join(",")}`,
      reason: "QEMU and its image tool; ps and kill to know and end only its own processes; " +
        "ssh for the interactive shell",
    },
    {
      flag: `--allow-read=${read.join(",")}`,
      reason: "the home, the folders of its sockets, the firmware; add the files you name yourself",
    },
    {
      flag: `--allow-write=${write.join(",")}`,
      reason: "the home and the folders of its sockets; add the folders you copy to",
    },
    {
      flag: "--allow-net",
      reason: "unscoped, because Deno names unix sockets one by one and each VM has its own; " +
        "Nido itself connects to 127.0.0.1 and its own sockets only",
    },
    {
      flag: `--allow-env=${VARIABLES.join(",")}`,
      reason: "where the home and the programs are, and whether to use colour",
    },
    {
      flag: `--allow-sys=${SYSTEM_FACTS.join(",")}`,
      reason: "the memory and processors that VMs share, and whose files these are",
    },
  ];
}

function runFolders(home: string): string[] {
  if (Deno.build.os === "windows") return [];
  const named = Deno.env.get("XDG_RUNTIME_DIR");
  const folders = ["/tmp", named].filter((folder) => folder !== undefined && folder !== "");
  return (folders as string[]).filter((folder) => folder !== dirname(home));
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
  // deno-lint-ignore require-await
  run: async (context: Context) => {
    const permissions = permissionsFor(context.home);
    return {
      flags: permissions.map(({ flag }) => flag),
      reasons: permissions.map(({ flag, reason }) => ({ flag: flag.split("=")[0]!, reason })),
    };
  },
});
