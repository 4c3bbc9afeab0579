import { makeContext } from "../lib/context.ts";
import { withDownload } from "../lib/download/download.ts";
import { sealFile } from "../lib/store/sealed_file.ts";
import { prepareHome } from "../lib/store/home.ts";
const home = "/tmp/d/zzhome"; await prepareHome(home);
const url = Deno.args[0]!;
let t = performance.now(); const lap = (w: string) => { console.log(w, Math.round(performance.now()-t), "ms"); t = performance.now(); };
await withDownload(makeContext(home), { sources: [[url]], label: "x" }, async (f) => { lap("download"); await sealFile(f.path); lap("seal"); });
lap("rest");
