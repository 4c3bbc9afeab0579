import assert from "node:assert/strict";
import { resolve, wordsOf } from "../../lib/cli/words.ts";
import { NidoError } from "../../lib/errors.ts";

Deno.test("operations are named by their words", () => {
  assert.deepEqual(
    ["vm.spawn", "vm.ssh_info", "image.list", "system.doctor"].map(wordsOf),
    ["spawn", "ssh-info", "image list", "doctor"],
  );
});

Deno.test("silent nouns may be said, and flags that hold everywhere may stand between", () => {
  const cases: [string[], unknown][] = [
    [["config", "get", "memory"], { operation: "config.get", rest: ["memory"] }],
    [["--json", "config", "-q", "list", "x"], {
      operation: "config.list",
      rest: ["--json", "-q", "x"],
    }],
    [["permissions", "--json"], { operation: "system.permissions", rest: ["--json"] }],
    [["system", "permissions"], { operation: "system.permissions", rest: [] }],
    [["config"], { noun: "config", rest: [] }],
    [["config", "--help"], { noun: "config", rest: ["--help"] }],
    [["ssh", "dev", "-v"], { terminal: "ssh", rest: ["dev", "-v"] }],
    [["--json"], { nothing: true, rest: ["--json"] }],
    [[], { nothing: true, rest: [] }],
  ];
  for (const [argv, expected] of cases) assert.deepEqual(resolve(argv), expected, argv.join(" "));
});

Deno.test("an unknown word suggests the nearest one", () => {
  const cases: [string[], string, string][] = [
    [["permisions"], 'Unknown command "permisions"', "nido permissions"],
    [["config", "lst"], 'Unknown command "config lst"', "nido config list"],
    [["config", "qqqqqq"], 'Unknown command "config qqqqqq"', "nido help config"],
    [["zzzzzzzz"], 'Unknown command "zzzzzzzz"', "nido help"],
    [["constructor"], 'Unknown command "constructor"', "nido help"],
    [["config", "constructor"], 'Unknown command "config constructor"', "nido help config"],
    [["--jsn", "list"], "Unknown option --jsn before a command", "nido help"],
  ];
  for (const [argv, message, hint] of cases) {
    assert.throws(() => resolve(argv), (error) => {
      assert.ok(error instanceof NidoError);
      assert.deepEqual([error.code, error.message, error.hint], ["invalid_input", message, hint]);
      return true;
    });
  }
});
