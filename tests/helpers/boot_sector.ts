/** A raw disk of 1 MiB whose first sector is this 16-bit program. */
export function bootDisk(program: number[]): Uint8Array<ArrayBuffer> {
  if (program.length > 510) throw new RangeError("a boot sector holds 510 bytes of program");
  const disk = new Uint8Array(1 << 20);
  disk.set(program);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

/** Stands still for ever: `cli; hlt; jmp`. */
export const IDLE = [0xfa, 0xf4, 0xeb, 0xfd];

// deno-fmt-ignore
const WAIT_AND_SEND_AL = [
  0x88, 0xc4,             // mov ah, al
  0xba, 0xfd, 0x03,       // mov dx, 0x3fd: the line's status
  0xec,                   // in al, dx
  0xa8, 0x20,             // test al, 0x20: may send
  0x74, 0xfb,             // jz back to in
  0x88, 0xe0,             // mov al, ah
  0xba, 0xf8, 0x03,       // mov dx, 0x3f8
  0xee,                   // out dx, al
];

/** Writes numbered lines to the serial port as fast as it can: 8 hex digits, then a newline. */
// deno-fmt-ignore
export const FLOOD = [
  0xfa,                   // cli
  0x66, 0x31, 0xdb,       // xor ebx, ebx
  // line:
  0xb9, 0x08, 0x00,       // mov cx, 8
  0x66, 0x89, 0xde,       // mov esi, ebx
  // digit:
  0x66, 0xc1, 0xc6, 0x04, // rol esi, 4
  0x89, 0xf0,             // mov ax, si
  0x24, 0x0f,             // and al, 15
  0x04, 0x30,             // add al, '0'
  0x3c, 0x3a,             // cmp al, ':'
  0x72, 0x02,             // jb +2
  0x04, 0x27,             // add al, 'a' - ':'
  ...WAIT_AND_SEND_AL,
  0xe2, -(2 + 16 + 2 + 2 + 2 + 2 + 2 + 2 + 4) & 0xff, // loop digit
  0xb0, 0x0a,             // mov al, newline
  ...WAIT_AND_SEND_AL,
  0x66, 0x43,             // inc ebx
  0xeb, -(2 + 2 + 16 + 2 + 2 + 16 + 2 + 2 + 2 + 2 + 2 + 2 + 4 + 3 + 3) & 0xff, // jmp line
];

/** Writes a text once and then sends back every byte that it gets. */
export function echoAfter(text: string): number[] {
  const bytes = new TextEncoder().encode(text);
  // deno-fmt-ignore
  const begin = [
    0xfa,                 // cli
    0x31, 0xc0,           // xor ax, ax
    0x8e, 0xd8,           // mov ds, ax
    0xbe, 0x00, 0x00,     // mov si, text (set below)
    0xb9, bytes.length & 0xff, bytes.length >> 8, // mov cx, length
    0xe3, 2 + 16 + 2 - 1, // jcxz echo
    // next:
    0xac,                 // lodsb
    ...WAIT_AND_SEND_AL,
    0xe2, -(1 + 16 + 2) & 0xff, // loop next
  ];
  // deno-fmt-ignore
  const echo = [
    0xba, 0xfd, 0x03,     // mov dx, 0x3fd
    0xec,                 // in al, dx
    0xa8, 0x01,           // test al, 1: a byte has come
    0x74, 0xfb,           // jz back to in
    0xba, 0xf8, 0x03,     // mov dx, 0x3f8
    0xec,                 // in al, dx
    ...WAIT_AND_SEND_AL,
    0xeb, -(3 + 1 + 2 + 2 + 3 + 1 + 16 + 2) & 0xff, // jmp echo
  ];
  const at = 0x7c00 + begin.length + echo.length;
  begin[6] = at & 0xff;
  begin[7] = at >> 8;
  return [...begin, ...echo, ...bytes];
}

/**
 * Counts into its disk, about 18 times a second: the second sector holds how often it has counted
 * since it booted, and then how often it has booted, as little-endian 32-bit numbers.
 */
// deno-fmt-ignore
export const COUNT = [
  0xfa,                   // cli
  0x31, 0xc0,             // xor ax, ax
  0x8e, 0xd8,             // mov ds, ax
  0x8e, 0xc0,             // mov es, ax
  0x8e, 0xd0,             // mov ss, ax
  0xbc, 0x00, 0x7c,       // mov sp, 0x7c00
  0xfb,                   // sti
  0xbb, 0x00, 0x80,       // mov bx, 0x8000: the sector in memory
  0xb6, 0x00,             // mov dh, 0 (dl is the disk that the BIOS booted)
  0xb8, 0x01, 0x02,       // mov ax, 0x0201: read one sector
  0xb9, 0x02, 0x00,       // mov cx, 2: the second
  0xcd, 0x13,             // int 0x13
  0x66, 0xc7, 0x06, 0x00, 0x80, 0x00, 0x00, 0x00, 0x00, // mov dword [0x8000], 0
  0x66, 0xff, 0x06, 0x04, 0x80, // inc dword [0x8004]
  // count:
  0x66, 0xff, 0x06, 0x00, 0x80, // inc dword [0x8000]
  0xb8, 0x01, 0x03,       // mov ax, 0x0301: write one sector
  0xb9, 0x02, 0x00,       // mov cx, 2
  0xcd, 0x13,             // int 0x13
  0xf4,                   // hlt: until the clock ticks
  0xeb, -(5 + 3 + 3 + 2 + 1 + 2) & 0xff, // jmp count
];

/**
 * Counts in 128 pages of its memory, one after the other and as fast as it can, and looks at each first:
 * it writes `B` to the serial port and stands still when one holds another number than it should.
 */
// deno-fmt-ignore
export const MARCH = [
  0xfa,                   // cli
  0x31, 0xdb,             // xor bx, bx
  0xb8, 0x00, 0x10,       // mov ax, 0x1000: the first page
  // clear:
  0x8e, 0xc0,             // mov es, ax
  0x26, 0x89, 0x1e, 0x00, 0x00, // mov [es:0], bx
  0x05, 0x00, 0x01,       // add ax, 0x100: the next page
  0x3d, 0x00, 0x90,       // cmp ax, 0x9000: the last one is done
  0x72, -(2 + 5 + 3 + 3 + 2) & 0xff, // jb clear
  // round:
  0xb8, 0x00, 0x10,       // mov ax, 0x1000
  // page:
  0x8e, 0xc0,             // mov es, ax
  0x26, 0x39, 0x1e, 0x00, 0x00, // cmp [es:0], bx
  0x75, 5 + 3 + 3 + 2 + 1 + 2, // jne bad
  0x26, 0xff, 0x06, 0x00, 0x00, // inc word [es:0]
  0x05, 0x00, 0x01,       // add ax, 0x100
  0x3d, 0x00, 0x90,       // cmp ax, 0x9000
  0x72, -(2 + 5 + 2 + 5 + 3 + 3 + 2) & 0xff, // jb page
  0x43,                   // inc bx
  0xeb, -(3 + 2 + 5 + 2 + 5 + 3 + 3 + 2 + 1 + 2) & 0xff, // jmp round
  // bad:
  0xb0, 0x42,             // mov al, 'B'
  0xba, 0xf8, 0x03,       // mov dx, 0x3f8
  0xee,                   // out dx, al
  ...IDLE,
];
