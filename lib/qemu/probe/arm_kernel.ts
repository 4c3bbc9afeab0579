import { readListing } from "./machine_code.ts";

const FAULT_AT = 0x200;

const CODE = `
  ; a table of 1 GiB pages at 0x40010000: RAM mapped at its own address, all else not
  20 00 a8 d2              ; 0 mov x0, #0x40010000
  01 00 a8 d2              ; 4 mov x1, #0x40000000
  a1 e0 80 f2              ; 8 movk x1, #0x705
  1f 00 00 f9              ; c str xzr, [x0]
  01 04 00 f9              ; 10 str x1, [x0, #8]
  1f 08 00 f9              ; 14 str xzr, [x0, #16]
  ; MAIR: normal memory; TCR: 39-bit addresses; vectors at the start of this code
  02 e0 9f d2              ; 18 mov x2, #0xff00
  02 a2 18 d5              ; 1c msr mair_el1, x2
  22 03 86 d2              ; 20 mov x2, #0x3019
  02 10 a0 f2              ; 24 movk x2, #0x80, lsl #16
  42 20 18 d5              ; 28 msr tcr_el1, x2
  00 20 18 d5              ; 2c msr ttbr0_el1, x0
  82 fe ff 10              ; 30 adr x2, 0 <start>
  02 c0 18 d5              ; 34 msr vbar_el1, x2
  ; SIMD on; then MMU and caches on
  02 06 a0 d2              ; 38 mov x2, #0x300000
  42 10 18 d5              ; 3c msr cpacr_el1, x2
  9f 3f 03 d5              ; 40 dsb sy
  df 3f 03 d5              ; 44 isb
  02 10 38 d5              ; 48 mrs x2, sctlr_el1
  a3 00 82 d2              ; 4c mov x3, #0x1005
  42 00 03 aa              ; 50 orr x2, x2, x3
  02 10 18 d5              ; 54 msr sctlr_el1, x2
  df 3f 03 d5              ; 58 isb
  ; read this code through an unmapped address: faults, is mapped, must be the same
  03 01 b0 d2              ; 5c mov x3, #0x80080000
  64 00 40 b9              ; 60 ldr w4, [x3]
  e3 fc ff 10              ; 64 adr x3, 0 <start>
  65 00 40 b9              ; 68 ldr w5, [x3]
  9f 00 05 6b              ; 6c cmp w4, w5
  01 00 00 54              ; 70 b.ne 70 <start+0x70>
  ; 196,608 rounds of plain work and SIMD
  66 00 a0 52              ; 74 mov w6, #0x30000
  00 e4 00 6f              ; 78 movi v0.2d, #0x0
  e7 00 06 ca              ; 7c eor x7, x7, x6
  e7 1c c7 93              ; 80 ror x7, x7, #7
  00 84 e0 4e              ; 84 add v0.2d, v0.2d, v0.2d
  c6 04 00 71              ; 88 subs w6, w6, #0x1
  81 ff ff 54              ; 8c b.ne 7c <start+0x7c>
  ; PSCI SYSTEM_OFF ends QEMU with exit code 0
  00 80 b0 52              ; 90 mov w0, #0x84000000
  00 01 80 72              ; 94 movk w0, #0x8
  02 00 00 d4              ; 98 hvc #0x0
  00 00 00 14              ; 9c b 9c <start+0x9c>
`;

const FAULT = `
  ; page fault: map the third GiB to RAM, clean the cache line, return
  01 08 00 f9              ; 200 str x1, [x0, #16]
  20 7a 0b d5              ; 204 dc cvac, x0
  9f 3f 03 d5              ; 208 dsb sy
  e0 03 9f d6              ; 20c eret
`;

/**
 * A raw kernel for the `virt` machine that does what an operating system does first: page tables,
 * MMU and caches on, a page fault, SIMD. It powers the machine off through PSCI when all of it
 * worked, and loops for ever when something came out wrong.
 */
export function armProbeKernel(): Uint8Array {
  const fault = readListing(FAULT);
  const kernel = new Uint8Array(FAULT_AT + fault.length);
  kernel.set(readListing(CODE), 0);
  kernel.set(fault, FAULT_AT);
  return kernel;
}
