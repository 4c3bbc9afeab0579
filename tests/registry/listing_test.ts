import assert from "node:assert/strict";
import { listedNames } from "../../registry/builder/listing.ts";
import { literal, newest, newestFirst } from "../../registry/builder/newest.ts";

const ADDRESS = "https://images.example/a/";
const names = (text: string) => listedNames({ address: ADDRESS, text });

Deno.test("only links to names of the folder itself count", () => {
  const page = `
    <a href="?C=N;O=D">Name</a> <a href="../">up</a> <a href="/images/">Parent</a>
    <a href="https://evil.example/b.qcow2">b.qcow2</a> <a href="//evil.example/c.qcow2">c</a>
    <a href="../../../etc/passwd">passwd</a> <a href="sub/d.qcow2">d</a> <a href="#top">top</a>
    <a href="javascript:alert(1)">x</a> <a href="%2e%2e/">up</a> <a href="%2Fetc">x</a>
    <a href="mailto:a@b">x</a> <a href="e%00.qcow2">e</a> <a href="%zz">x</a> <a href="">x</a>
    <a href="one-1.0.qcow2">one-1..&gt;</a> 47 <A class="x" HREF = 'two/'>two</A>
    <a title='three' href="./three%2B1.img">3</a> <a href="one-1.0.qcow2">again</a>
    four.qcow2 <b href="five.qcow2">five</b> <a data-href="six.qcow2">six</a>`;
  assert.deepEqual(names(page), ["one-1.0.qcow2", "two/", "three+1.img"]);
});

Deno.test("a page that lists nothing is no list", () => {
  for (const text of ["", "<html>404</html>", '<a href="/">home</a>', "x".repeat(1_000_000)]) {
    assert.throws(() => names(text), {
      code: "integrity",
      message: `Cannot read the list of ${ADDRESS}: it names no file`,
    });
  }
});

Deno.test("a page that is made to keep a reader busy is read at once", () => {
  const since = performance.now();
  for (const part of ["<a ", '<a href="', "<a x ", "<a href='a", '<a href="a" <a ', "&amp;"]) {
    try {
      names(part.repeat(500_000));
    } catch {
      // It may be no list; it must only be quick.
    }
  }
  assert.ok(performance.now() - since < 5000);
});

Deno.test("the newest is so by number, and the whole name must fit", () => {
  const folder = ["v3.9/", "v3.10/", "v3.2/", "xv3.99/", "v3.99/x", "v3.100", "latest/"];
  assert.deepEqual(newest(folder, /v([\d.]+)\//, ADDRESS), { name: "v3.10/", version: "3.10" });
  const files = [
    "x-1.img",
    "x-2.img.torrent",
    "x-3.img.asc",
    "y-x-4.img",
    "x-latest.img",
    "x-5ximg",
  ];
  assert.deepEqual(newestFirst(files, /x-(.*?)\.img/).map(({ name }) => name), [
    "x-1.img",
    "x-latest.img",
  ]);
  assert.throws(() => newest(["a"], /(b)/, ADDRESS), {
    code: "not_found",
    message: `Cannot find a build in ${ADDRESS}: no name fits /(b)/`,
  });
});

Deno.test("an alternative in a pattern doesn't loosen its ends", () => {
  assert.deepEqual(newestFirst(["a1", "xa1", "b2", "b2x"], /a(1)|b(2)/).map(({ name }) => name), [
    "a1",
  ]);
});

Deno.test("text stands for itself in a pattern", () => {
  assert.ok(new RegExp(`^${literal("16.0+x(1)")}$`).test("16.0+x(1)"));
  assert.ok(!new RegExp(`^${literal("16.0")}$`).test("1610"));
});
