/** Where Nido itself lives on the web. */
export const project = {
  catalog: "https://raw.githubusercontent.com/nido-vm/nido/main/registry/images.json",
  releases: "https://github.com/nido-vm/nido/releases",
} as const;
