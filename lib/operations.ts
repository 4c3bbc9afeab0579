import type { Operation } from "./operation.ts";

/** How one operation's module is loaded, only when it is called or described. */
type Load = () => Promise<{ default: Operation }>;

/** Everything Nido can do: the one list. Surfaces show it in this order. */
export const operations: Record<string, Load> = {
  "system.permissions": () => import("./system/permissions.ts"),

  "config.get": () => import("./config/get.ts"),
  "config.set": () => import("./config/set.ts"),
  "config.list": () => import("./config/list.ts"),
};

/** Other words for operations on the command line. */
export const aliases: Record<string, string> = {
  "ls": "vm.list",
  "rm": "vm.delete",
  "destroy": "vm.delete",
  "images": "image.list",
  "image ls": "image.list",
  "image rm": "image.remove",
};
