/**
 * What the library takes and gives, made from the operations by `deno task api`; don't edit it by hand.
 *
 * @module
 */

import type { CallOptions } from "./call.ts";

/**
 * What goes into `vm.spawn`: hatch a new VM from an image or a template.
 */
export interface VmSpawnInput {
  /**
   * Name of the VM; a friendly free one is made when left out
   */
  name?: string;
  /**
   * Image to spawn from: a reference such as debian:12, which is pulled when it is not here, a name from `nido images`, or the path of a disk; default from `nido config`, else debian:12
   */
  image?: string;
  /**
   * Architecture of the image; default this host's
   */
  architecture?: "x86_64" | "aarch64";
  /**
   * Template to spawn from instead of an image; what it knows (user, size, ports) is the default
   */
  template?: string;
  /**
   * Virtual CPUs; default the template's, else 2
   */
  cpus?: number;
  /**
   * Memory in MiB; default the template's, else 1024
   */
  memoryMib?: number;
  /**
   * Disk size in GiB; default the image's or template's own, and never less
   */
  diskGib?: number;
  /**
   * Login user, with sudo; default the image's or template's
   */
  user?: string;
  /**
   * cloud-init user-data of your own: cloud-config, a script, or a MIME multipart
   */
  userData?: string;
  /**
   * More public keys that may log in
   *
   * @maxItems 32
   */
  sshKeys?: string[];
  /**
   * Ports to forward, [LABEL:]GUEST[:[ADDRESS:]HOST][/udp]: 80 (to a free host port), 80:8080, web:80:8080, 53:5353/udp; on 127.0.0.1 unless an address is given; default the template's
   *
   * @maxItems 64
   */
  ports?: string[];
  /**
   * Labels to find it by
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * full: the guest reaches the outside; none: only forwarded ports answer; default full
   */
  network?: "full" | "none";
  /**
   * Accelerator to insist on; default the best that works
   */
  accel?: "kvm" | "hvf" | "whpx" | "tcg";
  /**
   * Seconds after which it is suspended by the next command; default never; vm.set renews it
   */
  ttlSeconds?: number;
  /**
   * What becomes of it then: suspend (the default) keeps all of it, delete nothing
   */
  onExpiry?: "suspend" | "delete";
  /**
   * When to return: at once after the disk is made, when QEMU runs, or when first boot is finished
   */
  wait?: "none" | "running" | "ready";
  /**
   * Seconds to wait until ready
   */
  timeoutSeconds?: number;
  /**
   * Remove the VM when it does not get ready in time
   */
  rmOnFailure?: boolean;
}

/**
 * What comes of `vm.spawn`: hatch a new VM from an image or a template.
 */
export interface VmSpawnOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * Image it was made from
   */
  image: string;
  /**
   * Digest of that image
   */
  digest: string;
  /**
   * Template it was made from
   */
  template?: string;
  /**
   * Login user
   */
  user: string;
  /**
   * Forwarded ports
   */
  ports: {
    /**
     * What it is called, for example web; ssh is Nido's own
     */
    label?: string;
    /**
     * Port inside the guest
     */
    guest: number;
    /**
     * Address of this host that it listens on
     */
    address: string;
    /**
     * Port on this host; 0: chosen at the start
     */
    host: number;
    /**
     * Protocol
     */
    protocol: "tcp" | "udp";
    /**
     * Whether the host port was named; others may change at a start
     */
    isFixed: boolean;
  }[];
  /**
   * When its lease is over, if it has one
   */
  expiresAt?: string;
  /**
   * The exact ssh command; absent with wait none
   */
  sshCommand?: string;
  /**
   * Accelerator that QEMU uses
   */
  accelerator?: string;
  /**
   * Why that one
   */
  acceleratorReason?: string;
  /**
   * How cloud-init ended, once the VM was ready; absent: the image has none
   */
  firstBoot?: "done" | "degraded" | "absent";
  /**
   * How it came to life: warm (from its base's memory), stream (from memory that was read in full) or cold (booted)
   */
  spawnPath: "warm" | "stream" | "cold";
  /**
   * Why that way
   */
  spawnPathReason: string;
  /**
   * What went wrong without stopping it
   */
  problems: string[];
  /**
   * Seconds spent in each stage
   */
  timings: {
    /**
     * Making its base warm, which was not yet
     */
    incubateSeconds?: number;
    /**
     * Disk, keys and seed
     */
    diskSeconds: number;
    /**
     * Starting QEMU, with memory to wake from
     */
    qemuSeconds?: number;
    /**
     * Until a woken guest had its own name and time
     */
    renewSeconds?: number;
    /**
     * Until the guest's SSH server answered
     */
    bootSeconds?: number;
    /**
     * Until first boot was finished
     */
    readySeconds?: number;
  };
}

/**
 * What goes into `vm.start`: start a stopped VM, or wake a suspended one.
 */
export interface VmStartInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * When to return: when QEMU runs, or when the guest can be used
   */
  wait?: "running" | "ready";
  /**
   * Boot a suspended VM from its disk; what its memory held is lost
   */
  diskOnly?: boolean;
  /**
   * Seconds to wait until ready
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `vm.start`: start a stopped VM, or wake a suspended one.
 */
export interface VmStartOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * It went on from its memory instead of booting
   */
  woke: boolean;
  /**
   * Forwarded ports; free ones may have changed
   */
  ports: {
    /**
     * What it is called, for example web; ssh is Nido's own
     */
    label?: string;
    /**
     * Port inside the guest
     */
    guest: number;
    /**
     * Address of this host that it listens on
     */
    address: string;
    /**
     * Port on this host; 0: chosen at the start
     */
    host: number;
    /**
     * Protocol
     */
    protocol: "tcp" | "udp";
    /**
     * Whether the host port was named; others may change at a start
     */
    isFixed: boolean;
  }[];
  /**
   * Accelerator that QEMU uses
   */
  accelerator: string;
  /**
   * Why that one
   */
  acceleratorReason: string;
  /**
   * What went wrong without stopping it
   */
  problems: string[];
}

/**
 * What goes into `vm.stop`: shut a VM down.
 */
export interface VmStopInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Cut the power: at once, and what the guest has not written to its disk is lost
   */
  force?: boolean;
  /**
   * Seconds that the guest may take to shut down; then its power is cut
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `vm.stop`: shut a VM down.
 */
export interface VmStopOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Always stopped
   */
  state: "stopped";
  /**
   * What made it stop: acpi (the guest obeyed its power button), agent (its guest agent was asked as well) or forced (its power was cut)
   */
  how: "acpi" | "agent" | "forced";
  /**
   * Seconds that it took
   */
  stopSeconds: number;
}

/**
 * What goes into `vm.restart`: shut a VM down and start it again.
 */
export interface VmRestartInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Cut the power instead of shutting down
   */
  force?: boolean;
  /**
   * Seconds to wait until ready; the guest may take 30 of them to shut down first
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `vm.restart`: shut a VM down and start it again.
 */
export interface VmRestartOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * What made it stop: acpi (the guest obeyed its power button), agent (its guest agent was asked as well) or forced (its power was cut)
   */
  how?: "acpi" | "agent" | "forced";
}

/**
 * What goes into `vm.pause`: freeze a running VM where it stands.
 */
export interface VmPauseInput {
  /**
   * Name of the VM
   */
  name: string;
}

/**
 * What comes of `vm.pause`: freeze a running VM where it stands.
 */
export interface VmPauseOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Always paused
   */
  state: "paused";
}

/**
 * What goes into `vm.suspend`: put a VM to sleep on the disk.
 */
export interface VmSuspendInput {
  /**
   * Name of the VM
   */
  name: string;
}

/**
 * What comes of `vm.suspend`: put a VM to sleep on the disk.
 */
export interface VmSuspendOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Always suspended
   */
  state: "suspended";
  /**
   * What its memory takes on the disk, in bytes
   */
  memoryBytes: number;
  /**
   * What went wrong without stopping it
   */
  problems: string[];
}

/**
 * What goes into `vm.resume`: let a paused or suspended VM go on.
 */
export interface VmResumeInput {
  /**
   * Name of the VM
   */
  name: string;
}

/**
 * What comes of `vm.resume`: let a paused or suspended VM go on.
 */
export interface VmResumeOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Always running
   */
  state: "running";
  /**
   * What went wrong without stopping it
   */
  problems: string[];
}

/**
 * What goes into `vm.fork`: copy a running VM, memory and all.
 */
export interface VmForkInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * How many copies to make
   */
  count?: number;
  /**
   * Names of the copies; default the VM's own with -fork1, -fork2, ... behind it
   *
   * @maxItems 64
   */
  into?: string[];
}

/**
 * What comes of `vm.fork`: copy a running VM, memory and all.
 */
export interface VmForkOutput {
  /**
   * Name of the VM that was copied
   */
  name: string;
  /**
   * The copies
   */
  forks: {
    /**
     * Name of the copy
     */
    name: string;
    /**
     * Always running
     */
    state: "running";
    /**
     * Forwarded ports, on host ports of its own
     */
    ports: {
      /**
       * What it is called, for example web; ssh is Nido's own
       */
      label?: string;
      /**
       * Port inside the guest
       */
      guest: number;
      /**
       * Address of this host that it listens on
       */
      address: string;
      /**
       * Port on this host; 0: chosen at the start
       */
      host: number;
      /**
       * Protocol
       */
      protocol: "tcp" | "udp";
      /**
       * Whether the host port was named; others may change at a start
       */
      isFixed: boolean;
    }[];
    /**
     * The exact ssh command
     */
    sshCommand: string;
    /**
     * What went wrong without stopping it
     */
    problems: string[];
  }[];
  /**
   * Milliseconds that the VM stood still for it
   */
  stillMs: number;
  /**
   * Bytes of memory that were copied
   */
  memoryBytes: number;
  /**
   * What went wrong with the VM without stopping it
   */
  problems: string[];
}

/**
 * What goes into `vm.delete`: delete VMs and their disks.
 */
export interface VmDeleteInput {
  /**
   * VMs to delete
   *
   * @minItems 1
   * @maxItems 1000
   */
  names: string[];
  /**
   * Delete running ones too; what they hold is lost
   */
  force?: boolean;
}

/**
 * What comes of `vm.delete`: delete VMs and their disks.
 */
export interface VmDeleteOutput {
  /**
   * Names of the VMs that are gone
   */
  deleted: string[];
}

/**
 * What goes into `vm.list`: list VMs.
 */
export interface VmListInput {
  /**
   * Only VMs with all of these labels
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Only VMs in this state
   */
  state?: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
}

