// Preloaded before a bundle: it takes itself for the binary that AS_BINARY names.
Object.defineProperty(Deno, "build", { value: { ...Deno.build, standalone: true } });
Object.defineProperty(Deno, "execPath", { value: () => Deno.env.get("AS_BINARY") });
