// ECMA-48: CSI sequences, then the strings OSC, DCS, SOS, PM and APC up to their terminator (or the
// end of the line, when it never comes), then the two-byte escapes.
const ESCAPES =
  // deno-lint-ignore no-control-regex
  /(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c\n]*(?:\x07|\x1b\\|\x9c)?|\x1b[ -/]*[0-~]?/g;
// C0 but tab and newline, DEL, C1, and the marks that turn the reading direction around.
// deno-lint-ignore no-control-regex
const CONTROLS = /[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text from a guest or a file, made safe to show on a terminal; newlines and tabs stay. */
export function printable(text: string): string {
  return text.replaceAll("\r\n", "\n").replace(ESCAPES, "").replace(CONTROLS, "");
}
