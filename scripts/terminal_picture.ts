/**
 * Draws `docs/terminal.svg`: a terminal in which these commands were really run, in the home that
 * NIDO_HOME names.
 *
 *     deno task picture [FILE]
 *
 * @module
 */
const COMMANDS = [
  "nido spawn dev --memory 512M",
  "nido exec dev -- sh -c 'uname -sr; id -un'",
  "nido snapshot create dev clean",
  "nido exec dev -- sudo rm -rf /usr/share /var/lib",
  "nido exec dev -- test -d /var/lib || echo gone",
  "nido snapshot restore dev clean",
  "nido exec dev -- test -d /var/lib && echo back",
  "nido delete dev --force",
];

const COLUMNS = 100;
const [CELL_WIDTH, LINE_HEIGHT, MARGIN] = [8.43, 20, 18];

/** One line of the picture. */
interface Line {
  text: string;
  isCommand: boolean;
}

async function run(command: string): Promise<Line[]> {
  const { stdout, stderr } = await new Deno.Command("sh", {
    args: ["-c", command],
    env: { PATH: `scripts:${Deno.env.get("PATH")}`, NO_COLOR: "1" },
    stdin: "null",
  }).output();
  const said = [stdout, stderr].map((bytes) => new TextDecoder().decode(bytes)).join("");
  const lines = said.split("\n").filter((line) => line !== "" && !isProgress(line));
  return [
    { text: `$ ${command}`, isCommand: true },
    ...lines.map((line) => ({ text: cut(line), isCommand: false })),
  ];
}

/** Off a terminal, progress is told in lines such as `disk: making the nest of "dev"`. */
function isProgress(line: string): boolean {
  return /^[a-z]+: /.test(line) && !line.startsWith("error: ");
}

function cut(line: string): string {
  return line.length > COLUMNS ? `${line.slice(0, COLUMNS - 1)}…` : line;
}

/** The lines as an SVG image, which needs no font of its own. */
export function picture(lines: Line[]): string {
  const width = Math.ceil(COLUMNS * CELL_WIDTH + 2 * MARGIN);
  const height = lines.length * LINE_HEIGHT + 2 * MARGIN;
  const rows = lines.map(({ text, isCommand }, index) => {
    const y = MARGIN + (index + 0.75) * LINE_HEIGHT;
    const fill = isCommand ? ' fill="#7ee787"' : "";
    return `<text x="${MARGIN}" y="${y}"${fill} xml:space="preserve">${escaped(text)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" role="img" ` +
    `aria-label="Nido in a terminal" font-family="ui-monospace, monospace" font-size="14" ` +
    `fill="#e6edf3">`,
    `<rect width="${width}" height="${height}" rx="8" fill="#0d1117"/>`,
    ...rows,
    "</svg>",
  ].join("\n") + "\n";
}

function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

if (import.meta.main) {
  const lines: Line[] = [];
  for (const command of COMMANDS) lines.push(...await run(command));
  await Deno.writeTextFile(Deno.args[0] ?? "docs/terminal.svg", picture(lines));
}
