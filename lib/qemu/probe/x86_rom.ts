import { readListing } from "./machine_code.ts";

const ROM_SIZE = 64 * 1024;
/** Where the last KiB of the ROM is found by the code that copies it. */
const CODE_AT = 0xfc00;

const CODE = `
  ; page tables at 0x1000-0x3fff and an IDT at 0x4000, zeroed; 2 MiB mapped at 0
  bf 00 10                 ; 7c00 mov di,0x1000
  31 c0                    ; 7c03 xor ax,ax
  b9 00 20                 ; 7c05 mov cx,0x2000
  f3 ab                    ; 7c08 rep stos WORD PTR es:[di],ax
  c7 06 00 10 03 20        ; 7c0a mov WORD PTR ds:0x1000,0x2003
  c7 06 00 20 03 30        ; 7c10 mov WORD PTR ds:0x2000,0x3003
  c6 06 00 30 83           ; 7c16 mov BYTE PTR ds:0x3000,0x83
  ; IDT[14]: page faults go to 0x7ce8
  bf e0 40                 ; 7c1b mov di,0x40e0
  c7 05 e8 7c              ; 7c1e mov WORD PTR [di],0x7ce8
  66 c7 45 02 08 00 00 8e  ; 7c22 mov DWORD PTR [di+0x2],0x8e000008
  c6 45 05 8e              ; 7c2a mov BYTE PTR [di+0x5],0x8e
  c6 45 04 00              ; 7c2e mov BYTE PTR [di+0x4],0x0
  ; CR4: PAE, SSE; CR3: the tables; EFER: long mode; CR0: paging, protection
  66 b8 20 06 00 00        ; 7c32 mov eax,0x620
  0f 22 e0                 ; 7c38 mov cr4,eax
  66 b8 00 10 00 00        ; 7c3b mov eax,0x1000
  0f 22 d8                 ; 7c41 mov cr3,eax
  66 b9 80 00 00 c0        ; 7c44 mov ecx,0xc0000080
  0f 32                    ; 7c4a rdmsr
  80 cc 01                 ; 7c4c or ah,0x1
  0f 30                    ; 7c4f wrmsr
  0f 20 c0                 ; 7c51 mov eax,cr0
  83 e0 fb                 ; 7c54 and ax,0xfffb
  66 0d 03 00 00 80        ; 7c57 or eax,0x80000003
  0f 22 c0                 ; 7c5d mov cr0,eax
  ; the GDT, then 64-bit code
  66 0f 01 16 28 7d        ; 7c60 lgdtd ds:0x7d28
  ea 6b 7c 08 00           ; 7c66 jmp 0x8:0x7c6b
  b8 10 00 00 00           ; 7c6b mov eax,0x10
  8e d8                    ; 7c70 mov ds,eax
  8e c0                    ; 7c72 mov es,eax
  8e d0                    ; 7c74 mov ss,eax
  bc 00 7c 00 00           ; 7c76 mov esp,0x7c00
  0f 01 1c 25 2e 7d 00 00  ; 7c7b lidt ds:0x7d2e
  ; touch 16 unmapped 2 MiB pages: each faults and is mapped
  bf 00 00 20 00           ; 7c83 mov edi,0x200000
  b9 10 00 00 00           ; 7c88 mov ecx,0x10
  ff 07                    ; 7c8d inc DWORD PTR [rdi]
  81 c7 00 00 20 00        ; 7c8f add edi,0x200000
  e2 f6                    ; 7c95 loop 0x7c8d
  ; a thousand times CPUID, an MSR written and read, the TLB flushed, SSE
  be e8 03 00 00           ; 7c97 mov esi,0x3e8
  31 c0                    ; 7c9c xor eax,eax
  0f a2                    ; 7c9e cpuid
  b9 02 01 00 c0           ; 7ca0 mov ecx,0xc0000102
  89 f0                    ; 7ca5 mov eax,esi
  31 d2                    ; 7ca7 xor edx,edx
  0f 30                    ; 7ca9 wrmsr
  0f 32                    ; 7cab rdmsr
  39 f0                    ; 7cad cmp eax,esi
  75 30                    ; 7caf jne 0x7ce1
  0f 20 d8                 ; 7cb1 mov rax,cr3
  0f 22 d8                 ; 7cb4 mov cr3,rax
  f2 0f 2a c6              ; 7cb7 cvtsi2sd xmm0,esi
  f2 0f 59 c0              ; 7cbb mulsd xmm0,xmm0
  ff ce                    ; 7cbf dec esi
  75 d9                    ; 7cc1 jne 0x7c9c
  ; 200,000 rounds of plain work
  b9 40 0d 03 00           ; 7cc3 mov ecx,0x30d40
  48 31 c8                 ; 7cc8 xor rax,rcx
  48 c1 c0 07              ; 7ccb rol rax,0x7
  ff c9                    ; 7ccf dec ecx
  75 f5                    ; 7cd1 jne 0x7cc8
  ; 16 faults seen? 0x21 is yes and 0x11 is no
  83 3c 25 38 7d 00 00 10  ; 7cd3 cmp DWORD PTR ds:0x7d38,0x10
  75 04                    ; 7cdb jne 0x7ce1
  b0 21                    ; 7cdd mov al,0x21
  eb 02                    ; 7cdf jmp 0x7ce3
  b0 11                    ; 7ce1 mov al,0x11
  e6 f4                    ; 7ce3 out 0xf4,al
  f4                       ; 7ce5 hlt
  eb fd                    ; 7ce6 jmp 0x7ce5
  ; page fault: map the 2 MiB page of CR2, count, return
  50                       ; 7ce8 push rax
  52                       ; 7ce9 push rdx
  0f 20 d0                 ; 7cea mov rax,cr2
  89 c2                    ; 7ced mov edx,eax
  c1 ea 15                 ; 7cef shr edx,0x15
  b0 83                    ; 7cf2 mov al,0x83
  48 89 04 d5 00 30 00 00  ; 7cf4 mov QWORD PTR [rdx*8+0x3000],rax
  ff 04 25 38 7d 00 00     ; 7cfc inc DWORD PTR ds:0x7d38
  5a                       ; 7d03 pop rdx
  58                       ; 7d04 pop rax
  48 83 c4 08              ; 7d05 add rsp,0x8
  48 cf                    ; 7d09 iretq
`;

