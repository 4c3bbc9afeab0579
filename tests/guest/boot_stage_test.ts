import assert from "node:assert/strict";
import { BOOT_STAGES, type BootSeen, readBoot } from "../../lib/guest/boot_stage.ts";
import { fromFileUrl } from "../helpers/paths.ts";

/** What a real console said, cut to the lines that matter and some that must not. */
async function sample(name: string): Promise<string> {
  return await Deno.readTextFile(fromFileUrl(`../fixtures/consoles/${name}.log`));
}

/** The stages in the order in which a console tells them, `-` for a new beginning. */
function told(console: string, pieceSize = 100): string[] {
  const stages: string[] = [];
  let seen: BootSeen = { reboots: 0, rest: "" };
  for (let at = 0; at < console.length; at += pieceSize) {
    const next = readBoot(console.slice(at, at + pieceSize), seen);
    if (next.reboots > seen.reboots) stages.push("-");
    if (next.stage && (next.stage !== seen.stage || next.reboots > seen.reboots)) {
      stages.push(next.stage);
    }
    seen = next;
  }
  return stages;
}

Deno.test("a whole life of Debian 12 goes through the stages, and its shutdown changes nothing", async () => {
  const debian = await sample("debian_12");
  for (const pieceSize of [1, 7, 100]) {
    assert.deepEqual(told(debian, pieceSize), ["kernel", "network", "ssh", "cloud-init"]);
  }
  assert.equal(readBoot(debian).stage, "cloud-init");
  assert.equal(readBoot(debian).reboots, 0);
});

Deno.test("a reboot begins anew, by firmware, by kernel or by Linux's last line", async () => {
  const [debian, ovmf] = await Promise.all([sample("debian_12"), sample("ovmf")]);
  const boot = ["kernel", "network", "ssh", "cloud-init"];
  assert.deepEqual(told(ovmf + debian + ovmf), ["firmware", ...boot, "-", "firmware"]);
  assert.deepEqual(told(debian + debian), [...boot, "-", ...boot]);
  assert.deepEqual(told(`${debian}[  400.123456] reboot: Restarting system\r\n`, 1), [
    ...boot,
    "-",
  ]);
});

const LINES: [string, string][] = [
  ["SeaBIOS (version 1.16.2-debian-1.16.2-1)", "firmware"],
  ["Booting from Hard Disk...", "firmware"],
  ["iPXE (http://ipxe.org) 00:03.0 CA00 PCI2.10 PnP PMM", "firmware"],
  ["UEFI firmware (version 2022.11-6+deb12u2 built at 08:26:14 on Dec  1 2024)", "firmware"],
  ['BdsDxe: loading Boot0001 "UEFI Misc Device" from PciRoot(0x0)', "firmware"],
  ["                             GNU GRUB  version 2.06-13+deb12u1", "firmware"],
  ["  Booting `Debian GNU/Linux'", "firmware"],
  ["EFI stub: Booting Linux Kernel...", "kernel"],
  ["[    0.000000] Booting Linux on physical CPU 0x0000000000 [0x411fd070]", "kernel"],
  ["[    1.250562] audit: initializing netlink subsys (disabled)", "kernel"],
  ["Welcome to Fedora Linux 41 (Cloud Edition)!", "kernel"],
  ["   OpenRC 0.55.1 is starting up Linux 6.12.1-0-virt (x86_64)", "kernel"],
  ["[  OK  ] Reached target Network.", "network"],
  ["[  OK  ] Reached target network-online.target - Network is Online.", "network"],
  ["[  OK  ] Started NetworkManager.service - Network Manager.", "network"],
  ["         Starting networking.service - Raise network interfaces...", "network"],
  [" * Starting networking ... *   eth0 ...", "network"],
  ["udhcpc: lease of 10.0.2.15 obtained from 10.0.2.2, lease time 86400", "network"],
  ["DHCPDISCOVER on ens3 to 255.255.255.255 port 67 interval 3", "network"],
  ["ci-info: +++++++++++++Net device info+++++++++++++", "network"],
  ["         Starting OpenBSD Secure Shell server...", "ssh"],
  ["[  OK  ] Started sshd.service - OpenSSH server daemon.", "ssh"],
  [" * Starting sshd ... [ ok ]", "ssh"],
  ["Generating public/private ed25519 key pair.", "ssh"],
  ["-----BEGIN SSH HOST KEY KEYS-----", "ssh"],
  ["         Starting Execute cloud user/final scripts...", "cloud-init"],
  ["         Starting cloud-final.service - Cloud-init: Final Stage...", "cloud-init"],
  ["Cloud-init v. 24.4.1 finished at Sun, 01 Jun 2025 10:00:00 +0000. Up 20 seconds", "cloud-init"],
]; // deno-fmt-ignore

for (const [line, stage] of LINES) {
  Deno.test(`${JSON.stringify(line.trim().slice(0, 50))} is of stage ${stage}`, () => {
    assert.equal(readBoot(`${line}\r\n`).stage, stage);
    assert.equal(readBoot(line).stage, undefined, "a line counts when it is finished");
  });
}

Deno.test("lines that only look alike tell nothing", () => {
  for (
    const line of [
      "",
      "Listening on systemd-networkd.socket - Network Service Netlink Socket.",
      "[  OK  ] Reached target network-pre.target - Preparation for Network.",
      "[  OK  ] Reached target Remote File Systems.",
      "Stopped ssh.service - OpenBSD Secure Shell server.",
      "web login: ",
    ]
  ) assert.equal(readBoot(`${line}\n`).stage, undefined, line);
});

Deno.test("a flood without line ends is neither kept nor slow", () => {
  let seen = readBoot("x".repeat(1 << 20));
  assert.ok(seen.rest.length < 4096);
  const began = performance.now();
  seen = readBoot("Starting ".repeat(100_000) + "\n" + "Starting \n".repeat(20_000), seen);
  assert.ok(performance.now() - began < 5_000);
  assert.equal(seen.stage, undefined);
  assert.deepEqual(BOOT_STAGES.length, 5);
});
