// Serves one file on a free port, as a process of its own; says its address.
const [path] = Deno.args as [string];
const server = Deno.serve({
  hostname: "127.0.0.1",
  port: 0,
  onListen: ({ port }) => console.log(`http://127.0.0.1:${port}/disk.qcow2`),
}, async () => {
  const file = await Deno.open(path);
  const { size } = await file.stat();
  return new Response(file.readable, { headers: { "content-length": String(size) } });
});
await server.finished;
