import { join } from "node:path";

/** A certificate for 127.0.0.1 that nobody vouches for, and its key. */
export async function selfSigned(): Promise<{ cert: string; key: string }> {
  const folder = await Deno.makeTempDir({ prefix: "nido-tls-" });
  const path = (name: string) => join(folder, `${name}.pem`);
  try {
    const { success, stderr } = await new Deno.Command("openssl", {
      args: [
        ...["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"],
        ...["-days", "3650", "-subj", "/CN=127.0.0.1", "-addext", "subjectAltName=IP:127.0.0.1"],
        ...["-addext", "basicConstraints=critical,CA:FALSE"],
        ...["-keyout", path("key"), "-out", path("cert")],
      ],
    }).output();
    if (!success) throw new Error(new TextDecoder().decode(stderr));
    return {
      cert: await Deno.readTextFile(path("cert")),
      key: await Deno.readTextFile(path("key")),
    };
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}
