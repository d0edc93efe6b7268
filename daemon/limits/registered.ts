import { StreamBroError } from "../../shared/errors.ts";
import type { Registry } from "../registry/registry.ts";

/** Errors: STREAM_LIMIT_EXCEEDED where the owner has as many streams as one may have, running or not. */
export const refuseRegistering = (
  registry: Registry,
  name: string,
  owner: string,
  most: number,
): void => {
  const owners = [
    ...registry.sorted().map(({ spec }) => spec.owner),
    ...registry.leftAlone.statuses().map((left) => left.owner),
  ];
  const count = owners.filter((one) => one === owner).length;
  if (count < most) return;
  const advice =
    count === 0
      ? "Ask an admin to raise max_registered_streams_per_user."
      : "Remove one that is no longer needed: streambro rm NAME";
  const sentence = `${name}: not added: ${owner} has ${count} of ${most} streams that a user may register.\n${advice}`;
  const counts = { scope: "registered", user: owner, userCount: count, userLimit: most };
  throw new StreamBroError("STREAM_LIMIT_EXCEEDED", sentence, { httpStatus: 429, ...counts });
};
