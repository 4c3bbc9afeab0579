import assert from "node:assert/strict";
import type { Found, FoundVersion } from "../../registry/builder/discovery.ts";

export type { Found } from "../../registry/builder/discovery.ts";

/** Every build by its version and architecture; one that failed ends the test. */
export function foundOrThrow(versions: FoundVersion[]): Record<string, Found> {
  const all: Record<string, Found> = {};
  for (const { version, builds } of versions) {
    for (const [architecture, build] of Object.entries(builds)) {
      assert.ok(!("failed" in build), `${version} ${architecture}: ${JSON.stringify(build)}`);
      all[`${version} ${architecture}`] = build;
    }
  }
  return all;
}
