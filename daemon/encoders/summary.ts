import { SOFTWARE } from "./candidates.ts";
import { type Policy, preferredOf } from "./choice.ts";
import type { Memo } from "./memo.ts";

export type Summary = {
  readonly level: "info" | "warn";
  readonly fields: object;
  readonly sentence: string;
};

/** What the log says of a detection; a warning where something is amiss. `how` is where it comes from. */
export const summaryOf = (
  { encoders, ffmpeg }: Pick<Memo, "encoders" | "ffmpeg">,
  policy: Policy,
  complete: boolean,
  how: string,
): Summary => {
  const working = encoders.filter(({ works }) => works).map(({ name }) => name);
  const preferred = preferredOf(encoders, policy);
  const fields = { event: "encoders", ffmpeg, working, preferred: preferred.name };
  const software = encoders.find(({ name }) => name === SOFTWARE);
  const amiss = [
    software?.works === false ? `${SOFTWARE} does not work: ${software.reason ?? ""}` : "",
    complete ? "" : "not every encoder answered: streambro encoders",
  ].filter((words) => words !== "");
  const some = working.length === 0 ? "none works" : `${working.join(", ")} work`;
  const what = `encoders: ${working.length === 1 ? `only ${working[0]} works` : some} (${how})`;
  if (amiss.length > 0) return { level: "warn", fields, sentence: `${what}; ${amiss.join("; ")}` };
  return { level: "info", fields, sentence: `${what}; ${preferred.name} is used` };
};
