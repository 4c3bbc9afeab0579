// deno-fmt-ignore
const MANNERS = [
  "bold", "brave", "bright", "brisk", "calm", "clever", "dapper", "eager", "fair", "fleet",
  "fluffy", "gentle", "glad", "golden", "happy", "hardy", "keen", "kind", "light", "lively",
  "lucky", "merry", "mighty", "nimble", "noble", "plucky", "proud", "quick", "quiet", "rosy",
  "shy", "silver", "sleek", "snug", "spry", "swift", "tidy", "tiny", "warm", "witty",
];

// deno-fmt-ignore
const BIRDS = [
  "avocet", "bunting", "crane", "curlew", "dove", "dunlin", "egret", "falcon", "finch", "gannet",
  "goldcrest", "grebe", "heron", "hoopoe", "jay", "kestrel", "kite", "lapwing", "lark", "linnet",
  "magpie", "martin", "merlin", "nuthatch", "oriole", "osprey", "owl", "petrel", "pipit", "plover",
  "puffin", "quail", "raven", "redstart", "robin", "sparrow", "starling", "stork", "swallow", "swan",
  "swift", "teal", "tern", "thrush", "tit", "wagtail", "warbler", "whimbrel", "wigeon", "wren",
];

/** Makes a friendly name, with a number behind it when `attempt` says that plain ones were taken. */
export function friendlyName(attempt: number): string {
  const name = `${pick(MANNERS)}-${pick(BIRDS)}`;
  return attempt < 5 ? name : `${name}-${crypto.getRandomValues(new Uint16Array(1))[0]}`;
}

function pick(words: string[]): string {
  return words[crypto.getRandomValues(new Uint32Array(1))[0]! % words.length]!;
}
