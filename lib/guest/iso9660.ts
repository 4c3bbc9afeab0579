/** A file of an image: its name as the guest sees it, and its bytes. */
export interface IsoFile {
  name: string;
  content: Uint8Array;
}

/** What an image holds; the same input always gives the same bytes. */
export interface IsoContent {
  /** The volume label: up to 16 of `A-Z 0-9 _`. */
  label: string;
  files: IsoFile[];
  modifiedAt: Date;
}

const SECTOR = 2048;

// ECMA-119 puts these after the 16 sectors of the system area; the rest is our order.
const PRIMARY = 16, JOLIET = 17, TERMINATOR = 18, TABLES = 19, FOLDERS = 23;

/** One of the two views of the same files: plain upper-case names, or exact ones. */
interface View {
  descriptor: number;
  tables: number;
  folder: number;
  encode: (text: string) => Uint8Array;
  pad: number[];
  escape: string;
}

/**
 * Writes an ISO 9660 image with Joliet names (exact, up to 64 characters), one folder deep: what
 * Linux, FreeBSD and Windows guests all read without Rock Ridge.
 */
export function writeIso({ label, files, modifiedAt }: IsoContent): Uint8Array {
  if (!/^[A-Z0-9_]{1,16}$/.test(label)) throw new RangeError(`not a volume label: ${label}`);
  const placed = place(files);
  const image = new Uint8Array(placed.end * SECTOR);
  for (const { content, sector } of placed.files) image.set(content, sector * SECTOR);
  const views: View[] = [
    { descriptor: PRIMARY, tables: TABLES, folder: FOLDERS, encode: ascii, pad: [32], escape: "" },
    {
      descriptor: JOLIET,
      tables: TABLES + 2,
      folder: FOLDERS + 1,
      encode: ucs2,
      pad: [0, 32],
      escape: "%/E",
    },
  ];
  for (const view of views) {
    const named = placed.files.map((file) => ({
      ...file,
      identifier: view.encode(view.descriptor === PRIMARY ? plainName(file.name) : file.name),
    }));
    image.set(folder(named, view.folder, modifiedAt), view.folder * SECTOR);
    image.set(pathTable(view.folder, true), view.tables * SECTOR);
    image.set(pathTable(view.folder, false), (view.tables + 1) * SECTOR);
    image.set(descriptor(view, label, placed.end, modifiedAt), view.descriptor * SECTOR);
  }
  image.set([255, ...ascii("CD001"), 1], TERMINATOR * SECTOR);
  return image;
}

function place(files: IsoFile[]) {
  let end = FOLDERS + 2;
  const placed = files.map((file) => {
    if (!/^[\w.-]{1,64}$/.test(file.name)) throw new RangeError(`not a file name: ${file.name}`);
    const sector = end;
    end += Math.ceil(file.content.length / SECTOR);
    return { ...file, sector };
  });
  if (new Set(files.map(({ name }) => plainName(name))).size < files.length) {
    throw new RangeError("two file names are the same in upper case");
  }
  return { files: placed, end };
}

function plainName(name: string): string {
  return `${name.toUpperCase().replaceAll(/[^A-Z0-9]/g, "_").slice(0, 29)}.;1`;
}

function folder(
  files: { identifier: Uint8Array; sector: number; content: Uint8Array }[],
  sector: number,
  at: Date,
): Uint8Array {
  const itself = [0, 1].map((name) => entry(Uint8Array.of(name), sector, SECTOR, at, true));
  const inOrder = files.toSorted((a, b) => byBytes(a.identifier, b.identifier));
  const entries = inOrder.map((file) =>
    entry(file.identifier, file.sector, file.content.length, at, false)
  );
  const bytes = join([...itself, ...entries]);
  if (bytes.length > SECTOR) throw new RangeError("too many files for one folder sector");
  return bytes;
}

function entry(name: Uint8Array, sector: number, size: number, at: Date, isFolder: boolean) {
  const bytes = new Uint8Array((33 + name.length + 1) & ~1);
  bytes[0] = bytes.length;
  bothEndian(bytes, 2, sector, 4);
  bothEndian(bytes, 10, size, 4);
  bytes.set([at.getUTCFullYear() - 1900, at.getUTCMonth() + 1, at.getUTCDate()], 18);
  bytes.set([at.getUTCHours(), at.getUTCMinutes(), at.getUTCSeconds(), 0], 21);
  bytes[25] = isFolder ? 2 : 0;
  bothEndian(bytes, 28, 1, 2);
  bytes[32] = name.length;
  bytes.set(name, 33);
  return bytes;
}

function pathTable(folderSector: number, littleEndian: boolean): Uint8Array {
  const bytes = new Uint8Array(10);
  bytes[0] = 1;
  const view = new DataView(bytes.buffer);
  view.setUint32(2, folderSector, littleEndian);
  view.setUint16(6, 1, littleEndian);
  return bytes;
}

function descriptor(view: View, label: string, sectors: number, at: Date): Uint8Array {
  const bytes = new Uint8Array(SECTOR);
  const numbers = new DataView(bytes.buffer);
  const text = (offset: number, length: number, value = "") => {
    for (let i = 0; i < length; i++) bytes[offset + i] = view.pad[i % view.pad.length]!;
    bytes.set(view.encode(value), offset);
  };
  bytes.set([view.descriptor === PRIMARY ? 1 : 2, ...ascii("CD001"), 1]);
  text(8, 32);
  text(40, 32, label);
  bothEndian(bytes, 80, sectors, 4);
  bytes.set(ascii(view.escape), 88);
  bothEndian(bytes, 120, 1, 2);
  bothEndian(bytes, 124, 1, 2);
  bothEndian(bytes, 128, SECTOR, 2);
  bothEndian(bytes, 132, 10, 4);
  numbers.setUint32(140, view.tables, true);
  numbers.setUint32(148, view.tables + 1, false);
  bytes.set(entry(Uint8Array.of(0), view.folder, SECTOR, at, true), 156);
  for (const [offset, length] of [[190, 128], [318, 128], [446, 128], [574, 128], [702, 37]]) {
    text(offset!, length!);
  }
  text(739, 37);
  text(776, 37);
  const stamp = at.toISOString().replaceAll(/[^0-9]/g, "").slice(0, 16);
  bytes.set(ascii(stamp), 813);
  bytes.set(ascii(stamp), 830);
  bytes.set(ascii("0".repeat(16)), 847);
  bytes.set(ascii("0".repeat(16)), 864);
  bytes[881] = 1;
  return bytes;
}

function bothEndian(bytes: Uint8Array, offset: number, value: number, width: 2 | 4): void {
  const view = new DataView(bytes.buffer);
  if (width === 2) {
    view.setUint16(offset, value, true);
    view.setUint16(offset + 2, value, false);
  } else {
    view.setUint32(offset, value, true);
    view.setUint32(offset + 4, value, false);
  }
}

function ascii(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function ucs2(text: string): Uint8Array {
  return Uint8Array.from([...text].flatMap((letter) => {
    const code = letter.charCodeAt(0);
    return [code >> 8, code & 255];
  }));
}

function byBytes(a: Uint8Array, b: Uint8Array): number {
  const at = a.findIndex((byte, i) => byte !== b[i]);
  return at < 0 ? a.length - b.length : (a[at] ?? 0) - (b[at] ?? 0);
}

function join(pieces: Uint8Array[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}