const TABLES = `
  00 00 00 00 00 00 00 00  ; 7d10 GDT: null
  00 00 00 00 00 9b 20 00  ; 7d18 GDT: 64-bit code
  00 00 00 00 00 93 00 00  ; 7d20 GDT: data
  17 00 10 7d 00 00        ; 7d28 for lgdt: 24 bytes at 0x7d10
  ff 0f 00 40 00 00 00 00 00 00 ; 7d2e for lidt: 4096 bytes at 0x4000
  00 00 00 00              ; 7d38 the number of page faults
`;

const ENTRY = `
  ; the last KiB of the ROM copies itself to 0x7c00 and jumps there
  fa                       ; 7fc0 cli
  fc                       ; 7fc1 cld
  31 c0                    ; 7fc2 xor ax,ax
  8e c0                    ; 7fc4 mov es,ax
  8e d0                    ; 7fc6 mov ss,ax
  b8 00 f0                 ; 7fc8 mov ax,0xf000
  8e d8                    ; 7fcb mov ds,ax
  be 00 fc                 ; 7fcd mov si,0xfc00
  bf 00 7c                 ; 7fd0 mov di,0x7c00
  b9 00 02                 ; 7fd3 mov cx,0x200
  f3 a5                    ; 7fd6 rep movs WORD PTR es:[di],WORD PTR ds:[si]
  31 c0                    ; 7fd8 xor ax,ax
  8e d8                    ; 7fda mov ds,ax
  ea 00 7c 00 00           ; 7fdc jmp 0x0:0x7c00
`;

const RESET = `
  ea c0 ff 00 f0           ; fff0 jmp 0xf000:0xffc0
`;

/**
 * A 64 KiB ROM, run in place of firmware, that does what an operating system does first: 64-bit mode
 * with paging, page faults, MSRs, SSE. It ends QEMU with exit code 67 through `isa-debug-exit` at
 * port 0xf4 when all of it worked, with 35 when something came out wrong.
 */
export function x86ProbeRom(): Uint8Array {
  const rom = new Uint8Array(ROM_SIZE);
  rom.set(readListing(CODE), CODE_AT);
  rom.set(readListing(TABLES), CODE_AT + 0x110);
  rom.set(readListing(ENTRY), CODE_AT + 0x3c0);
  rom.set(readListing(RESET), ROM_SIZE - 16);
  return rom;
}