/**
 * What comes of `vm.list`: list VMs.
 */
export interface VmListOutput {
  /**
   * VMs by name
   */
  vms: {
    /**
     * Name of the VM
     */
    name: string;
    /**
     * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
     */
    state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
    /**
     * Image it was made from
     */
    image?: string;
    /**
     * Template it was made from
     */
    template?: string;
    /**
     * Virtual CPUs
     */
    cpus?: number;
    /**
     * Memory in MiB
     */
    memoryMib?: number;
    /**
     * Loopback port of its SSH server
     */
    sshPort?: number;
    /**
     * When it was made
     */
    createdAt?: string;
    /**
     * When its lease is over, if it has one
     */
    expiresAt?: string;
    /**
     * Labels
     */
    labels: {
      [k: string]: string;
    };
    /**
     * What is wrong with it
     */
    problems: string[];
  }[];
}

/**
 * What goes into `vm.info`: tell everything about one VM.
 */
export interface VmInfoInput {
  /**
   * Name of the VM
   */
  name: string;
}

/**
 * What comes of `vm.info`: tell everything about one VM.
 */
export interface VmInfoOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * What is wrong with it
   */
  problems: string[];
  /**
   * Where it lives on this host
   */
  folder: string;
  /**
   * Its UUID
   */
  id?: string;
  /**
   * When it was made
   */
  createdAt?: string;
  /**
   * Image it was made from
   */
  image?: string;
  /**
   * Digest of that image
   */
  digest?: string;
  /**
   * Template it was made from
   */
  template?: string;
  /**
   * The VM whose copy it is
   */
  forkedFrom?: string;
  /**
   * Guest architecture
   */
  architecture?: string;
  /**
   * Pinned machine type
   */
  machineType?: string;
  /**
   * bios or uefi
   */
  firmware?: string;
  /**
   * Accelerator it insists on
   */
  accelerator?: string;
  /**
   * Virtual CPUs
   */
  cpus?: number;
  /**
   * Memory in MiB
   */
  memoryMib?: number;
  /**
   * Size of the disk as the guest sees it
   */
  diskSizeBytes?: number;
  /**
   * What its disk takes on this host, without the image
   */
  diskUsedBytes?: number;
  /**
   * Login user
   */
  user?: string;
  /**
   * What the guest reaches
   */
  network?: "full" | "none";
  /**
   * Forwarded ports
   */
  ports: {
    /**
     * What it is called, for example web; ssh is Nido's own
     */
    label?: string;
    /**
     * Port inside the guest
     */
    guest: number;
    /**
     * Address of this host that it listens on
     */
    address: string;
    /**
     * Port on this host; 0: chosen at the start
     */
    host: number;
    /**
     * Protocol
     */
    protocol: "tcp" | "udp";
    /**
     * Whether the host port was named; others may change at a start
     */
    isFixed: boolean;
  }[];
  /**
   * Labels
   */
  labels: {
    [k: string]: string;
  };
  /**
   * When its lease is over, if it has one
   */
  expiresAt?: string;
  /**
   * What the next command then does with it
   */
  onExpiry?: "suspend" | "delete";
  /**
   * The exact ssh command
   */
  sshCommand?: string;
  /**
   * Process id of its QEMU
   */
  pid?: number;
}

/**
 * What goes into `vm.prune`: delete VMs that are stopped.
 */
export interface VmPruneInput {
  /**
   * Crashed VMs too
   */
  crashed?: boolean;
  /**
   * Only VMs made longer ago than this many hours
   */
  olderThanHours?: number;
  /**
   * Only VMs with all of these labels
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Delete nothing, only tell what would go
   */
  dryRun?: boolean;
}

/**
 * What comes of `vm.prune`: delete VMs that are stopped.
 */
export interface VmPruneOutput {
  /**
   * VMs that are gone
   */
  deleted: string[];
  /**
   * VMs that would go, on a dry run
   */
  wouldDelete: string[];
}

/**
 * What goes into `vm.set`: change a VM's size, ports, labels or lease.
 */
export interface VmSetInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Virtual CPUs; the VM must be stopped
   */
  cpus?: number;
  /**
   * Memory in MiB; the VM must be stopped
   */
  memoryMib?: number;
  /**
   * Grow the disk to this many GiB; a disk never shrinks
   */
  diskGib?: number;
  /**
   * full or none; the VM must be stopped
   */
  network?: "full" | "none";
  /**
   * Ports to forward besides those it has, in the form that spawn takes
   *
   * @maxItems 64
   */
  ports?: string[];
  /**
   * Ports to forward no longer, each by its label or guest port
   *
   * @maxItems 64
   */
  removePorts?: string[];
  /**
   * Labels to add or change; an empty value removes one
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Seconds from now after which it is suspended, in place of an earlier lease; 0: never
   */
  ttlSeconds?: number;
  /**
   * What becomes of it then; default as before, or suspend
   */
  onExpiry?: "suspend" | "delete";
}

/**
 * What comes of `vm.set`: change a VM's size, ports, labels or lease.
 */
export interface VmSetOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * What is different now
   */
  changed: string[];
  /**
   * What remains to be done
   */
  notes: string[];
}

/**
 * What goes into `vm.exec`: run a command in a VM.
 */
export interface VmExecInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Program and arguments, passed exactly; for shell syntax run sh -c
   *
   * @minItems 1
   * @maxItems 4096
   */
  command: string[];
  /**
   * User in the guest to run as, through sudo; default the login user
   */
  user?: string;
  /**
   * Folder in the guest to run in; default the user's home
   */
  cwd?: string;
  /**
   * Environment variables to add
   */
  env?: {
    [k: string]: string;
  };
  /**
   * Text for its standard input
   */
  stdin?: string;
  /**
   * Seconds after which the command and its children are killed; default never
   */
  timeoutSeconds?: number;
  /**
   * Return at once with a job id instead of waiting: for servers, builds and whatever may take longer than 45 s; then call job.wait, job.output, job.kill
   */
  background?: boolean;
  /**
   * Bytes of each of stdout and stderr in the result: the beginning and the end; default 64K, over MCP 8K
   */
  maxOutputBytes?: number;
  /**
   * Give it this terminal, for programs that a person works with; on the command line only
   */
  terminal?: boolean;
}

/**
 * What comes of `vm.exec`: run a command in a VM.
 */
export interface VmExecOutput {
  /**
   * Exit code; 128 + n when signal n ended it; absent in the background
   */
  exitCode?: number;
  /**
   * Id of the job, in the background: next is job.wait
   */
  job?: string;
  /**
   * The signal that ended it, if one did
   */
  signal?: string;
  /**
   * Standard output, cut in the middle if long; empty if streamed
   */
  stdout: string;
  /**
   * Standard error, cut in the middle if long; empty if streamed
   */
  stderr: string;
  /**
   * Bytes written to stdout in all
   */
  stdoutBytes: number;
  /**
   * Bytes written to stderr in all
   */
  stderrBytes: number;
  /**
   * Whether something was cut out of stdout or stderr
   */
  truncated: boolean;
  /**
   * How long it ran; absent in the background
   */
  durationMs?: number;
  /**
   * File on this host with all of stdout, if it was cut
   */
  stdoutFile?: string;
  /**
   * File on this host with all of stderr, if it was cut
   */
  stderrFile?: string;
  /**
   * Why such a file is missing or not whole
   */
  notes?: string[];
}

/**
 * What goes into `vm.run`: run one command in a new VM that is gone afterwards.
 */
export interface VmRunInput {
  /**
   * Program and arguments, passed exactly; for shell syntax run sh -c
   *
   * @minItems 1
   * @maxItems 4096
   */
  command: string[];
  /**
   * Name of the VM; a friendly free one is made when left out
   */
  name?: string;
  /**
   * Image to spawn from: a reference such as debian:12, which is pulled when it is not here, a name from `nido images`, or the path of a disk; default from `nido config`, else debian:12
   */
  image?: string;
  /**
   * Architecture of the image; default this host's
   */
  architecture?: "x86_64" | "aarch64";
  /**
   * Template to spawn from instead of an image; what it knows (user, size, ports) is the default
   */
  template?: string;
  /**
   * Virtual CPUs; default the template's, else 2
   */
  cpus?: number;
  /**
   * Memory in MiB; default the template's, else 1024
   */
  memoryMib?: number;
  /**
   * Disk size in GiB; default the image's or template's own, and never less
   */
  diskGib?: number;
  /**
   * cloud-init user-data of your own: cloud-config, a script, or a MIME multipart
   */
  userData?: string;
  /**
   * full: the guest reaches the outside; none: only forwarded ports answer; default full
   */
  network?: "full" | "none";
  /**
   * Accelerator to insist on; default the best that works
   */
  accel?: "kvm" | "hvf" | "whpx" | "tcg";
  /**
   * Labels to find it by
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Folder in the guest to run in; default the first uploaded one, else the user's home
   */
  cwd?: string;
  /**
   * Environment variables to add
   */
  env?: {
    [k: string]: string;
  };
  /**
   * Files or folders to copy in before, as HERE or HERE:PATH; by default into the user's home
   *
   * @maxItems 16
   */
  upload?: string[];
  /**
   * What to copy out afterwards, also when the command failed, as PATH:HERE; a relative path begins where the command ran
   *
   * @maxItems 16
   */
  download?: string[];
  /**
   * Keep the VM when the command fails, to look into it
   */
  keepOnFailure?: boolean;
  /**
   * Seconds after which the command is killed, and the exit code is 124; default never
   */
  timeoutSeconds?: number;
  /**
   * Bytes of each of stdout and stderr in the result: the beginning and the end; default 64K, over MCP 8K
   */
  maxOutputBytes?: number;
}

/**
 * What comes of `vm.run`: run one command in a new VM that is gone afterwards.
 */
export interface VmRunOutput {
  /**
   * Exit code; 128 + n when signal n ended it; absent in the background
   */
  exitCode?: number;
  /**
   * The signal that ended it, if one did
   */
  signal?: string;
  /**
   * Standard output, cut in the middle if long; empty if streamed
   */
  stdout: string;
  /**
   * Standard error, cut in the middle if long; empty if streamed
   */
  stderr: string;
  /**
   * Bytes written to stdout in all
   */
  stdoutBytes: number;
  /**
   * Bytes written to stderr in all
   */
  stderrBytes: number;
  /**
   * Whether something was cut out of stdout or stderr
   */
  truncated: boolean;
  /**
   * How long it ran; absent in the background
   */
  durationMs?: number;
  /**
   * File on this host with all of stdout, if it was cut
   */
  stdoutFile?: string;
  /**
   * File on this host with all of stderr, if it was cut
   */
  stderrFile?: string;
  /**
   * Why such a file is missing or not whole
   */
  notes?: string[];
  /**
   * The VM that it ran in
   */
  vm: string;
  /**
   * The VM is still there
   */
  kept: boolean;
  /**
   * The command was killed because its time was over
   */
  timedOut: boolean;
  /**
   * How the VM came to life: warm, stream or cold
   */
  spawnPath: "warm" | "stream" | "cold";
}

