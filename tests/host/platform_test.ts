import assert from "node:assert/strict";
import { requireUnixSockets, thisPlatform } from "../../lib/host/platform.ts";

Deno.test("where Deno has no unix sockets, no VM is made, and the way out is told", () => {
  const platform = { ...thisPlatform(), os: "windows" as const };
  assert.throws(() => requireUnixSockets('start VM "dev"', platform), {
    code: "host_missing",
    message:
      'Cannot start VM "dev": Windows gives Deno no unix sockets, through which Nido reaches its VMs',
    hint: "run Nido inside WSL 2: wsl --install",
  });
  for (const os of ["linux", "darwin"] as const) {
    requireUnixSockets("spawn", { ...platform, os });
  }
});
