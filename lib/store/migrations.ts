/** A record as it stands in its file. */
export type Json = Record<string, unknown>;

/** What makes a home of the version before into one of this version. */
export interface Migration {
  to: number;
  /**
   * What becomes of each record, by the name of its file, for example `vm.json`. It is done once more
   * after an interrupt, so a record that has the new shape must be given back as it is.
   */
  records: Record<string, (record: Json) => Json>;
}

/** All changes of the home's shape since the first release. */
export const migrations: Migration[] = [];
