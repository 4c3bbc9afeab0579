import { join } from "node:path";

/** Every file name under Nido's home; nothing else spells one. */
export const files = {
  home: (home: string) => join(home, "home.json"),
  config: (home: string) => join(home, "config.json"),
  audit: (home: string) => join(home, "audit.jsonl"),
  token: (home: string) => join(home, "keys", "http_token"),
  keys: (home: string) => join(home, "keys"),
  privateKey: (home: string) => join(home, "keys", "id_ed25519"),
  publicKey: (home: string) => join(home, "keys", "id_ed25519.pub"),
  knownHosts: (home: string) => join(home, "keys", "known_hosts"),
  locks: (home: string) => join(home, "locks"),
  lock: (home: string, what: string) => join(home, "locks", `${what}.lock`),
  staging: (home: string) => join(home, "staging"),
  run: (home: string) => join(home, "run"),
  backups: (home: string) => join(home, "backups"),
  backup: (home: string, name: string) => join(home, "backups", name),
  factsFolder: (home: string) => join(home, "facts"),
  facts: (home: string, what: string) => join(home, "facts", `${what}.json`),

  images: (home: string) => join(home, "images"),
  image: (home: string, name: string) => join(home, "images", `${name}.json`),
  disks: (home: string) => join(home, "disks"),
  disk: (home: string, digest: string) => join(home, "disks", digest.replace(":", "-")),
  diskImage: (home: string, digest: string) =>
    join(home, "disks", digest.replace(":", "-"), "disk.qcow2"),
  diskRecord: (home: string, digest: string) =>
    join(home, "disks", digest.replace(":", "-"), "disk.json"),

  catalogs: (home: string) => join(home, "catalogs"),
  catalog: (home: string, key: string) => join(home, "catalogs", `${key}.json`),
  downloads: (home: string) => join(home, "downloads"),
  download: (home: string, key: string) => join(home, "downloads", key),

  moments: (home: string) => join(home, "moments"),
  moment: (home: string, id: string) => join(home, "moments", id),
  incubators: (home: string) => join(home, "incubators"),
  incubator: (home: string, id: string) => join(home, "incubators", id),
  layers: (home: string) => join(home, "layers"),
  layer: (home: string, id: string) => join(home, "layers", `${id}.qcow2`),

  jobs: (home: string) => join(home, "jobs"),
  job: (home: string, id: string) => join(home, "jobs", id),

  vms: (home: string) => join(home, "vms"),
  vm: (home: string, name: string) => join(home, "vms", name),

  templates: (home: string) => join(home, "templates"),
  template: (home: string, name: string) => join(home, "templates", name),
  /** Where a template stands for the moment in which another takes its place. */
  replacedTemplate: (home: string, name: string) => join(home, "templates", `.${name}.replaced`),
} as const;

/** The names of all that Nido puts at the top of its home. */
export function namesAtTop(): string[] {
  const paths = Object.values(files).map((path: (home: string, name: string) => string) =>
    path("", "name")
  );
  return [...new Set(paths.map((path) => path.split(/[\\/]/)[0]!))].sort();
}

/** The files inside one VM's folder. */
export const vmFiles = {
  record: "vm.json",
  disk: "disk.qcow2",
  seed: "seed.iso",
  renewal: "renewal.json",
  firmwareVars: "firmware_vars.fd",
  pid: "qemu.pid",
  qemuLog: "qemu.log",
  consoleLog: "console.log",
  knownHosts: "known_hosts",
  outputs: "outputs",
  suspended: "suspended",
  snapshots: "snapshots",
} as const;

/** The files of a moment: memory and device state that a machine can wake from. */
export const momentFiles = {
  record: "moment.json",
  disk: "disk.qcow2",
  firmwareVars: "firmware_vars.fd",
  ram: "ram",
  state: "state",
  used: "used",
} as const;

/** The files of a snapshot, in its VM's folder. */
export const snapshotFiles = {
  record: "snapshot.json",
  state: momentFiles.state,
  screen: "screen.png",
  firmwareVars: momentFiles.firmwareVars,
} as const;

/** The name, in a VM's folder, of the layer that follows one that was frozen. */
export function nextLayer(id: string): string {
  return `disk-${id}.qcow2`;
}

/** The files of a download that has not ended. */
export const downloadFiles = {
  record: "download.json",
  bytes: "bytes",
} as const;

/** The files of a host job. */
export const jobFiles = {
  record: "job.json",
  lock: "lock",
  stdout: "stdout",
  stderr: "stderr",
  outcome: "outcome.json",
} as const;

/** The files inside one template's folder. */
export const templateFiles = {
  record: "template.json",
  compact: (name: string) => `${name}.compact.qcow2`,
  expanded: (name: string) => `${name}.expanded.qcow2`,
} as const;

/** The members of an exported template, in their order. */
export const exportedFiles = {
  manifest: "manifest.json",
  record: "template.json",
  disk: "compact.qcow2",
} as const;

/** The file, inside the outputs folder, with one stream of one command; names sort by time. */
export function outputFile(startedAt: Date, id: string, stream: "stdout" | "stderr"): string {
  return `${startedAt.toISOString().replaceAll(/[-:]/g, "")}-${id}.${stream}`;
}

/** The sockets inside one VM's run folder. */
export const runFiles = {
  work: "work.sock",
  query: "query.sock",
  agent: "agent.sock",
  hatch: "hatch.sock",
  vnc: "vnc.sock",
  console: "console.sock",
  state: "state.sock",
} as const;
