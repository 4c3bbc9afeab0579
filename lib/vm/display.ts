import { z } from "zod";
import type { Context } from "../context.ts";
import { field, operation } from "../operation.ts";
import type { Qmp } from "../qemu/qmp.ts";
import {
  mustBe,
  mustBeSound,
  socketPath,
  type SoundVm,
  vmField,
  withMonitor,
  withVm,
} from "./vm.ts";

const input = z.strictObject({
  name: vmField,
  show: z.enum(["on", "off"]).describe(
    "on: listen on a loopback port; off: only the private socket",
  ),
});

const output = z.strictObject({
  name: z.string().describe("Name of the VM"),
  isShown: z.boolean().describe("Whether its screen can be reached on a loopback port"),
  host: z.string().optional().describe("Always loopback"),
  port: z.int().min(1).max(65535).optional().describe("VNC port"),
  password: field("secret", z.string()).optional().describe(
    "VNC password, good until it is shown again",
  ),
  command: z.string().optional().describe("A command that shows the screen"),
});

/** Shows a running VM's screen on a loopback port with a new password, or takes it back. */
export async function display(
  context: Context,
  { name, show }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  return await withVm(context, name, "show", async (vm) => {
    mustBe(vm, "show", ["running", "paused"]);
    const sound = mustBeSound(vm);
    return await withMonitor(
      context,
      sound,
      "work",
      (qmp) => show === "on" ? open(qmp, sound) : close(context, qmp, sound),
    );
  });
}

async function open(qmp: Qmp, vm: SoundVm): Promise<z.input<typeof output>> {
  const password = newPassword();
  await qmp.execute("set_password", { protocol: "vnc", password });
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  await listen(qmp, { type: "inet", host: "127.0.0.1", port: String(port) });
  return {
    name: vm.name,
    isShown: true,
    host: "127.0.0.1",
    port,
    password,
    command: `vncviewer 127.0.0.1::${port}`,
  };
}

async function close(context: Context, qmp: Qmp, vm: SoundVm): Promise<z.input<typeof output>> {
  const path = await socketPath(context, vm, "vnc");
  await qmp.execute("set_password", { protocol: "vnc", password: newPassword() });
  await listen(qmp, { type: "unix", path });
  await Deno.chmod(path, 0o600);
  return { name: vm.name, isShown: false };
}

async function listen(qmp: Qmp, address: Record<string, string>): Promise<void> {
  await qmp.execute("display-update", { type: "vnc", addresses: [address] });
}

// VNC's own authentication looks at eight characters at most.
function newPassword(): string {
  return crypto.getRandomValues(new Uint8Array(6)).toBase64({ alphabet: "base64url" });
}

export default operation({
  name: "vm.display",
  summary: "Show or hide a VM's screen on a loopback port",
  description:
    "Opens the screen for a VNC viewer on this host with a new password, or closes it again.",
  effect: "change",
  input,
  output,
  positional: ["name", "show"],
  examples: ["nido display web on", "nido display web off"],
  text: (shown) =>
    shown.isShown
      ? `"${shown.name}" shows itself at 127.0.0.1:${shown.port}, password ${shown.password}\n  ${shown.command}`
      : `"${shown.name}" is private again`,
  run: display,
});
