import { told } from "../../moment/make.ts";
import { listMoments, type Moment } from "../../moment/moment.ts";
import { listUnfit, nameOf } from "../../moment/unfit.ts";
import { listTemplates } from "../../template/template.ts";
import type { Check, Finding } from "./check.ts";

/** Templates whose disk or record is damaged. */
export const templates: Check = {
  name: "templates",
  run: async ({ context }) => {
    const all = await listTemplates(context);
    const broken = all.filter(({ state }) => state === "broken");
    if (broken.length === 0) {
      const message = all.length === 1
        ? "1 template is sound"
        : `${all.length} templates are sound`;
      return [{ name: "templates", state: "ok", message }];
    }
    return broken.map(({ name, problems }): Finding => ({
      name: "templates",
      state: "warning",
      message: problems.join("; "),
      fix: `nido template delete ${name}`,
    }));
  },
};

/** Warm states from which nothing wakes any more, and bases that could not be made warm. */
export const warm: Check = {
  name: "warm",
  run: async ({ context }) => {
    const newest = await newestOfEachShape(await listMoments(context.home));
    const failed = newest.filter(({ record }) => record.failure !== undefined);
    const findings = [
      ...failed.map(failedFinding),
      ...(await listUnfit(context.home)).map(({ reason, at }): Finding => ({
        name: "warm",
        state: "warning",
        message: `${reason} (found ${at})`,
      })),
    ];
    if (findings.length > 0) return findings;
    const { length } = newest;
    const message = length === 1 ? "1 warm state is sound" : `${length} warm states are sound`;
    return [{ name: "warm", state: "ok", message }];
  },
};

function failedFinding({ record }: Moment): Finding {
  const { base, fingerprint: { cpus, memoryMib }, failure } = record;
  return {
    name: "warm",
    state: "warning",
    message: `The warm state of ${
      told(base)
    } for ${cpus} CPUs and ${memoryMib} MiB failed: ${failure}`,
    fix: `nido ${base.kind} warm ${base.name} --cpus ${cpus} --memory ${memoryMib}M`,
  };
}

/** Of several for one fingerprint only the newest matters; the list has the newest first. */
async function newestOfEachShape(moments: Moment[]): Promise<Moment[]> {
  const found = new Map<string, Moment>();
  for (const moment of moments) {
    const shape = `${await nameOf(moment.record.fingerprint)} ${told(moment.record.base)}`;
    if (!found.has(shape)) found.set(shape, moment);
  }
  return [...found.values()];
}
