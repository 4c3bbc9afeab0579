/** Orders versions as people count: 3.9 is before 3.10, 12 before 12.1, and 12-rc1 before 12. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((version) =>
    version.toLowerCase().match(/\d+|[a-z]+/g) ?? []
  );
  for (let at = 0; at < Math.max(left!.length, right!.length); at++) {
    const order = comparePart(left![at], right![at]);
    if (order !== 0) return order;
  }
  return 0;
}

/** Words such as rc come before the release that they lead to, so before its end and any number. */
function comparePart(one = "", other = ""): number {
  const [left, right] = [rank(one), rank(other)];
  if (left !== right) return left - right;
  const [a, b] = left === NUMBER ? [BigInt(one), BigInt(other)] : [one, other];
  return a < b ? -1 : a > b ? 1 : 0;
}

const [WORD, NOTHING, NUMBER] = [0, 1, 2];

function rank(part: string): number {
  if (part === "") return NOTHING!;
  return /^\d/.test(part) ? NUMBER! : WORD!;
}
