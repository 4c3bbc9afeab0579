import assert from "node:assert/strict";
import { prompts, promptText } from "../../mcp/prompts.ts";
import { offeredTools } from "../../mcp/tools.ts";

function textOf(name: string, given: Record<string, string>): string {
  const { description, messages } = promptText(name, given);
  assert.equal(description, prompts.find((prompt) => prompt.name === name)?.description);
  const [{ role, content } = assert.fail("there is no message"), ...more] = messages;
  assert.deepEqual([role, content.type, more], ["user", "text", []]);
  return content.type === "text" ? content.text : "";
}

const ARGUMENTS: Record<string, string> = { sandbox_task: "task", reproduce_bug: "report" };

for (const [name, argument] of Object.entries(ARGUMENTS)) {
  Deno.test(`${name} is listed with what it takes`, () => {
    const { title, description, arguments: given } = prompts.find((prompt) =>
      prompt.name === name
    )!;
    assert.ok(title && description);
    assert.deepEqual(given?.map(({ name, required }) => [name, required]), [
      [argument, true],
      ["image", undefined],
    ]);
    for (const { name, description } of given!) assert.ok(description, name);
  });

  Deno.test(`${name} is filled in word for word, with an image or the default`, () => {
    const said = "first $& line\n`second` ${third}";
    const text = textOf(name, { [argument]: said });
    assert.ok(text.includes(`\n\n${said}\n\n1. vm_spawn {}; `), text);
    const odd = 'it"s';
    assert.ok(
      textOf(name, { [argument]: said, image: odd })
        .includes('\n1. vm_spawn {"image":"it\\"s"}; '),
    );
  });

  Deno.test(`${name} leads from a spawn to the deletion, by tools of core alone`, async () => {
    const core = await offeredTools({});
    const told = textOf(name, { [argument]: "x" }).match(/\b(vm|job|snapshot)_[a-z_]+/g) ?? [];
    assert.deepEqual([told[0], told.at(-1)], ["vm_spawn", "vm_delete"]);
    for (const tool of told) assert.ok(core.has(tool), tool);
  });

  Deno.test(`${name} says what is missing`, () => {
    for (const given of [{}, { image: "tiny" }, { [argument]: "" }]) {
      assert.throws(() => promptText(name, given), {
        code: -32602,
        message: `The prompt needs its argument "${argument}"`,
      });
    }
  });
}

Deno.test("there are these prompts and no others", () => {
  assert.deepEqual(prompts.map(({ name }) => name), Object.keys(ARGUMENTS));
  for (const name of ["sandbox", "constructor", ""]) {
    assert.throws(() => promptText(name), {
      code: -32602,
      message: `There is no prompt "${name}"`,
    });
  }
});