/**
 * What goes into `vm.read_file`: read a file in a VM.
 */
export interface VmReadFileInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Path of a file in the guest; relative ones begin at the user's home
   */
  path: string;
  /**
   * Byte to begin at: nextOffset of the last call; negative counts from the end
   */
  offset?: number;
  /**
   * Bytes to read at most, up to 1 MiB
   */
  maxBytes?: number;
  /**
   * text (UTF-8), or base64 for bytes that are no text
   */
  encoding?: "text" | "base64";
  /**
   * User in the guest with whose rights, through sudo; default the login user
   */
  user?: string;
}

/**
 * What comes of `vm.read_file`: read a file in a VM.
 */
export interface VmReadFileOutput {
  /**
   * Path, as it was given
   */
  path: string;
  /**
   * What the file holds from offset on
   */
  content: string;
  /**
   * What the content is
   */
  encoding: "text" | "base64";
  /**
   * Where the content begins
   */
  offset: number;
  /**
   * Offset for the next call; absent at the end of the file
   */
  nextOffset?: number;
  /**
   * Size of the whole file
   */
  sizeBytes: number;
  /**
   * false: bytes that are no UTF-8 were replaced by U+FFFD
   */
  isExact: boolean;
}

/**
 * What goes into `vm.write_file`: write a file in a VM.
 */
export interface VmWriteFileInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Path of a file in the guest; relative ones begin at the user's home
   */
  path: string;
  /**
   * What the file is to hold, up to 1 MiB
   */
  content: string;
  /**
   * text (UTF-8), or base64 for bytes that are no text
   */
  encoding?: "text" | "base64";
  /**
   * Permissions, octal; default 644 for a new file, and those of the old one else
   */
  mode?: string;
  /**
   * Add to the end of what is there
   */
  append?: boolean;
  /**
   * Make the folders of the path that are missing
   */
  makeFolders?: boolean;
  /**
   * User in the guest with whose rights, through sudo; default the login user
   */
  user?: string;
}

/**
 * What comes of `vm.write_file`: write a file in a VM.
 */
export interface VmWriteFileOutput {
  /**
   * Path, as it was given
   */
  path: string;
  /**
   * Whether there was no such file before
   */
  isNew: boolean;
  /**
   * Bytes that were written
   */
  writtenBytes: number;
  /**
   * Size of the file now
   */
  sizeBytes: number;
}

/**
 * What goes into `vm.upload`: copy a file or folder into a VM.
 */
export interface VmUploadInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * File or folder on this host
   */
  source: string;
  /**
   * Path in the guest; relative ones begin at the user's home
   */
  destination: string;
}

/**
 * What comes of `vm.upload`: copy a file or folder into a VM.
 */
export interface VmUploadOutput {
  /**
   * Files copied
   */
  files: number;
  /**
   * Folders made
   */
  folders: number;
  /**
   * Symbolic links made
   */
  links: number;
  /**
   * Bytes copied
   */
  sizeBytes: number;
  /**
   * What was left out: devices, links that lead outside
   */
  skipped: {
    /**
     * What was not copied
     */
    path: string;
    /**
     * Why
     */
    reason: string;
  }[];
}

/**
 * What goes into `vm.download`: copy a file or folder out of a VM.
 */
export interface VmDownloadInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Path in the guest; relative ones begin at the user's home
   */
  source: string;
  /**
   * File or folder on this host
   */
  destination: string;
}

/**
 * What comes of `vm.download`: copy a file or folder out of a VM.
 */
export interface VmDownloadOutput {
  /**
   * Files copied
   */
  files: number;
  /**
   * Folders made
   */
  folders: number;
  /**
   * Symbolic links made
   */
  links: number;
  /**
   * Bytes copied
   */
  sizeBytes: number;
  /**
   * What was left out: devices, links that lead outside
   */
  skipped: {
    /**
     * What was not copied
     */
    path: string;
    /**
     * Why
     */
    reason: string;
  }[];
}

/**
 * What goes into `vm.logs`: show a VM's console.
 */
export interface VmLogsInput {
  /**
   * Name of the VM
   */
  name?: string;
  /**
   * console: what the guest wrote to its serial console; qemu: what QEMU itself said
   */
  source?: "console" | "qemu";
  /**
   * How many of the last lines
   */
  tail?: number;
  /**
   * Go on showing new lines until interrupted or stopped
   */
  follow?: boolean;
  /**
   * The logs of every VM
   */
  all?: boolean;
  /**
   * Folder to write whole logs to, with a folder for each VM
   */
  output?: string;
}

/**
 * What comes of `vm.logs`: show a VM's console.
 */
export interface VmLogsOutput {
  /**
   * Name of the VM; absent with all
   */
  name?: string;
  /**
   * The lines, without control characters
   */
  text: string;
  /**
   * How many lines the log holds
   */
  lines: number;
  /**
   * The files that were written
   */
  files?: string[];
}

/**
 * What goes into `vm.wait`: wait until a VM is ready, running or stopped.
 */
export interface VmWaitInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * What to wait for
   */
  for?: "ready" | "running" | "stopped";
  /**
   * Seconds to wait
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `vm.wait`: wait until a VM is ready, running or stopped.
 */
export interface VmWaitOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * What went wrong without stopping it
   */
  problems: string[];
}

/**
 * What goes into `vm.ssh_info`: show how to reach a VM with ssh.
 */
export interface VmSshInfoInput {
  /**
   * Name of the VM
   */
  name: string;
}

/**
 * What comes of `vm.ssh_info`: show how to reach a VM with ssh.
 */
export interface VmSshInfoOutput {
  /**
   * Always loopback
   */
  host: string;
  /**
   * Port on this host; 0 before the first start
   */
  port: number;
  /**
   * Login user
   */
  user: string;
  /**
   * This home's own private key
   */
  identityFile: string;
  /**
   * File with the only host key that is right
   */
  knownHostsFile: string;
  /**
   * The ssh command, word by word
   */
  command: string[];
}

/**
 * What goes into `vm.display`: show or hide a VM's screen on a loopback port.
 */
export interface VmDisplayInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * on: listen on a loopback port; off: only the private socket
   */
  show: "on" | "off";
}

/**
 * What comes of `vm.display`: show or hide a VM's screen on a loopback port.
 */
export interface VmDisplayOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Whether its screen can be reached on a loopback port
   */
  isShown: boolean;
  /**
   * Always loopback
   */
  host?: string;
  /**
   * VNC port
   */
  port?: number;
  /**
   * VNC password, good until it is shown again
   */
  password?: string;
  /**
   * A command that shows the screen
   */
  command?: string;
}

/**
 * What goes into `job.wait`: wait for a background command or host work.
 */
