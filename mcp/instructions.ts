/** What a model is told of the server at the start: the loop, in under 1 KB. */
export const instructions =
  `Nido gives you real virtual machines on this computer: install, break and delete anything in them.
The loop:
1. vm_spawn makes a VM and tells its name. Not ready in time? It says so; vm_wait goes on waiting.
2. vm_write_file puts text in, vm_exec runs programs (shell syntax: ["sh","-c","..."]), vm_read_file takes text out.
3. Long commands: vm_exec with background, then job_wait and job_output.
4. Before something risky: snapshot_create; after it went wrong: snapshot_restore. vm_fork copies a running VM.
5. When done: vm_delete (confirm: true with force, or for several).
Names are the handles: they work from every session. image_list and template_list tell what there is to spawn from.
A result with pending: true is not the end: do what its hint says. Errors tell the next call. Output is cut in the middle when long. The page nido://guide tells more.`;
