import { z } from "zod";
import { version } from "../../lib/catalog/catalog.ts";

/** For publishers whose newest versions are found: how many of them are kept. */
export const keep = z.int().min(1).max(20).describe("How many of the newest versions to keep");

/** For publishers whose versions are named: which. */
export const wanted = z.array(version.shape.version).min(1).max(20).describe("The versions wanted");

/** An architecture as Debian and those after it write it. */
export const debianWord = { x86_64: "amd64", aarch64: "arm64" } as const;