export interface JobWaitInput {
  /**
   * Id of the job: web.3f2a9c of vm.exec with background, host-3f2a9c of long host work
   */
  job: string;
  /**
   * Most seconds to wait; over MCP at most 45, as clients give up after 60: call again
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `job.wait`: wait for a background command or host work.
 */
export interface JobWaitOutput {
  /**
   * Id of the job
   */
  job: string;
  /**
   * running; exited (see exitCode); killed (by job.kill); lost (the guest was restarted, or something ended the job's process: how it ended is not known)
   */
  state: "running" | "exited" | "killed" | "lost";
  /**
   * Exit code; 128 + n when signal n ended it; absent while it runs and when that is not known
   */
  exitCode?: number;
  /**
   * Its command, cut to one short line
   */
  command: string;
  /**
   * Whom it runs as, if not as the login user
   */
  user?: string;
  /**
   * When it began, by the guest's clock
   */
  startedAt: string;
  /**
   * When it exited, by the guest's clock
   */
  endedAt?: string;
  /**
   * What the host work gave: the result of the operation that began it
   */
  result?: {
    [k: string]: unknown;
  };
  /**
   * Why the host work failed
   */
  error?: {
    /**
     * Code of the error
     */
    code: string;
    /**
     * What happened
     */
    message: string;
    /**
     * The next command to type
     */
    hint?: string;
  };
  /**
   * Bytes written to stdout so far; read them with job.output
   */
  stdoutBytes: number;
  /**
   * Bytes written to stderr so far
   */
  stderrBytes: number;
}

/**
 * What goes into `job.output`: read what a background command or host work said.
 */
export interface JobOutputInput {
  /**
   * Id of the job: web.3f2a9c of vm.exec with background, host-3f2a9c of long host work
   */
  job: string;
  /**
   * Where in stdout to begin: nextOffset of the last call; negative counts from the end
   */
  stdoutOffset?: number;
  /**
   * Where in stderr to begin: nextOffset of the last call; negative counts from the end
   */
  stderrOffset?: number;
  /**
   * Bytes of each stream in the result at most
   */
  maxOutputBytes?: number;
}

/**
 * What comes of `job.output`: read what a background command or host work said.
 */
export interface JobOutputOutput {
  /**
   * Id of the job
   */
  job: string;
  /**
   * Standard output
   */
  stdout: {
    /**
     * What it said from offset on
     */
    text: string;
    /**
     * Where the text begins
     */
    offset: number;
    /**
     * Offset for the next call
     */
    nextOffset: number;
    /**
     * Bytes written so far
     */
    totalBytes: number;
    /**
     * Whether nothing follows, now or later
     */
    isComplete: boolean;
    /**
     * Bytes before offset that the guest's log no longer has: of a long stream it keeps the first and the last MiB
     */
    missingBytes: number;
    /**
     * Whether the guest's disk had no room for all of it
     */
    isCutShort: boolean;
  };
  /**
   * Standard error
   */
  stderr: {
    /**
     * What it said from offset on
     */
    text: string;
    /**
     * Where the text begins
     */
    offset: number;
    /**
     * Offset for the next call
     */
    nextOffset: number;
    /**
     * Bytes written so far
     */
    totalBytes: number;
    /**
     * Whether nothing follows, now or later
     */
    isComplete: boolean;
    /**
     * Bytes before offset that the guest's log no longer has: of a long stream it keeps the first and the last MiB
     */
    missingBytes: number;
    /**
     * Whether the guest's disk had no room for all of it
     */
    isCutShort: boolean;
  };
}

/**
 * What goes into `job.kill`: end a background command and its children, or host work.
 */
export interface JobKillInput {
  /**
   * Id of the job: web.3f2a9c of vm.exec with background, host-3f2a9c of long host work
   */
  job: string;
}

/**
 * What comes of `job.kill`: end a background command and its children, or host work.
 */
export interface JobKillOutput {
  /**
   * Id of the job
   */
  job: string;
  /**
   * running; exited (see exitCode); killed (by job.kill); lost (the guest was restarted, or something ended the job's process: how it ended is not known)
   */
  state: "running" | "exited" | "killed" | "lost";
  /**
   * Exit code; 128 + n when signal n ended it; absent while it runs and when that is not known
   */
  exitCode?: number;
  /**
   * Its command, cut to one short line
   */
  command: string;
  /**
   * Whom it runs as, if not as the login user
   */
  user?: string;
  /**
   * When it began, by the guest's clock
   */
  startedAt: string;
  /**
   * When it exited, by the guest's clock
   */
  endedAt?: string;
  /**
   * What the host work gave: the result of the operation that began it
   */
  result?: {
    [k: string]: unknown;
  };
  /**
   * Why the host work failed
   */
  error?: {
    /**
     * Code of the error
     */
    code: string;
    /**
     * What happened
     */
    message: string;
    /**
     * The next command to type
     */
    hint?: string;
  };
  /**
   * Bytes written to stdout so far; read them with job.output
   */
  stdoutBytes: number;
  /**
   * Bytes written to stderr so far
   */
  stderrBytes: number;
  /**
   * Whether there was anything to end; if not, nothing was done
   */
  wasAlive: boolean;
}

/**
 * What goes into `job.list`: list the background commands of a VM, or host work.
 */
export interface JobListInput {
  /**
   * Name of the VM; without it, the long work of this host is listed
   */
  name?: string;
}

/**
 * What comes of `job.list`: list the background commands of a VM, or host work.
 */
export interface JobListOutput {
  /**
   * Jobs, the newest first
   */
  jobs: {
    /**
     * Id of the job
     */
    job: string;
    /**
     * running; exited (see exitCode); killed (by job.kill); lost (the guest was restarted, or something ended the job's process: how it ended is not known)
     */
    state: "running" | "exited" | "killed" | "lost";
    /**
     * Exit code; 128 + n when signal n ended it; absent while it runs and when that is not known
     */
    exitCode?: number;
    /**
     * Its command, cut to one short line
     */
    command: string;
    /**
     * Whom it runs as, if not as the login user
     */
    user?: string;
    /**
     * When it began, by the guest's clock
     */
    startedAt: string;
    /**
     * When it exited, by the guest's clock
     */
    endedAt?: string;
    /**
     * What the host work gave: the result of the operation that began it
     */
    result?: {
      [k: string]: unknown;
    };
    /**
     * Why the host work failed
     */
    error?: {
      /**
       * Code of the error
       */
      code: string;
      /**
       * What happened
       */
      message: string;
      /**
       * The next command to type
       */
      hint?: string;
    };
    /**
     * Bytes written to stdout so far; read them with job.output
     */
    stdoutBytes: number;
    /**
     * Bytes written to stderr so far
     */
    stderrBytes: number;
  }[];
}

/**
 * What goes into `image.search`: search the catalog of images.
 */
export interface ImageSearchInput {
  /**
   * Words that must all occur in the reference, the title or the description
   *
   * @maxItems 8
   */
  words?: string[];
  /**
   * Address or file of a catalog, for this once
   */
  catalog?: string;
}

/**
 * What comes of `image.search`: search the catalog of images.
 */
export interface ImageSearchOutput {
  /**
   * What was found, newest versions first
   */
  images: {
    /**
     * What to spawn from or to pull
     */
    reference: string;
    /**
     * What it is
     */
    title: string;
    /**
     * Other references for it
     */
    aliases: string[];
    /**
     * The architectures that it is published for
     */
    architectures: ("x86_64" | "aarch64")[];
    /**
     * Size of the download, where it is known
     */
    sizeBytes?: number;
    /**
     * Its login user
     */
    user?: string;
    /**
     * It takes keys, files and user-data at first boot
     */
    cloudInit?: boolean;
    /**
     * QEMU's guest agent is inside
     */
    guestAgent?: boolean;
    /**
     * When its publisher made it
     */
    builtAt?: string;
    /**
     * It is here already
     */
    here: boolean;
    /**
     * Licence, or terms to be accepted
     */
    licence?: string;
    /**
     * Why what is known of it may be out of date
     */
    stale?: string;
    /**
     * What it is, in a sentence
     */
    description: string;
    /**
     * Where its publisher tells of it
     */
    homepage: string;
  }[];
  /**
   * The catalog that was searched
   */
  catalog: string;
  /**
   * When its content last changed (RFC 3339)
   */
  updatedAt: string;
  /**
   * Why it may be out of date
   */
  notice?: string;
}

/**
 * What goes into `image.pull`: download images and keep them for spawning.
 */
export interface ImagePullInput {
  /**
   * What to pull: debian, debian:12, debian:12@sha256:..., or an address with @sha256:... behind it
   *
   * @minItems 1
   * @maxItems 32
   */
  references: string[];
  /**
   * The guest's architecture; default this host's
   */
  architecture?: "x86_64" | "aarch64";
  /**
   * Address or file of a catalog, for this once
   */
  catalog?: string;
  /**
   * The digest that the file at an address must have
   */
  sha256?: string;
  /**
   * Take the file at an address unchecked: whoever is on the way can put another there
   */
  insecureNoChecksum?: boolean;
  /**
   * The name for what is pulled from an address; by default made from the file's
   */
  name?: string;
  /**
   * Its login user, for an address
   */
  user?: string;
  /**
   * How it boots, for an address
   */
  firmware?: "bios" | "uefi";
}

/**
 * What comes of `image.pull`: download images and keep them for spawning.
 */
export interface ImagePullOutput {
  /**
   * The images, in the order of the references
   */
  images: {
    /**
     * As it was asked for
     */
    reference: string;
    /**
     * The image's name
     */
    name: string;
    /**
     * What it is: the published digest
     */
    digest: string;
    /**
     * What its stored disk takes on this host, in bytes
     */
    diskBytes: number;
    /**
     * It was here already, and nothing was downloaded
     */
    reused: boolean;
    /**
     * What else there is to know
     */
    notice?: string;
  }[];
}

/**
 * What goes into `image.import`: import a disk image from a local file.
 */
export interface ImageImportInput {
  /**
   * The disk image: qcow2, raw, vmdk, vhdx or vdi, also packed as .xz, .gz, .bz2, .zst or .tar.xz
   */
  file: string;
  /**
   * The image's name; by default made from the file's
   */
  name?: string;
  /**
   * What the (unpacked) file is; by default its own marks decide
   */
  format?: "qcow2" | "raw" | "vmdk" | "vhdx" | "vdi";
  /**
   * The guest's architecture; by default what the file's name tells, else this host's
   */
  architecture?: "x86_64" | "aarch64";
  /**
   * How it boots; by default bios for x86_64 and uefi for aarch64
   */
  firmware?: "bios" | "uefi";
  /**
   * The login user that VMs get (default nido)
   */
  user?: string;
  /**
   * A note for people
   */
  description?: string;
  /**
   * Replace an image that has the name
   */
  force?: boolean;
}

/**
 * What comes of `image.import`: import a disk image from a local file.
 */
export interface ImageImportOutput {
  /**
   * The image as it is stored now
   */
  image: {
    /**
     * The image's name
     */
    name: string;
    /**
     * It can be spawned from
     */
    state: "ready";
    /**
     * sha256 of the source's bytes: what the image is
     */
    digest: string;
    /**
     * sha256 of the stored disk
     */
    storedDigest: string;
    /**
     * The size that a guest sees, in bytes
     */
    virtualSizeBytes: number;
    /**
     * What the stored disk takes on this host, in bytes
     */
    diskBytes: number;
    /**
     * What the source was
     */
    sourceFormat: "qcow2" | "raw" | "vmdk" | "vhdx" | "vdi";
    /**
     * The guest's architecture
     */
    architecture: "x86_64" | "aarch64";
    /**
     * How it boots
     */
    firmware: "bios" | "uefi";
    /**
     * The login user that VMs get
     */
    user: string;
    /**
     * A note for people
     */
    description?: string;
    /**
     * How it came here
     */
    origin: "imported" | "pulled" | "built";
    /**
     * The file, the address or the recipe that it came from
     */
    source: string;
    /**
     * The stored disk, which is never written to
     */
    diskPath: string;
    /**
     * When it was imported (RFC 3339)
     */
    importedAt: string;
    /**
     * The VMs that stand on it
     */
    usedBy: string[];
  };
  /**
   * The same file was imported before, and nothing was read
   */
  reused: boolean;
}

/**
 * What goes into `image.list`: list the images.
 */
export interface ImageListInput {
}

/**
 * What comes of `image.list`: list the images.
 */
export interface ImageListOutput {
  /**
   * The images, by name
   */
  images: {
    /**
     * The image's name
     */
    name: string;
    /**
     * A broken image can't be spawned from
     */
    state: "ready" | "broken";
    /**
     * The size that a guest sees, in bytes
     */
    virtualSizeBytes?: number;
    /**
     * What the stored disk takes on this host, in bytes
     */
    diskBytes?: number;
    /**
     * The guest's architecture
     */
    architecture?: "x86_64" | "aarch64";
    /**
     * How it boots
     */
    firmware?: "bios" | "uefi";
    /**
     * The login user that VMs get
     */
    user?: string;
    /**
     * The VMs that stand on it
     */
    usedBy: string[];
    /**
     * sha256 of the source's bytes: what the image is
     */
    digest?: string;
    /**
     * What is wrong with a broken one
     */
    problems: string[];
  }[];
}

/**
 * What goes into `image.info`: show all that is known of an image.
 */
export interface ImageInfoInput {
  /**
   * The image's name or reference
   */
  name: string;
}

/**
 * What comes of `image.info`: show all that is known of an image.
 */
export interface ImageInfoOutput {
  /**
   * The image's name
   */
  name: string;
  /**
   * It can be spawned from
   */
  state: "ready";
  /**
   * sha256 of the source's bytes: what the image is
   */
  digest: string;
  /**
   * sha256 of the stored disk
   */
  storedDigest: string;
  /**
   * The size that a guest sees, in bytes
   */
  virtualSizeBytes: number;
  /**
   * What the stored disk takes on this host, in bytes
   */
  diskBytes: number;
  /**
   * What the source was
   */
  sourceFormat: "qcow2" | "raw" | "vmdk" | "vhdx" | "vdi";
  /**
   * The guest's architecture
   */
  architecture: "x86_64" | "aarch64";
  /**
   * How it boots
   */
  firmware: "bios" | "uefi";
  /**
   * The login user that VMs get
   */
  user: string;
  /**
   * A note for people
   */
  description?: string;
  /**
   * How it came here
   */
  origin: "imported" | "pulled" | "built";
  /**
   * The file, the address or the recipe that it came from
   */
  source: string;
  /**
   * The stored disk, which is never written to
   */
  diskPath: string;
  /**
   * When it was imported (RFC 3339)
   */
  importedAt: string;
  /**
   * The VMs that stand on it
   */
  usedBy: string[];
  /**
   * The shapes for which it is warm, or was
   */
  warm: {
    /**
     * Virtual CPUs of the VMs that wake from it
     */
    cpus: number;
    /**
     * Memory of the VMs that wake from it, in MiB
     */
    memoryMib: number;
    /**
     * Login user of the VMs that wake from it
     */
    user: string;
    /**
     * When it was frozen (RFC 3339)
     */
    createdAt: string;
    /**
     * When a VM last woke from it, or it was frozen (RFC 3339)
     */
    lastUsedAt: string;
    /**
     * What its memory and device state take on the disk, in bytes
     */
    memoryBytes: number;
    /**
     * What its disk layer takes, in bytes
     */
    diskBytes: number;
    /**
     * When its memory was freed for others (RFC 3339)
     */
    freedAt?: string;
    /**
     * Why nothing wakes from it any more
     */
    failure?: string;
  }[];
}

/**
 * What goes into `image.build`: build an image on this host by a recipe.
 */
export interface ImageBuildInput {
  /**
   * A recipe that Nido brings, by its name, or the path of a YAML file
   */
  recipe: string;
  /**
   * The image's name; default the recipe's
   */
  name?: string;
  /**
   * Debian archive to take packages from; default the recipe's, else this system's own
   */
  mirror?: string;
  /**
   * Build anew, and replace an image that has the name
   */
  force?: boolean;
}

/**
 * What comes of `image.build`: build an image on this host by a recipe.
 */
export interface ImageBuildOutput {
  /**
   * The image as it is stored now
   */
  image: {
    /**
     * The image's name
     */
    name: string;
    /**
     * It can be spawned from
     */
    state: "ready";
    /**
     * sha256 of the source's bytes: what the image is
     */
    digest: string;
    /**
     * sha256 of the stored disk
     */
    storedDigest: string;
    /**
     * The size that a guest sees, in bytes
     */
    virtualSizeBytes: number;
    /**
     * What the stored disk takes on this host, in bytes
     */
    diskBytes: number;
    /**
     * What the source was
     */
    sourceFormat: "qcow2" | "raw" | "vmdk" | "vhdx" | "vdi";
    /**
     * The guest's architecture
     */
    architecture: "x86_64" | "aarch64";
    /**
     * How it boots
     */
    firmware: "bios" | "uefi";
    /**
     * The login user that VMs get
     */
    user: string;
    /**
     * A note for people
     */
    description?: string;
    /**
     * How it came here
     */
    origin: "imported" | "pulled" | "built";
    /**
     * The file, the address or the recipe that it came from
     */
    source: string;
    /**
     * The stored disk, which is never written to
     */
    diskPath: string;
    /**
     * When it was imported (RFC 3339)
     */
    importedAt: string;
    /**
     * The VMs that stand on it
     */
    usedBy: string[];
  };
  /**
   * This recipe made it before, and nothing was built
   */
  reused: boolean;
  /**
   * What could not be cleaned, or went wrong otherwise
   */
  problems: string[];
}

/**
 * What goes into `image.warm`: boot an image once, so that new VMs wake instead of booting.
 */
export interface ImageWarmInput {
  /**
   * The image's name or reference
   */
  name: string;
  /**
   * Virtual CPUs to be warm for; default what a spawn would have
   */
  cpus?: number;
  /**
   * Memory in MiB to be warm for; default what a spawn would have
   */
  memoryMib?: number;
  /**
   * Login user to be warm for; default what a spawn would have
   */
  user?: string;
  /**
   * Seconds that the guest has to get ready
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `image.warm`: boot an image once, so that new VMs wake instead of booting.
 */
export interface ImageWarmOutput {
  /**
   * Name of what is warm now
   */
  name: string;
  /**
   * Virtual CPUs that it is warm for
   */
  cpus: number;
  /**
   * Memory that it is warm for, in MiB
   */
  memoryMib: number;
  /**
   * Login user that it is warm for
   */
  user: string;
  /**
   * What its memory and device state take on the disk, in bytes
   */
  memoryBytes: number;
  /**
   * What its disk layer takes, in bytes
   */
  diskBytes: number;
  /**
   * Seconds that it took
   */
  seconds: number;
}

/**
 * What goes into `image.verify`: read all of an image and check that it is whole.
 */
export interface ImageVerifyInput {
  /**
   * The image's name or reference
   */
  name: string;
}

/**
 * What comes of `image.verify`: read all of an image and check that it is whole.
 */
export interface ImageVerifyOutput {
  /**
   * The image's name
   */
  name: string;
  /**
   * What the image is: the published digest of its source
   */
  digest: string;
  /**
   * The digest of the stored disk, which was computed anew
   */
  storedDigest: string;
}

/**
 * What goes into `image.refresh`: fetch the newest catalog of images.
 */
export interface ImageRefreshInput {
  /**
   * Address or file of a catalog other than the one in the settings
   */
  catalog?: string;
}

/**
 * What comes of `image.refresh`: fetch the newest catalog of images.
 */
export interface ImageRefreshOutput {
  /**
   * Where it came from
   */
  catalog: string;
  /**
   * When its content last changed (RFC 3339)
   */
  updatedAt: string;
  /**
   * How many images it knows
   */
  images: number;
  /**
   * It is another one than before
   */
  changed: boolean;
}

/**
 * What goes into `image.remove`: remove an image.
 */
export interface ImageRemoveInput {
  /**
   * The image's name or reference
   */
  name: string;
}

/**
 * What comes of `image.remove`: remove an image.
 */
export interface ImageRemoveOutput {
  /**
   * The name that is free now
   */
  name: string;
  /**
   * What the image was
   */
  digest?: string;
  /**
   * What its disk took; 0 while another image means it
   */
  freedBytes: number;
}

/**
 * What goes into `cache.list`: list the stored disks of images and unfinished downloads.
 */
export interface CacheListInput {
}

/**
 * What comes of `cache.list`: list the stored disks of images and unfinished downloads.
 */
export interface CacheListOutput {
  /**
   * The stored disks
   */
  disks: {
    /**
     * What it is: the published digest of its source
     */
    digest: string;
    /**
     * A broken one lacks its record or its disk
     */
    state: "ready" | "broken";
    /**
     * The images that mean it; none: it was superseded
     */
    images: string[];
    /**
     * What it takes on this host, in bytes
     */
    diskBytes: number;
    /**
     * The size that a guest sees, in bytes
     */
    virtualSizeBytes?: number;
    /**
     * When it was stored (RFC 3339)
     */
    storedAt?: string;
    /**
     * What stands on it
     */
    usedBy: string[];
  }[];
  /**
   * Downloads that the next pull goes on with
   */
  downloads: {
    /**
     * The digest that it shall have, or the digest of its address
     */
    key: string;
    /**
     * What it is of
     */
    label?: string;
    /**
     * What is here so far, in bytes
     */
    sizeBytes: number;
    /**
     * What it will be, where that is known
     */
    totalBytes?: number;
    /**
     * When the last of it came (RFC 3339)
     */
    modifiedAt: string;
    /**
     * A process is downloading it now
     */
    busy: boolean;
  }[];
  /**
   * What all of it takes on this host, in bytes
   */
  totalBytes: number;
}

/**
 * What goes into `cache.info`: show all that is known of a stored disk.
 */
export interface CacheInfoInput {
  /**
   * Its digest, or the beginning of it
   */
  digest: string;
}

/**
 * What comes of `cache.info`: show all that is known of a stored disk.
 */
export interface CacheInfoOutput {
  /**
   * What it is: the published digest of its source
   */
  digest: string;
  /**
   * A broken one lacks its record or its disk
   */
  state: "ready" | "broken";
  /**
   * The images that mean it; none: it was superseded
   */
  images: string[];
  /**
   * What it takes on this host, in bytes
   */
  diskBytes: number;
  /**
   * The size that a guest sees, in bytes
   */
  virtualSizeBytes?: number;
  /**
   * What its source was, and how that was packed
   */
  sourceFormat?: string;
  /**
   * Digest of the stored disk
   */
  storedDigest?: string;
  /**
   * The address that it was pulled from
   */
  source?: string;
  /**
   * When it was stored (RFC 3339)
   */
  storedAt?: string;
  /**
   * What stands on it
   */
  usedBy: string[];
}

/**
 * What goes into `cache.remove`: remove a stored disk that no image means any more.
 */
export interface CacheRemoveInput {
  /**
   * Its digest, or the beginning of it
   */
  digest: string;
}

/**
 * What comes of `cache.remove`: remove a stored disk that no image means any more.
 */
export interface CacheRemoveOutput {
  /**
   * What is gone
   */
  digest: string;
  /**
   * What it took on this host, in bytes
   */
  freedBytes: number;
}

/**
 * What goes into `cache.prune`: remove stored disks that nothing needs.
 */
export interface CachePruneInput {
  /**
   * Only what was stored longer ago than this many hours; then pulled images go too, which can be pulled again
   */
  olderThanHours?: number;
  /**
   * Keep so many of the newest states of each image
   */
  keep?: number;
  /**
   * Remove nothing, only tell what would go
   */
  dryRun?: boolean;
}

/**
 * What comes of `cache.prune`: remove stored disks that nothing needs.
 */
export interface CachePruneOutput {
  /**
   * Stored disks and downloads that are gone
   */
  removed: string[];
  /**
   * What would go, on a dry run
   */
  wouldRemove: string[];
  /**
   * What that took, or would free, in bytes
   */
  freedBytes: number;
}

/**
 * What goes into `snapshot.create`: keep what a VM is at this instant.
 */
export interface SnapshotCreateInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Label of the snapshot; default s1, s2 and so on
   */
  label?: string;
  /**
   * A note for people
   */
  description?: string;
}

/**
 * What comes of `snapshot.create`: keep what a VM is at this instant.
 */
export interface SnapshotCreateOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Label of the snapshot
   */
  label: string;
  /**
   * The instant that it holds
   */
  createdAt: string;
  /**
   * The snapshot that the VM had gone on from
   */
  parent?: string;
  /**
   * It holds the memory of a VM that ran
   */
  hasMemory: boolean;
  /**
   * What its memory takes on the disk, in bytes
   */
  memoryBytes?: number;
  /**
   * What its layer of the disk takes, in bytes
   */
  diskBytes: number;
  /**
   * A picture of the screen (PNG)
   */
  screenPath?: string;
  /**
   * How long the VM stood still, in milliseconds
   */
  stillMs?: number;
  /**
   * What went wrong without stopping it
   */
  problems: string[];
}

