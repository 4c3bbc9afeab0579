import type { Operation } from "./operation.ts";

/** How one operation's module is loaded, only when it is called or described. */
type Load = () => Promise<{ default: Operation }>;

/** Everything Nido can do: the one list. Surfaces show it in this order. */
export const operations: Record<string, Load> = {
  "vm.spawn": () => import("./vm/spawn.ts"),
  "vm.start": () => import("./vm/start.ts"),
  "vm.stop": () => import("./vm/stop.ts"),
  "vm.restart": () => import("./vm/restart.ts"),
  "vm.pause": () => import("./vm/pause.ts"),
  "vm.suspend": () => import("./vm/suspend.ts"),
  "vm.resume": () => import("./vm/resume.ts"),
  "vm.fork": () => import("./vm/fork.ts"),
  "vm.delete": () => import("./vm/delete.ts"),
  "vm.list": () => import("./vm/list.ts"),
  "vm.info": () => import("./vm/info.ts"),
  "vm.prune": () => import("./vm/prune.ts"),
  "vm.set": () => import("./vm/set.ts"),
  "vm.exec": () => import("./vm/exec.ts"),
  "vm.run": () => import("./vm/run.ts"),
  "vm.read_file": () => import("./vm/read_file.ts"),
  "vm.write_file": () => import("./vm/write_file.ts"),
  "vm.upload": () => import("./vm/upload.ts"),
  "vm.download": () => import("./vm/download.ts"),
  "vm.logs": () => import("./vm/logs.ts"),
  "vm.wait": () => import("./vm/wait.ts"),
  "vm.ssh_info": () => import("./vm/ssh_info.ts"),
  "vm.display": () => import("./vm/display.ts"),

  "job.wait": () => import("./job/wait.ts"),
  "job.output": () => import("./job/output.ts"),
  "job.kill": () => import("./job/kill.ts"),
  "job.list": () => import("./job/list.ts"),

  "image.search": () => import("./image/search.ts"),
  "image.pull": () => import("./image/pull.ts"),
  "image.import": () => import("./image/import.ts"),
  "image.list": () => import("./image/list.ts"),
  "image.info": () => import("./image/info.ts"),
  "image.build": () => import("./build/build.ts"),
  "image.warm": () => import("./image/warm.ts"),
  "image.verify": () => import("./image/verify.ts"),
  "image.refresh": () => import("./image/refresh.ts"),
  "image.remove": () => import("./image/remove.ts"),

  "cache.list": () => import("./cache/list.ts"),
  "cache.info": () => import("./cache/info.ts"),
  "cache.remove": () => import("./cache/remove.ts"),
  "cache.prune": () => import("./cache/prune.ts"),

  "snapshot.create": () => import("./snapshot/create.ts"),
  "snapshot.restore": () => import("./snapshot/restore.ts"),
  "snapshot.list": () => import("./snapshot/list.ts"),
  "snapshot.delete": () => import("./snapshot/delete.ts"),

  "template.create": () => import("./template/create.ts"),
  "template.list": () => import("./template/list.ts"),
  "template.info": () => import("./template/info.ts"),
  "template.warm": () => import("./template/warm.ts"),
  "template.verify": () => import("./template/verify.ts"),
  "template.export": () => import("./template/export.ts"),
  "template.import": () => import("./template/import.ts"),
  "template.delete": () => import("./template/delete.ts"),

  "registry.build": () => import("./registry/build.ts"),

  "system.doctor": () => import("./system/doctor.ts"),
  "system.version": () => import("./system/version.ts"),
  "system.permissions": () => import("./system/permissions.ts"),
  "system.update": () => import("./system/update.ts"),
  "system.uninstall": () => import("./system/uninstall.ts"),

  "config.get": () => import("./config/get.ts"),
  "config.set": () => import("./config/set.ts"),
  "config.list": () => import("./config/list.ts"),
};

/** Other words for operations on the command line. */
export const aliases: Record<string, string> = {
  "ls": "vm.list",
  "rm": "vm.delete",
  "destroy": "vm.delete",
  "jobs": "job.list",
  "images": "image.list",
  "pull": "image.pull",
  "image ls": "image.list",
  "image rm": "image.remove",
  "snapshot ls": "snapshot.list",
  "snapshot rm": "snapshot.delete",
  "templates": "template.list",
  "template ls": "template.list",
  "template rm": "template.delete",
};
