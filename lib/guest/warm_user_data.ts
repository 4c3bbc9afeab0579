import { readUserData, type UserDataPart } from "./user_data.ts";

// Their work is done, or can't be done any more, once a guest has booted.
const EARLY_KEYS = [
  "bootcmd",
  "disk_setup",
  "fs_setup",
  "mounts",
  "swap",
  "growpart",
  "resize_rootfs",
  "network",
];

const UNSEEN: [contentType: RegExp, what: string][] = [
  [/^text\/x-include/, "what #include fetches"],
  [/^text\/jinja2$/, "what a jinja template becomes"],
  [/^text\/part-handler$/, "what a #part-handler does"],
  [/^text\/cloud-config-jsonp$/, "what #cloud-config-jsonp changes"],
  [/^application\//, "a compressed part"],
];

/**
 * Why user-data can't be applied to a guest that has booted already, as the end of a sentence;
 * undefined when it can be.
 */
export async function needsEarlyBoot(userData: string): Promise<string | undefined> {
  for (const part of await readUserData(userData)) {
    const reason = earlyPart(part);
    if (reason) return reason;
  }
  return undefined;
}

function earlyPart({ contentType, settings = {} }: UserDataPart): string | undefined {
  if (contentType === "text/cloud-boothook") return "#cloud-boothook must run early in the boot";
  const key = EARLY_KEYS.find((key) => key in settings);
  if (key) return `${key} must run early in the boot`;
  const unseen = UNSEEN.find(([pattern]) => pattern.test(contentType));
  return unseen && `${unseen[1]} can't be seen before the boot`;
}
