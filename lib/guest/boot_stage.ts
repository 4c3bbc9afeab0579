import { printable } from "../printable.ts";

/** What a guest goes through until it can be used, in this order. */
export const BOOT_STAGES = ["firmware", "kernel", "network", "ssh", "cloud-init"] as const;

/** One stage of a guest's way to being usable. */
export type BootStage = (typeof BOOT_STAGES)[number];

/** What a guest's console has told so far. */
export interface BootSeen {
  /** The furthest stage of the present boot; absent while the console has said nothing of it. */
  stage?: BootStage;
  /** How often the guest has begun anew. */
  reboots: number;
  /** The line that is not finished yet. */
  rest: string;
}

/** A line by which a stage is known. */
interface Sign {
  stage: BootStage;
  line: RegExp;
  /** After a later stage, this line means that the guest has begun anew. */
  begins?: boolean;
}

const SIGNS: Sign[] = [
  // SeaBIOS 1.x and its boot menu, iPXE's option ROM: on serial when the machine has no screen.
  {
    stage: "firmware",
    line: /^(SeaBIOS \(version |iPXE \(|Booting from (Hard Disk|DVD|ROM))/,
    begins: true,
  },
  // EDK II (OVMF, AAVMF) and its shell; U-Boot on arm64 images.
  {
    stage: "firmware",
    line: /^(BdsDxe: |UEFI firmware \(version |UEFI Interactive Shell|U-Boot \d)/,
    begins: true,
  },
  // GRUB 2, where its terminal is the serial port; then the first line of a menu entry.
  { stage: "firmware", line: /GNU GRUB +version|^GRUB loading|^ *Booting [`'].+'$/, begins: true },
  // Linux: `quiet` hides all but warnings; the EFI stub and a decompressor speak before printk does.
  {
    stage: "kernel",
    line: /^\[ +0\.000000\](\[ *T\d+\])? (Linux version |Booting Linux on )/,
    begins: true,
  },
  {
    stage: "kernel",
    line: /^(EFI stub: |Decompressing Linux|Loading Linux |Linux version |\[ *\d+\.\d{6}\])/,
  },
  // systemd 240-257: with the unit's name before the description since 249; OpenRC (Alpine).
  { stage: "kernel", line: /^Welcome to .+!$|^ *OpenRC \d\S* is starting up/ },
  {
    stage: "network",
    line:
      /(Reached target|Starting|Started|Finished) .*\bNetwork (is Online|Configuration|Manager)/,
  },
  { stage: "network", line: /Reached target (network\.target - )?Network\.?$/ },
  // ifupdown (Debian), cloud-init's networking on Ubuntu and Fedora's legacy script, OpenRC.
  {
    stage: "network",
    line: /(Starting|Started|Finished) .*Raise network interfaces|^ \* Starting networking/,
  },
  // ISC dhclient, udhcpc (Alpine, initramfs), dhcpcd.
  {
    stage: "network",
    line: /^(DHCP(DISCOVER|REQUEST|ACK|OFFER) |udhcpc: |dhcpcd-\d)|: leased \d+\.\d+/,
  },
  // cloud-init 18-25: its first two parts find the network, then it prints it as a table.
  { stage: "network", line: /Cloud-init v\. \S+ running '(init-local|init)'|\bci-info: / },
  // OpenSSH by systemd (Debian, Fedora), sysvinit, OpenRC; its log; host keys made by ssh-keygen.
  {
    stage: "ssh",
    line:
      /(Starting|Started) .*(OpenBSD Secure Shell server|OpenSSH (server )?daemon|OpenSSH Daemon)/i,
  },
  { stage: "ssh", line: /^ \* Starting (sshd|dropbear)|\bServer listening on \S+ port 22\b/ },
  {
    stage: "ssh",
    line: /(^|: )Generating public\/private \S+ key pair|-----BEGIN SSH HOST KEY KEYS-+/,
  },
  // cloud-init's last part, as it names it and as systemd does (its unit's name may be cut short).
  // The part before it is no sign: it runs beside the start of the SSH server.
  { stage: "cloud-init", line: /Cloud-init v\. \S+ (running 'modules:final'|finished at )/ },
  { stage: "cloud-init", line: /Starting .*(cloud user\/final scripts|Cloud-init: Final Stage)/i },
];

/** Linux's last line, shown even with `quiet`. */
const ENDS = /^\[ *\d+\.\d+\](\[ *T\d+\])? reboot: /;

/** A flood without line ends is no line: only its newest part is kept. */
const LONGEST_LINE = 2048;

/** Reads what the console said next; lines may be cut anywhere. */
export function readBoot(text: string, before: BootSeen = { reboots: 0, rest: "" }): BootSeen {
  const all = before.rest + text;
  const end = all.lastIndexOf("\n") + 1;
  const seen = { ...before, rest: all.slice(end).slice(-LONGEST_LINE) };
  for (const line of printable(all.slice(0, end)).split("\n")) {
    readLine(line.slice(-LONGEST_LINE).trimEnd(), seen);
  }
  return seen;
}

/** Whether a stage comes after another; everything comes after none. */
export function isLater(stage: BootStage, than: BootStage | undefined): boolean {
  return rank(stage) > rank(than);
}

function readLine(line: string, seen: BootSeen): void {
  if (ENDS.test(line)) return beginAnew(seen);
  for (const { stage, line: sign, begins } of SIGNS) {
    if (!begins && !isLater(stage, seen.stage)) continue; // no news, whatever the line says
    if (!sign.test(line)) continue;
    if (begins && isLater(seen.stage ?? stage, stage)) beginAnew(seen);
    if (isLater(stage, seen.stage)) seen.stage = stage;
  }
}

function beginAnew(seen: BootSeen): void {
  if (seen.stage) seen.reboots++;
  delete seen.stage;
}

function rank(stage: BootStage | undefined): number {
  return stage ? BOOT_STAGES.indexOf(stage) : -1;
}
