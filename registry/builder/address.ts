import { NidoError } from "../../lib/errors.ts";

/** The address of something below a folder; what an index names elsewhere is refused. */
export function below(folder: string, path: string): string {
  const to = URL.parse(path, folder);
  if (to === null || !to.href.startsWith(folder) || to.search !== "" || to.hash !== "") {
    throw new NidoError(
      "integrity",
      `Cannot use ${JSON.stringify(path)}: it is not below ${folder}`,
    );
  }
  return to.href;
}

/** The last part of an address, or of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf("/") + 1);
}

/** When a build was made, by the day that its name begins with: 20260725, 20260630.2, 20260712-2537. */
export function builtOn(serial: string): { builtAt?: string } {
  const [, year, month, day] = /^(20\d\d)(\d\d)(\d\d)(?!\d)/.exec(serial) ?? [];
  const builtAt = `${year}-${month}-${day}T00:00:00Z`;
  return Number.isNaN(Date.parse(builtAt)) ? {} : { builtAt };
}
