export type { Copied, CopyLimits, CopyOptions } from "./copying.ts";
export { downloadFrom } from "./download.ts";
export { uploadTo } from "./upload.ts";