/**
 * What goes into `snapshot.restore`: bring a VM back to a snapshot.
 */
export interface SnapshotRestoreInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Label of the snapshot
   */
  label: string;
  /**
   * Boot from the snapshot's disk; what its memory held is left out
   */
  diskOnly?: boolean;
}

/**
 * What comes of `snapshot.restore`: bring a VM back to a snapshot.
 */
export interface SnapshotRestoreOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Label of the snapshot
   */
  label: string;
  /**
   * running, paused, suspended (its memory is kept on disk), stopped, crashed (QEMU died) or broken (unreadable record)
   */
  state: "running" | "paused" | "suspended" | "stopped" | "crashed" | "broken";
  /**
   * It went on from the snapshot's memory
   */
  woke: boolean;
  /**
   * What went wrong without stopping it
   */
  problems: string[];
}

/**
 * What goes into `snapshot.list`: list the snapshots of a VM.
 */
export interface SnapshotListInput {
  /**
   * Name of the VM
   */
  name: string;
}

/**
 * What comes of `snapshot.list`: list the snapshots of a VM.
 */
export interface SnapshotListOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Its snapshots, each after its parent, older ones first
   */
  snapshots: {
    /**
     * Label of the snapshot
     */
    label: string;
    /**
     * A broken one can't be restored as it was made
     */
    state: "ready" | "broken";
    /**
     * The snapshot that the VM had gone on from
     */
    parent?: string;
    /**
     * The VM goes on from it
     */
    current: boolean;
    /**
     * The instant that it holds
     */
    createdAt?: string;
    /**
     * A note for people
     */
    description?: string;
    /**
     * It holds the memory of a VM that ran
     */
    hasMemory: boolean;
    /**
     * What its memory takes on the disk, in bytes
     */
    memoryBytes?: number;
    /**
     * What its layer of the disk takes, in bytes
     */
    diskBytes?: number;
    /**
     * A picture of the screen (PNG)
     */
    screenPath?: string;
    /**
     * What is wrong with a broken one
     */
    problems: string[];
  }[];
}

