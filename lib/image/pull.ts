import { z } from "zod";
import { looksLikeAddress } from "../catalog/reference.ts";
import type { Context } from "../context.ts";
import { NidoError } from "../errors.ts";
import { loginUser } from "../guest/seed.ts";
import { field, operation } from "../operation.ts";
import { formatBytes } from "../units.ts";
import { architecture, firmware, imageName } from "./image.ts";
import { looksLikePath } from "./import_name.ts";
import { type Pulled, pullImage } from "./pull_image.ts";
import { diskUseBytes } from "./unused_disks.ts";

const AT_ONCE = 3;

const input = z.strictObject({
  references: z.array(z.string().min(1).max(4096)).min(1).max(32).describe(
    "What to pull: debian, debian:12, debian:12@sha256:..., or an address with @sha256:... behind it",
  ),
  architecture: architecture.optional().describe("The guest's architecture; default this host's"),
  catalog: field("commandLine", z.string().min(1).max(4096)).optional().describe(
    "Address or file of a catalog, for this once",
  ),
  sha256: field("rare", z.string().regex(/^[0-9a-f]{64}$/, "use 64 lower-case hex digits"))
    .optional().describe("The digest that the file at an address must have"),
  insecureNoChecksum: field("commandLine", z.boolean().default(false)).describe(
    "Take the file at an address unchecked: whoever is on the way can put another there",
  ),
  name: field("rare", imageName).optional().describe(
    "The name for what is pulled from an address; by default made from the file's",
  ),
  user: field("rare", loginUser).optional().describe("Its login user, for an address"),
  firmware: field("rare", firmware).optional().describe("How it boots, for an address"),
});

const output = z.strictObject({
  images: z.array(z.strictObject({
    reference: z.string().describe("As it was asked for"),
    name: z.string().describe("The image's name"),
    digest: z.string().describe("What it is: the published digest"),
    diskBytes: z.number().describe("What its stored disk takes on this host, in bytes"),
    reused: z.boolean().describe("It was here already, and nothing was downloaded"),
    notice: z.string().optional().describe("What else there is to know"),
  })).describe("The images, in the order of the references"),
});

/** Pulls several images, a few at a time; the first failure stops those that wait. */
async function pullAll(
  context: Context,
  { references, sha256, ...request }: z.output<typeof input>,
): Promise<z.input<typeof output>> {
  const given = references.map((reference) => withDigest(reference, sha256, references.length));
  if (!references.some(looksLikeAddress)) refuseAddressFields(request);
  if (request.name !== undefined && references.length > 1) {
    throw new NidoError("invalid_input", "Cannot pull: --name belongs to one address", {
      hint: `nido image pull ${references[0]} --name ${request.name}`,
    });
  }
  const pulled: Pulled[] = [];
  let next = 0;
  const work = async () => {
    while (next < given.length) {
      const at = next++;
      pulled[at] = await pullImage(context, given[at]!, { ...request, from: request.catalog });
    }
  };
  await allOrFirstFailure(Array.from({ length: Math.min(AT_ONCE, given.length) }, work), () => {
    next = given.length;
  });
  return {
    images: await Promise.all(pulled.map(async ({ image, reused, notice }, at) => ({
      reference: references[at]!,
      name: image.name,
      digest: image.digest,
      diskBytes: await diskUseBytes(image.diskPath),
      reused,
      notice,
    }))),
  };
}

/** Waits for all, so that nothing goes on behind the caller's back, then throws the first failure. */
async function allOrFirstFailure(work: Promise<void>[], failed: () => void): Promise<void> {
  const results = await Promise.allSettled(
    work.map((one) => one.catch((error) => (failed(), Promise.reject(error)))),
  );
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

function withDigest(reference: string, sha256: string | undefined, count: number): string {
  if (looksLikePath(reference)) {
    throw new NidoError("invalid_input", `Cannot pull ${reference}: it is a path`, {
      hint: `nido image import ${reference}`,
    });
  }
  if (sha256 === undefined) return reference;
  if (count > 1 || !looksLikeAddress(reference) || reference.includes("@sha")) {
    throw new NidoError(
      "invalid_input",
      "Cannot pull: --sha256 belongs to one address without a digest of its own",
      { hint: `nido image pull ADDRESS --sha256 ${sha256}` },
    );
  }
  return `${reference}@sha256:${sha256}`;
}

function refuseAddressFields(request: Partial<z.output<typeof input>>): void {
  const { name, user, firmware, insecureNoChecksum } = request;
  const given = Object.entries({ name, user, firmware, insecureNoChecksum })
    .filter(([, value]) => value).map(([key]) => key);
  if (given.length === 0) return;
  throw new NidoError(
    "invalid_input",
    `Cannot pull: ${given.join(", ")} can be given for an address only; the catalog knows the rest`,
    { hint: "nido image pull --help" },
  );
}

export default operation({
  name: "image.pull",
  summary: "Download images and keep them for spawning",
  description: "Downloads images of the catalog, or the file at an address, checks them by their " +
    "published digests and stores them. An interrupted download goes on where it stopped. Spawn " +
    "pulls what it needs by itself.",
  effect: "create",
  idempotent: true,
  long: true,
  openWorld: true,
  input,
  output,
  positional: ["references"],
  examples: [
    "nido image pull debian:12",
    "nido pull ubuntu alpine --architecture aarch64",
  ],
  text: ({ images }) =>
    images.flatMap(({ name, diskBytes, reused, notice }) => [
      `${reused ? "Already here" : "Pulled"}: image ${name} (${formatBytes(diskBytes)} on disk)`,
      ...(notice ? [`  note: ${notice}`] : []),
    ]).join("\n"),
  run: pullAll,
});
