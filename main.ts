import { main } from "./lib/cli/run.ts";

Deno.exit(await main(Deno.args));