/**
 * What goes into `snapshot.delete`: delete snapshots of a VM.
 */
export interface SnapshotDeleteInput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Labels of the snapshots to delete
   *
   * @minItems 1
   * @maxItems 1000
   */
  labels: string[];
}

/**
 * What comes of `snapshot.delete`: delete snapshots of a VM.
 */
export interface SnapshotDeleteOutput {
  /**
   * Name of the VM
   */
  name: string;
  /**
   * Labels of the snapshots that are gone
   */
  deleted: string[];
}

/**
 * What goes into `template.create`: make a template of a VM.
 */
export interface TemplateCreateInput {
  /**
   * Name of the VM to make it of; running, paused, stopped or crashed
   */
  vm: string;
  /**
   * The template's name
   */
  name: string;
  /**
   * A note for people
   */
  description?: string;
  /**
   * Labels
   */
  labels?: {
    [k: string]: string;
  };
  /**
   * Keep an uncompressed copy of the disk, which VMs read faster
   */
  expand?: boolean;
  /**
   * Replace the template that has the name
   */
  force?: boolean;
  /**
   * Leave keys, machine id, cloud-init's data, logs and history in it
   */
  keepIdentity?: boolean;
  /**
   * Make it warm at once, for the VM's own shape
   */
  warm?: boolean;
  /**
   * Seconds that a copy of the VM has to get ready, and again to shut down
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `template.create`: make a template of a VM.
 */
export interface TemplateCreateOutput {
  /**
   * The template as it is stored now
   */
  template: {
    /**
     * The template's name
     */
    name: string;
    /**
     * It can be spawned from
     */
    state: "ready";
    /**
     * sha256 of the compact disk: what the template is
     */
    digest: string;
    /**
     * When it was made (RFC 3339)
     */
    createdAt: string;
    /**
     * A note for people
     */
    description?: string;
    /**
     * Labels
     */
    labels: {
      [k: string]: string;
    };
    /**
     * The VM that it was made of
     */
    sourceVm: string;
    /**
     * The image that the VM was made from
     */
    sourceImage: string;
    /**
     * Digest of that image
     */
    sourceDigest: string;
    /**
     * The guest's architecture
     */
    architecture: "x86_64" | "aarch64";
    /**
     * How it boots
     */
    firmware: "bios" | "uefi";
    /**
     * Pinned machine type
     */
    machineType: string;
    /**
     * Virtual CPUs that VMs get
     */
    cpus: number;
    /**
     * Memory that VMs get, in MiB
     */
    memoryMib: number;
    /**
     * The size that a guest sees, in bytes
     */
    diskSizeBytes: number;
    /**
     * The login user that VMs get
     */
    user: string;
    /**
     * What VMs reach
     */
    network: "full" | "none";
    /**
     * Ports that VMs forward, each to a free port of the host
     */
    ports: string[];
    /**
     * Keys, machine id and history of the source are still in it
     */
    keptIdentity: boolean;
    /**
     * What the compact disk takes on this host, in bytes
     */
    compactBytes: number;
    /**
     * What the uncompressed copy takes, where kept
     */
    expandedBytes?: number;
    /**
     * The disk that VMs stand on, which is never written to
     */
    diskPath: string;
    /**
     * The VMs that stand on it
     */
    usedBy: string[];
  };
  /**
   * What was made warm
   */
  warm?: {
    /**
     * Name of what is warm now
     */
    name: string;
    /**
     * Virtual CPUs that it is warm for
     */
    cpus: number;
    /**
     * Memory that it is warm for, in MiB
     */
    memoryMib: number;
    /**
     * Login user that it is warm for
     */
    user: string;
    /**
     * What its memory and device state take on the disk, in bytes
     */
    memoryBytes: number;
    /**
     * What its disk layer takes, in bytes
     */
    diskBytes: number;
    /**
     * Seconds that it took
     */
    seconds: number;
  };
  /**
   * What could not be cleaned, or went wrong otherwise
   */
  problems: string[];
}

/**
 * What goes into `template.list`: list the templates.
 */
export interface TemplateListInput {
}

/**
 * What comes of `template.list`: list the templates.
 */
export interface TemplateListOutput {
  /**
   * The templates, by name
   */
  templates: {
    /**
     * The template's name
     */
    name: string;
    /**
     * A broken template can't be spawned from
     */
    state: "ready" | "broken";
    /**
     * The size that a guest sees, in bytes
     */
    diskSizeBytes?: number;
    /**
     * What the compact disk takes on this host, in bytes
     */
    compactBytes?: number;
    /**
     * What the uncompressed copy takes, where kept
     */
    expandedBytes?: number;
    /**
     * The guest's architecture
     */
    architecture?: "x86_64" | "aarch64";
    /**
     * Virtual CPUs that VMs get
     */
    cpus?: number;
    /**
     * Memory that VMs get, in MiB
     */
    memoryMib?: number;
    /**
     * The login user that VMs get
     */
    user?: string;
    /**
     * The VMs that stand on it
     */
    usedBy: string[];
    /**
     * When it was made (RFC 3339)
     */
    createdAt?: string;
    /**
     * sha256 of the compact disk: what the template is
     */
    digest?: string;
    /**
     * A note for people
     */
    description?: string;
    /**
     * What is wrong with a broken one
     */
    problems: string[];
  }[];
}

/**
 * What goes into `template.info`: show all that is known of a template.
 */
export interface TemplateInfoInput {
  /**
   * The template's name
   */
  name: string;
}

/**
 * What comes of `template.info`: show all that is known of a template.
 */
export interface TemplateInfoOutput {
  /**
   * The template's name
   */
  name: string;
  /**
   * It can be spawned from
   */
  state: "ready";
  /**
   * sha256 of the compact disk: what the template is
   */
  digest: string;
  /**
   * When it was made (RFC 3339)
   */
  createdAt: string;
  /**
   * A note for people
   */
  description?: string;
  /**
   * Labels
   */
  labels: {
    [k: string]: string;
  };
  /**
   * The VM that it was made of
   */
  sourceVm: string;
  /**
   * The image that the VM was made from
   */
  sourceImage: string;
  /**
   * Digest of that image
   */
  sourceDigest: string;
  /**
   * The guest's architecture
   */
  architecture: "x86_64" | "aarch64";
  /**
   * How it boots
   */
  firmware: "bios" | "uefi";
  /**
   * Pinned machine type
   */
  machineType: string;
  /**
   * Virtual CPUs that VMs get
   */
  cpus: number;
  /**
   * Memory that VMs get, in MiB
   */
  memoryMib: number;
  /**
   * The size that a guest sees, in bytes
   */
  diskSizeBytes: number;
  /**
   * The login user that VMs get
   */
  user: string;
  /**
   * What VMs reach
   */
  network: "full" | "none";
  /**
   * Ports that VMs forward, each to a free port of the host
   */
  ports: string[];
  /**
   * Keys, machine id and history of the source are still in it
   */
  keptIdentity: boolean;
  /**
   * What the compact disk takes on this host, in bytes
   */
  compactBytes: number;
  /**
   * What the uncompressed copy takes, where kept
   */
  expandedBytes?: number;
  /**
   * The disk that VMs stand on, which is never written to
   */
  diskPath: string;
  /**
   * The VMs that stand on it
   */
  usedBy: string[];
  /**
   * The shapes for which it is warm, or was
   */
  warm: {
    /**
     * Virtual CPUs of the VMs that wake from it
     */
    cpus: number;
    /**
     * Memory of the VMs that wake from it, in MiB
     */
    memoryMib: number;
    /**
     * Login user of the VMs that wake from it
     */
    user: string;
    /**
     * When it was frozen (RFC 3339)
     */
    createdAt: string;
    /**
     * When a VM last woke from it, or it was frozen (RFC 3339)
     */
    lastUsedAt: string;
    /**
     * What its memory and device state take on the disk, in bytes
     */
    memoryBytes: number;
    /**
     * What its disk layer takes, in bytes
     */
    diskBytes: number;
    /**
     * When its memory was freed for others (RFC 3339)
     */
    freedAt?: string;
    /**
     * Why nothing wakes from it any more
     */
    failure?: string;
  }[];
}

/**
 * What goes into `template.warm`: boot a template once, so that new VMs wake instead of booting.
 */
export interface TemplateWarmInput {
  /**
   * The template's name
   */
  name: string;
  /**
   * Virtual CPUs to be warm for; default what a spawn would have
   */
  cpus?: number;
  /**
   * Memory in MiB to be warm for; default what a spawn would have
   */
  memoryMib?: number;
  /**
   * Login user to be warm for; default what a spawn would have
   */
  user?: string;
  /**
   * Seconds that the guest has to get ready
   */
  timeoutSeconds?: number;
}

/**
 * What comes of `template.warm`: boot a template once, so that new VMs wake instead of booting.
 */
export interface TemplateWarmOutput {
  /**
   * Name of what is warm now
   */
  name: string;
  /**
   * Virtual CPUs that it is warm for
   */
  cpus: number;
  /**
   * Memory that it is warm for, in MiB
   */
  memoryMib: number;
  /**
   * Login user that it is warm for
   */
  user: string;
  /**
   * What its memory and device state take on the disk, in bytes
   */
  memoryBytes: number;
  /**
   * What its disk layer takes, in bytes
   */
  diskBytes: number;
  /**
   * Seconds that it took
   */
  seconds: number;
}

/**
 * What goes into `template.verify`: read all of a template and check that it is whole.
 */
export interface TemplateVerifyInput {
  /**
   * The template's name
   */
  name: string;
}

/**
 * What comes of `template.verify`: read all of a template and check that it is whole.
 */
export interface TemplateVerifyOutput {
  /**
   * The template's name
   */
  name: string;
  /**
   * The digest, which was computed anew
   */
  digest: string;
  /**
   * The disks that were read and found whole
   */
  files: string[];
}

/**
 * What goes into `template.export`: write a template into one file.
 */
export interface TemplateExportInput {
  /**
   * The template's name
   */
  name: string;
  /**
   * The file to write
   */
  file: string;
  /**
   * Replace a file that is there
   */
  force?: boolean;
}

/**
 * What comes of `template.export`: write a template into one file.
 */
export interface TemplateExportOutput {
  /**
   * The template's name
   */
  name: string;
  /**
   * The file that was written
   */
  file: string;
  /**
   * The template's digest, which was computed anew
   */
  digest: string;
  /**
   * The size of the file
   */
  sizeBytes: number;
}

/**
 * What goes into `template.import`: import a template from a file.
 */
export interface TemplateImportInput {
  /**
   * A file that `template export` wrote
   */
  file: string;
  /**
   * The template's name; default the one it had
   */
  name?: string;
  /**
   * Replace a template that has the name
   */
  force?: boolean;
}

/**
 * What comes of `template.import`: import a template from a file.
 */
export interface TemplateImportOutput {
  /**
   * The template as it is stored now
   */
  template: {
    /**
     * The template's name
     */
    name: string;
    /**
     * It can be spawned from
     */
    state: "ready";
    /**
     * sha256 of the compact disk: what the template is
     */
    digest: string;
    /**
     * When it was made (RFC 3339)
     */
    createdAt: string;
    /**
     * A note for people
     */
    description?: string;
    /**
     * Labels
     */
    labels: {
      [k: string]: string;
    };
    /**
     * The VM that it was made of
     */
    sourceVm: string;
    /**
     * The image that the VM was made from
     */
    sourceImage: string;
    /**
     * Digest of that image
     */
    sourceDigest: string;
    /**
     * The guest's architecture
     */
    architecture: "x86_64" | "aarch64";
    /**
     * How it boots
     */
    firmware: "bios" | "uefi";
    /**
     * Pinned machine type
     */
    machineType: string;
    /**
     * Virtual CPUs that VMs get
     */
    cpus: number;
    /**
     * Memory that VMs get, in MiB
     */
    memoryMib: number;
    /**
     * The size that a guest sees, in bytes
     */
    diskSizeBytes: number;
    /**
     * The login user that VMs get
     */
    user: string;
    /**
     * What VMs reach
     */
    network: "full" | "none";
    /**
     * Ports that VMs forward, each to a free port of the host
     */
    ports: string[];
    /**
     * Keys, machine id and history of the source are still in it
     */
    keptIdentity: boolean;
    /**
     * What the compact disk takes on this host, in bytes
     */
    compactBytes: number;
    /**
     * What the uncompressed copy takes, where kept
     */
    expandedBytes?: number;
    /**
     * The disk that VMs stand on, which is never written to
     */
    diskPath: string;
    /**
     * The VMs that stand on it
     */
    usedBy: string[];
  };
}

/**
 * What goes into `template.delete`: delete a template and its disks.
 */
export interface TemplateDeleteInput {
  /**
   * The template's name
   */
  name: string;
}

/**
 * What comes of `template.delete`: delete a template and its disks.
 */
export interface TemplateDeleteOutput {
  /**
   * The name that is free now
   */
  name: string;
}

/**
 * What goes into `registry.build`: make the catalog of images anew from its sources.
 */
export interface RegistryBuildInput {
  /**
   * Where sources.yaml and images.json are
   */
  folder?: string;
  /**
   * NAME or NAME:VERSION to take as it was found, or to drop when it is gone
   *
   * @maxItems 100
   */
  accept?: string[];
  /**
   * Only say what would change
   */
  dryRun?: boolean;
}

/**
 * What comes of `registry.build`: make the catalog of images anew from its sources.
 */
export interface RegistryBuildOutput {
  /**
   * The catalog
   */
  path: string;
  /**
   * It is another one than before
   */
  changed: boolean;
  /**
   * A person has to look at some problem
   */
  needsPerson: boolean;
  /**
   * What changed, a line for each fact
   */
  diff: string[];
  /**
   * What its maintainers should know
   */
  problems: {
    /**
     * The image, with version and architecture where it is about one
     */
    about: string;
    /**
     * What is wrong
     */
    problem: string;
    /**
     * It doesn't mend by itself
     */
    needsPerson: boolean;
  }[];
}

/**
 * What goes into `system.doctor`: check what this host has and what is wrong with it.
 */
export interface SystemDoctorInput {
  /**
   * Put right what is safe to: permissions, leftovers, stale sockets; never packages
   */
  fix?: boolean;
}

/**
 * What comes of `system.doctor`: check what this host has and what is wrong with it.
 */
export interface SystemDoctorOutput {
  /**
   * False when something keeps Nido from running VMs
   */
  ok: boolean;
  /**
   * What was looked at
   */
  findings: {
    /**
     * What was looked at
     */
    name: string;
    /**
     * ok, warning (Nido works, with less) or blocked (it can't run VMs)
     */
    state: "ok" | "warning" | "blocked";
    /**
     * What was found, in one sentence
     */
    message: string;
    /**
     * Command that changes it
     */
    fix?: string;
    /**
     * True when it was put right just now
     */
    fixed?: boolean;
  }[];
}

/**
 * What goes into `system.version`: show the version.
 */
export interface SystemVersionInput {
}

/**
 * What comes of `system.version`: show the version.
 */
export interface SystemVersionOutput {
  /**
   * Nido's version
   */
  version: string;
  /**
   * Commit it was built from; absent when run from sources
   */
  commit?: string;
  /**
   * How this copy of Nido came
   */
  kind: "binary" | "bundle" | "package" | "source";
  /**
   * Deno's version
   */
  deno: string;
  /**
   * Operating system
   */
  os: string;
  /**
   * Processor architecture
   */
  arch: string;
}

/**
 * What goes into `system.permissions`: print the exact Deno flags that this home needs.
 */
export interface SystemPermissionsInput {
}

/**
 * What comes of `system.permissions`: print the exact Deno flags that this home needs.
 */
export interface SystemPermissionsOutput {
  /**
   * Flags for deno run
   */
  flags: string[];
  /**
   * Why each flag is needed
   */
  reasons: {
    /**
     * Flag, without its value
     */
    flag: string;
    /**
     * What it is for
     */
    reason: string;
  }[];
}

/**
 * What goes into `system.update`: bring the newest version of Nido, or another one.
 */
export interface SystemUpdateInput {
  /**
   * Only tell whether there is a newer version
   */
  check?: boolean;
  /**
   * Version to change to, older ones and prereleases too
   */
  version?: string;
  /**
   * Go back to the version before the last update
   */
  rollback?: boolean;
  /**
   * Address of another release server
   */
  from?: string;
}

/**
 * What comes of `system.update`: bring the newest version of Nido, or another one.
 */
export interface SystemUpdateOutput {
  /**
   * Version that is installed now
   */
  installed: string;
  /**
   * Version that the release server has
   */
  available?: string;
  /**
   * True when another version was installed just now
   */
  updated: boolean;
  /**
   * True when what is available is newer than what is installed
   */
  isNewer: boolean;
  /**
   * Version that was replaced; --rollback goes back to it
   */
  kept?: string;
  /**
   * What updates this copy, where nido update can't
   */
  command?: string;
}

/**
 * What goes into `system.uninstall`: remove Nido from this machine.
 */
export interface SystemUninstallInput {
  /**
   * Remove the home too, with all VMs, images and keys
   */
  purge?: boolean;
  /**
   * Only list what would be removed
   */
  dryRun?: boolean;
  /**
   * Also while VMs run: they go on, or end where --purge removes them
   */
  force?: boolean;
}

/**
 * What comes of `system.uninstall`: remove Nido from this machine.
 */
export interface SystemUninstallOutput {
  /**
   * What was removed, or would be
   */
  removed: {
    /**
     * What it is
     */
    what: "completion" | "path" | "home" | "previous" | "binary";
    /**
     * Where it is
     */
    path: string;
  }[];
  /**
   * True when nothing was removed
   */
  dryRun: boolean;
  /**
   * Names of the VMs that ran
   */
  running: string[];
  /**
   * What of Nido is left, and why
   */
  left?: string;
  /**
   * Command that opens the settings where PATH may still name the folder, as nobody else could look
   */
  byHand?: string;
}

/**
 * What goes into `config.get`: show one setting.
 */
export interface ConfigGetInput {
  /**
   * Setting: image, catalog, cpus, memoryMib, diskGib, user, network, accelerator, warm, warmDiskGib
   */
  key: string;
}

/**
 * What comes of `config.get`: show one setting.
 */
export interface ConfigGetOutput {
  /**
   * Setting
   */
  key:
    | "image"
    | "catalog"
    | "cpus"
    | "memoryMib"
    | "diskGib"
    | "user"
    | "network"
    | "accelerator"
    | "warm"
    | "warmDiskGib";
  /**
   * Its value; null when not set
   */
  value: string | number | null;
}

/**
 * What goes into `config.set`: change a setting for every spawn to come.
 */
export interface ConfigSetInput {
  /**
   * Setting: image, catalog, cpus, memoryMib, diskGib, user, network, accelerator, warm, warmDiskGib
   */
  key: string;
  /**
   * New value, for example 1G for memory
   */
  value?: string;
  /**
   * Go back to what Nido chooses by itself
   */
  unset?: boolean;
}

/**
 * What comes of `config.set`: change a setting for every spawn to come.
 */
export interface ConfigSetOutput {
  /**
   * Setting
   */
  key:
    | "image"
    | "catalog"
    | "cpus"
    | "memoryMib"
    | "diskGib"
    | "user"
    | "network"
    | "accelerator"
    | "warm"
    | "warmDiskGib";
  /**
   * Its value; null when not set
   */
  value: string | number | null;
}

/**
 * What goes into `config.list`: list the settings.
 */
export interface ConfigListInput {
}

/**
 * What comes of `config.list`: list the settings.
 */
export interface ConfigListOutput {
  /**
   * All settings
   */
  settings: {
    /**
     * Setting
     */
    key:
      | "image"
      | "catalog"
      | "cpus"
      | "memoryMib"
      | "diskGib"
      | "user"
      | "network"
      | "accelerator"
      | "warm"
      | "warmDiskGib";
    /**
     * Its value; null when not set
     */
    value: string | number | null;
    /**
     * What it decides
     */
    description: string;
  }[];
}

/** Everything that Nido can do, by noun and verb. */
export interface Nido {
  vm: {
    /** Hatch a new VM from an image or a template. */
    spawn(input?: VmSpawnInput, call?: CallOptions): Promise<VmSpawnOutput>;
    /** Start a stopped VM, or wake a suspended one. */
    start(input: VmStartInput, call?: CallOptions): Promise<VmStartOutput>;
    /** Shut a VM down. */
    stop(input: VmStopInput, call?: CallOptions): Promise<VmStopOutput>;
    /** Shut a VM down and start it again. */
    restart(input: VmRestartInput, call?: CallOptions): Promise<VmRestartOutput>;
    /** Freeze a running VM where it stands. */
    pause(input: VmPauseInput, call?: CallOptions): Promise<VmPauseOutput>;
    /** Put a VM to sleep on the disk. */
    suspend(input: VmSuspendInput, call?: CallOptions): Promise<VmSuspendOutput>;
    /** Let a paused or suspended VM go on. */
    resume(input: VmResumeInput, call?: CallOptions): Promise<VmResumeOutput>;
    /** Copy a running VM, memory and all. */
    fork(input: VmForkInput, call?: CallOptions): Promise<VmForkOutput>;
    /** Delete VMs and their disks. */
    delete(input: VmDeleteInput, call?: CallOptions): Promise<VmDeleteOutput>;
    /** List VMs. */
    list(input?: VmListInput, call?: CallOptions): Promise<VmListOutput>;
    /** Tell everything about one VM. */
    info(input: VmInfoInput, call?: CallOptions): Promise<VmInfoOutput>;
    /** Delete VMs that are stopped. */
    prune(input?: VmPruneInput, call?: CallOptions): Promise<VmPruneOutput>;
    /** Change a VM's size, ports, labels or lease. */
    set(input: VmSetInput, call?: CallOptions): Promise<VmSetOutput>;
    /** Run a command in a VM. */
    exec(input: VmExecInput, call?: CallOptions): Promise<VmExecOutput>;
    /** Run one command in a new VM that is gone afterwards. */
    run(input: VmRunInput, call?: CallOptions): Promise<VmRunOutput>;
    /** Read a file in a VM. */
    readFile(input: VmReadFileInput, call?: CallOptions): Promise<VmReadFileOutput>;
    /** Write a file in a VM. */
    writeFile(input: VmWriteFileInput, call?: CallOptions): Promise<VmWriteFileOutput>;
    /** Copy a file or folder into a VM. */
    upload(input: VmUploadInput, call?: CallOptions): Promise<VmUploadOutput>;
    /** Copy a file or folder out of a VM. */
    download(input: VmDownloadInput, call?: CallOptions): Promise<VmDownloadOutput>;
    /** Show a VM's console. */
    logs(input?: VmLogsInput, call?: CallOptions): Promise<VmLogsOutput>;
    /** Wait until a VM is ready, running or stopped. */
    wait(input: VmWaitInput, call?: CallOptions): Promise<VmWaitOutput>;
    /** Show how to reach a VM with ssh. */
    sshInfo(input: VmSshInfoInput, call?: CallOptions): Promise<VmSshInfoOutput>;
    /** Show or hide a VM's screen on a loopback port. */
    display(input: VmDisplayInput, call?: CallOptions): Promise<VmDisplayOutput>;
  };
  job: {
    /** Wait for a background command or host work. */
    wait(input: JobWaitInput, call?: CallOptions): Promise<JobWaitOutput>;
    /** Read what a background command or host work said. */
    output(input: JobOutputInput, call?: CallOptions): Promise<JobOutputOutput>;
    /** End a background command and its children, or host work. */
    kill(input: JobKillInput, call?: CallOptions): Promise<JobKillOutput>;
    /** List the background commands of a VM, or host work. */
    list(input?: JobListInput, call?: CallOptions): Promise<JobListOutput>;
  };
  image: {
    /** Search the catalog of images. */
    search(input?: ImageSearchInput, call?: CallOptions): Promise<ImageSearchOutput>;
    /** Download images and keep them for spawning. */
    pull(input: ImagePullInput, call?: CallOptions): Promise<ImagePullOutput>;
    /** Import a disk image from a local file. */
    import(input: ImageImportInput, call?: CallOptions): Promise<ImageImportOutput>;
    /** List the images. */
    list(input?: ImageListInput, call?: CallOptions): Promise<ImageListOutput>;
    /** Show all that is known of an image. */
    info(input: ImageInfoInput, call?: CallOptions): Promise<ImageInfoOutput>;
    /** Build an image on this host by a recipe. */
    build(input: ImageBuildInput, call?: CallOptions): Promise<ImageBuildOutput>;
    /** Boot an image once, so that new VMs wake instead of booting. */
    warm(input: ImageWarmInput, call?: CallOptions): Promise<ImageWarmOutput>;
    /** Read all of an image and check that it is whole. */
    verify(input: ImageVerifyInput, call?: CallOptions): Promise<ImageVerifyOutput>;
    /** Fetch the newest catalog of images. */
    refresh(input?: ImageRefreshInput, call?: CallOptions): Promise<ImageRefreshOutput>;
    /** Remove an image. */
    remove(input: ImageRemoveInput, call?: CallOptions): Promise<ImageRemoveOutput>;
  };
  cache: {
    /** List the stored disks of images and unfinished downloads. */
    list(input?: CacheListInput, call?: CallOptions): Promise<CacheListOutput>;
    /** Show all that is known of a stored disk. */
    info(input: CacheInfoInput, call?: CallOptions): Promise<CacheInfoOutput>;
    /** Remove a stored disk that no image means any more. */
    remove(input: CacheRemoveInput, call?: CallOptions): Promise<CacheRemoveOutput>;
    /** Remove stored disks that nothing needs. */
    prune(input?: CachePruneInput, call?: CallOptions): Promise<CachePruneOutput>;
  };
  snapshot: {
    /** Keep what a VM is at this instant. */
    create(input: SnapshotCreateInput, call?: CallOptions): Promise<SnapshotCreateOutput>;
    /** Bring a VM back to a snapshot. */
    restore(input: SnapshotRestoreInput, call?: CallOptions): Promise<SnapshotRestoreOutput>;
    /** List the snapshots of a VM. */
    list(input: SnapshotListInput, call?: CallOptions): Promise<SnapshotListOutput>;
    /** Delete snapshots of a VM. */
    delete(input: SnapshotDeleteInput, call?: CallOptions): Promise<SnapshotDeleteOutput>;
  };
  template: {
    /** Make a template of a VM. */
    create(input: TemplateCreateInput, call?: CallOptions): Promise<TemplateCreateOutput>;
    /** List the templates. */
    list(input?: TemplateListInput, call?: CallOptions): Promise<TemplateListOutput>;
    /** Show all that is known of a template. */
    info(input: TemplateInfoInput, call?: CallOptions): Promise<TemplateInfoOutput>;
    /** Boot a template once, so that new VMs wake instead of booting. */
    warm(input: TemplateWarmInput, call?: CallOptions): Promise<TemplateWarmOutput>;
    /** Read all of a template and check that it is whole. */
    verify(input: TemplateVerifyInput, call?: CallOptions): Promise<TemplateVerifyOutput>;
    /** Write a template into one file. */
    export(input: TemplateExportInput, call?: CallOptions): Promise<TemplateExportOutput>;
    /** Import a template from a file. */
    import(input: TemplateImportInput, call?: CallOptions): Promise<TemplateImportOutput>;
    /** Delete a template and its disks. */
    delete(input: TemplateDeleteInput, call?: CallOptions): Promise<TemplateDeleteOutput>;
  };
  registry: {
    /** Make the catalog of images anew from its sources. */
    build(input?: RegistryBuildInput, call?: CallOptions): Promise<RegistryBuildOutput>;
  };
  system: {
    /** Check what this host has and what is wrong with it. */
    doctor(input?: SystemDoctorInput, call?: CallOptions): Promise<SystemDoctorOutput>;
    /** Show the version. */
    version(input?: SystemVersionInput, call?: CallOptions): Promise<SystemVersionOutput>;
    /** Print the exact Deno flags that this home needs. */
    permissions(
      input?: SystemPermissionsInput,
      call?: CallOptions,
    ): Promise<SystemPermissionsOutput>;
    /** Bring the newest version of Nido, or another one. */
    update(input?: SystemUpdateInput, call?: CallOptions): Promise<SystemUpdateOutput>;
    /** Remove Nido from this machine. */
    uninstall(input?: SystemUninstallInput, call?: CallOptions): Promise<SystemUninstallOutput>;
  };
  config: {
    /** Show one setting. */
    get(input: ConfigGetInput, call?: CallOptions): Promise<ConfigGetOutput>;
    /** Change a setting for every spawn to come. */
    set(input: ConfigSetInput, call?: CallOptions): Promise<ConfigSetOutput>;
    /** List the settings. */
    list(input?: ConfigListInput, call?: CallOptions): Promise<ConfigListOutput>;
  };
}
