/** Orders versions as people count: 3.9 is before 3.10, and 12 before 12.1. */
export function compareVersions(one: string, other: string): number {
  const [left, right] = [one, other].map((version) => version.match(/\d+|[a-z]+/gi) ?? []);
  for (let at = 0; at < Math.max(left!.length, right!.length); at++) {
    const order = comparePart(left![at], right![at]);
    if (order !== 0) return order;
  }
  return 0;
}

function comparePart(one = "", other = ""): number {
  const [left, right] = [one, other].map((part) => /^\d/.test(part) ? BigInt(part) : undefined);
  if (left !== undefined && right !== undefined) return left < right ? -1 : left > right ? 1 : 0;
  // Words such as rc come before the release they lead to.
  if (one === "") return right === undefined ? 1 : -1;
  if (other === "") return left === undefined ? -1 : 1;
  return one < other ? -1 : one > other ? 1 : 0;
}
