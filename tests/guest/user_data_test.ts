import assert from "node:assert/strict";
import { run } from "../../lib/host/process.ts";
import { NidoError } from "../../lib/errors.ts";
import {
  checkUserData,
  type CloudConfig,
  composeUserData,
  overruledKeys,
} from "../../lib/guest/user_data.ts";

const own: CloudConfig = {
  defaults: { manage_etc_hosts: "localhost", growpart: { mode: "auto", devices: ["/"] } },
  enforced: {
    user: { name: "nido", lock_passwd: true, sudo: "ALL=(ALL) NOPASSWD:ALL" },
    hostname: "hatch",
    ssh_pwauth: false,
    disable_root: true,
    ssh_keys: { ed25519_private: "PRIVATE", ed25519_public: "PUBLIC" },
  },
};

interface User {
  default: boolean;
  groups?: string;
  lock_passwd?: boolean;
  sudo?: unknown;
  shell?: string;
  ssh_authorized_keys?: string[];
}

interface Booted {
  config: Record<string, unknown>;
  users: Record<string, User>;
  defaultUser: string;
  ran: Record<string, string>;
  warnings: string[];
}

const program = new URL("../fixtures/cloud_config_merge.py", import.meta.url).pathname;

/** What cloud-init's own code makes of Nido's config with each of the callers' user-data. */
async function boot(...callers: (string | undefined)[]): Promise<Booted[]> {
  const folder = await Deno.makeTempDir({ prefix: "nido-user-data-" });
  try {
    const paths = await Promise.all(callers.map(async (text, i) => {
      const path = `${folder}/${i}`;
      await Deno.writeTextFile(path, await composeUserData(own, text));
      return path;
    }));
    const { stdout } = await run("/usr/bin/python3", [program, ...paths]);
    return JSON.parse(new TextDecoder().decode(stdout));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function assertNidoWins({ config, users, defaultUser, warnings }: Booted): void {
  for (const [key, value] of Object.entries(own.enforced)) {
    assert.deepEqual(config[key], value, key);
  }
  assert.equal("password" in config, false);
  assert.equal(defaultUser, "nido");
  assert.equal(users.nido!.lock_passwd, true);
  assert.equal(users.nido!.sudo, "ALL=(ALL) NOPASSWD:ALL");
  assert.equal(users.nido!.shell, "/bin/bash");
  assert.deepEqual(warnings, []);
}

Deno.test("without the caller's user-data, only Nido's config applies", async () => {
  for (const booted of await boot(undefined, "", "\uFEFF \n")) {
    assertNidoWins(booted);
    assert.deepEqual(booted.config, { ...own.defaults, ...own.enforced });
    assert.deepEqual(Object.keys(booted.users), ["nido"]);
  }
});

const CONFIG = `#cloud-config
merge_how: "list(replace)+dict(replace)+str()"
users:
  - name: alice
    groups: video
  - name: nido
    groups: docker
    lock_passwd: false
    sudo: null
    ssh_authorized_keys: [theirs]
ssh_authorized_keys: [extra]
ssh_pwauth: yes
disable_root: false
hostname: web
ssh_keys: { rsa_private: x, ed25519_private: y }
runcmd: [[echo, "çava"]]
write_files: [{ path: /a, content: b }]
manage_etc_hosts: false
growpart: { mode: "off" }
`;

Deno.test("a caller's cloud-config applies beside Nido's, which wins where it must", async () => {
  const windows = `\uFEFF${CONFIG.replaceAll("\n", "\r\n")}`;
  for (const booted of await boot(CONFIG, windows, `\n\n${CONFIG}`)) {
    assertNidoWins(booted);
    assert.deepEqual(booted.config.runcmd, [["echo", "çava"]]);
    assert.deepEqual(booted.config.write_files, [{ path: "/a", content: "b" }]);
    assert.deepEqual(booted.config.ssh_authorized_keys, ["extra"]);
    assert.equal(booted.config.manage_etc_hosts, false);
    assert.deepEqual(booted.config.growpart, { mode: "off", devices: ["/"] });
    assert.deepEqual(Object.keys(booted.users).sort(), ["alice", "nido"]);
    assert.equal(booted.users.nido!.groups, "adm,docker,sudo");
    assert.deepEqual(booted.users.nido!.ssh_authorized_keys, ["theirs"]);
  }
  const keys = await overruledKeys(own, CONFIG);
  assert.deepEqual(keys, ["disable_root", "hostname", "ssh_keys", "ssh_pwauth"]);
  assert.deepEqual(await overruledKeys(own, "#cloud-config\nssh_pwauth: no\n"), []);
});

Deno.test("the older shapes of users apply too", async () => {
  const shapes = ["{ alice: true }", "alice", "[alice, default]", "[]"];
  const booted = await boot(...shapes.map((users) => `#cloud-config\nusers: ${users}\n`));
  for (const [i, { users, config, defaultUser }] of booted.entries()) {
    const names = shapes[i] === "[]" ? ["nido"] : ["alice", "nido"];
    assert.equal(defaultUser, "nido", shapes[i]);
    assert.deepEqual(Object.keys(users).sort(), names, shapes[i]);
    assert.equal(config.ssh_pwauth, false);
  }
});

const HANDLER = `#part-handler
def list_types():
    return ["text/x-bird"]
def handle_part(data, ctype, filename, payload):
    pass
`;

const SCRIPT = "#!/bin/sh\necho \"$1\" 'ça' =\n\n";
const PLAIN = "#!/bin/sh\nFrom here\n--nido-seed\n--nido-seed-x--\nthere";

Deno.test("every other form reaches the guest", async () => {
  const booted = await boot(
    SCRIPT,
    `\uFEFF${SCRIPT.replaceAll("\n", "\r\n")}`,
    "#cloud-boothook\necho early\n",
    "## template: jinja\n#cloud-config\nhostname: {{ v1.instance_id }}\npassword: x\n" +
      "final_message: {{ v1.instance_id }}\nuser: eve\n",
    `#cloud-config-archive\n- "#!/bin/sh\\necho hi\\n"\n- type: text/cloud-config\n` +
      `  content: |\n    runcmd: [a]\n- content: |\n    packages: [b]\n`,
    '#cloud-config-jsonp\n[{"op": "add", "path": "/ssh_pwauth", "value": true},' +
      '{"op": "add", "path": "/timezone", "value": "UTC"}]\n',
    HANDLER,
    PLAIN,
  );
  booted.forEach(assertNidoWins);
  const [script, windows, hook, jinja, archive, patch, _handler, plain] = booted;
  assert.deepEqual(script!.ran, { "scripts/user-data": SCRIPT });
  assert.deepEqual(windows!.ran, { "scripts/user-data": SCRIPT });
  assert.deepEqual(hook!.ran, { "boothooks/user-data": "echo early\n" });
  assert.equal(jinja!.config.final_message, "i-test");
  assert.deepEqual(Object.values(archive!.ran), ["#!/bin/sh\necho hi\n"]);
  assert.deepEqual([archive!.config.runcmd, archive!.config.packages], [["a"], ["b"]]);
  assert.deepEqual(plain!.ran, { "scripts/user-data": PLAIN });
  assert.equal(patch!.config.timezone, "UTC");
});

Deno.test("an included file is fetched by the guest and can't undo Nido's config", async () => {
  const path = await Deno.makeTempFile({ prefix: "nido-include-" });
  try {
    await Deno.writeTextFile(path, "#cloud-config\npassword: x\nuser: eve\nruncmd: [a]\n");
    const [booted] = await boot(`#include\nfile://${path}\n`);
    assertNidoWins(booted!);
    assert.deepEqual(booted!.config.runcmd, ["a"]);
  } finally {
    await Deno.remove(path);
  }
});

Deno.test("a part handler lets a multipart hold any type", async () => {
  await checkUserData(
    `MIME-Version: 1.0\nContent-Type: multipart/mixed; boundary=b\n\n` +
      `--b\nContent-Type: text/part-handler\n\n${HANDLER}\n` +
      `--b\nContent-Type: text/x-bird\n\ntweet\n--b--\n`,
  );
});

const MULTIPART = `From nobody Fri Jan 11 07:00:00 1980
Content-Type: multipart/mixed;
 boundary="=== 1 ==="
MIME-Version: 1.0
Number-Attachments: 4

preamble
--=== 1 ===
Content-Type: text/cloud-config; charset="utf-8"
Content-Transfer-Encoding: base64
Content-Disposition: attachment; filename="a.yaml"

${new TextEncoder().encode("#cloud-config\nruncmd: [ça]\nssh_pwauth: true\n").toBase64()}
--=== 1 ===
Content-Type: text/cloud-config
Content-Transfer-Encoding: quoted-printable
Merge-Type: list(append)+dict(recurse_array)+str()

runcmd: [b=C3=A7, c=
d]
--=== 1 ===
Content-Type: multipart/mixed; boundary=inner

--inner
Content-Type: text/x-shellscript; name="s.sh"
Content-Disposition: attachment; filename="s.sh"

#!/bin/sh
echo s
--inner
Content-Type: text/plain

#cloud-config
timezone: UTC
--inner--
--=== 1 ===--
`;

Deno.test("an existing multipart keeps its parts, merge types and file names", async () => {
  const windows = `\uFEFF${MULTIPART.replaceAll("\n", "\r\n")}`;
  for (const booted of await boot(MULTIPART, windows)) {
    assertNidoWins(booted);
    assert.deepEqual(booted.config.runcmd, ["ça", "bç", "cd"]);
    assert.equal(booted.config.timezone, "UTC");
    assert.equal(booted.ran["scripts/s.sh"]?.trimEnd(), "#!/bin/sh\necho s");
  }
  for (const text of [MULTIPART, windows]) {
    assert.deepEqual(await overruledKeys(own, text), ["ssh_pwauth"]);
  }
});

function multipart(contentType: string, content: string): string {
  return `Content-Type: multipart/mixed; boundary=b\nMIME-Version: 1.0\n\n` +
    `--b\nContent-Type: ${contentType}\n\n${content}\n--b--\n`;
}

const FIRST_LINE =
  "is not one of #cloud-config, #! (a script), #include, #include-once, #cloud-boothook, " +
  "#part-handler, #cloud-config-archive, #cloud-config-jsonp, ## template: jinja, MIME headers";

const refusals: [name: string, text: string, reason: string][] = [
  ["no known first line", "users: []\n", `its first line "users: []" ${FIRST_LINE}`],
  ["a longer word", "#cloud-configs\na: 1\n", `its first line "#cloud-configs" ${FIRST_LINE}`],
  [
    "broken YAML",
    "#cloud-config\nusers:\n  - a: [\n  b: 1\n",
    "line 4, column 3: Flow sequence in block collection must be sufficiently indented and end " +
    "with a ]",
  ],
  [
    "a line counted from the file's first",
    "\n\r\n#cloud-config\r\na: 1\r\na: 2\r\n",
    "line 5, column 1: Map keys must be unique",
  ],
  ["a tab", "#cloud-config\na:\n\tb: 1\n", "line 3, column 1: Tabs are not allowed as indentation"],
  [
    "a list at the root",
    "#cloud-config\n- a\n",
    "line 2, column 1: a cloud-config must be a map of settings at its root",
  ],
  ["nothing inside", "#cloud-config\n# later\n", "line 1, column 1: it holds no settings"],
  [
    "two documents",
    "#cloud-config\na: 1\n---\nb: 1\n",
    "line 3, column 1: a second YAML document starts here",
  ],
  [
    "an alias to nothing",
    "#cloud-config\na: *b\n",
    "Unresolved alias (the anchor must be set before the alias): b",
  ],
  [
    "another login user",
    "#cloud-config\na: 1\nuser: eve\n",
    "line 3, column 1: user would replace Nido's own login user; list more users under users, or " +
    "choose the login user's name when the VM is made",
  ],
  [
    "a password for the login user",
    "#cloud-config\npassword: x\n",
    "line 2, column 1: password would give Nido's own login user a password, and it has none; " +
    "give passwd to another user under users",
  ],
  [
    "an archive that is a map",
    "#cloud-config-archive\na: 1\n",
    "line 2, column 1: a cloud-config-archive must be a list at its root",
  ],
  [
    "an archive's empty entry",
    "#cloud-config-archive\n- type: text/cloud-config\n",
    "line 2, column 3: an archive's entry must be a text, or a map with content",
  ],
  [
    "an archive's broken entry",
    '#cloud-config-archive\n- "#!/bin/sh"\n- content: "- a"\n',
    "entry 2: line 1, column 1: a cloud-config must be a map of settings at its root",
  ],
  [
    "a multipart's broken config",
    multipart('text/cloud-config; name="x.yaml"', "a: 1\n b: 2"),
    "part 1 (x.yaml): line 1, column 4: Nested mappings are not allowed in compact mappings",
  ],
  [
    "a multipart's unknown type",
    multipart("text/html", "<b>"),
    "part 1: cloud-init does nothing with text/html",
  ],
  [
    "a multipart's nameless part",
    multipart("text/plain", "hello"),
    "part 1: cloud-init does nothing with text/plain",
  ],
  [
    "a multipart that was cut off",
    multipart("text/x-shellscript", "#!/bin/sh").replace("--b--", ""),
    'its multipart does not end with "--b--"',
  ],
  [
    "a multipart without boundary",
    "Content-Type: multipart/mixed\n\n--b\n",
    "its multipart header names no boundary",
  ],
  [
    "a multipart without parts",
    "Content-Type: multipart/mixed; boundary=b\n\n--b--\n",
    'its multipart has no part between "b"',
  ],
  [
    "too much",
    `#!/bin/sh\n${"#".repeat(1024 * 1024)}`,
    "it has 1048586 bytes, and at most 1048576 fit",
  ],
];

for (const [name, text, reason] of refusals) {
  Deno.test(`refused: ${name}`, async () => {
    for (const use of [checkUserData(text), composeUserData(own, text)]) {
      const error = await use.then(() => undefined, (thrown) => thrown);
      assert.ok(error instanceof NidoError, String(error));
      assert.equal(error.message, `Cannot use the user-data: ${reason}`);
      assert.equal(error.code, "invalid_input");
    }
  });
}

Deno.test("refused: a password for the login user by chpasswd", async () => {
  for (
    const chpasswd of [
      '{ list: ["alice:x", "nido:x"] }',
      '{ list: "nido:x" }',
      "{ users: [{ name: nido }] }",
    ]
  ) {
    await assert.rejects(composeUserData(own, `#cloud-config\nchpasswd: ${chpasswd}\n`), {
      code: "invalid_input",
      message:
        'Cannot use the user-data: chpasswd would give Nido\'s own login user "nido" a password, ' +
        "and it has none",
    });
  }
  await composeUserData(own, '#cloud-config\nchpasswd: { list: ["alice:x"] }\n');
});
