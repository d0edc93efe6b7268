import type { Result } from "../../shared/contract/methods.ts";
import { printable } from "../../shared/stream-name.ts";
import { table } from "./table.ts";
import type { Column } from "./table.ts";

type Limits = Result<"limits.get">;
type Row = { readonly owner: string; readonly active: number; readonly limit: number };

const ORIGIN = { settings: "(setting)", limits: "(limits set)" } as const;

const USE: ReadonlyArray<Column<Row>> = [
  { title: "OWNER", text: ({ owner }) => printable(owner, 64) },
  { title: "ACTIVE", text: ({ active }) => String(active) },
  { title: "LIMIT", text: ({ limit }) => String(limit) },
];

/** What a user may run at once. */
export const limitOf = ({ users, perUser }: Limits, user: string): number =>
  Object.hasOwn(users, user) ? (users[user] ?? perUser) : perUser;

/** The limits, how far they are used, and who waits. `room` is the terminal's width, or null. */
export const limitLines = (limits: Limits, room: number | null): string[] => {
  const { active, waiting } = limits;
  const users = Object.keys(active.users).sort();
  const rows = users.map((owner) => ({
    owner,
    active: active.users[owner] ?? 0,
    limit: limitOf(limits, owner),
  }));
  const all = { owner: "(all)", active: active.global, limit: limits.global };
  return [
    ...(limits.enabled
      ? []
      : ["Limits are switched off (LIMITER_ENABLED): they count and refuse nothing.", ""]),
    ...values(limits),
    "",
    ...table(USE, [...rows, all], room),
    ...(waiting.length === 0 ? [] : ["", `waiting for room: ${waiting.join(", ")}`]),
  ];
};

/** Where more runs than the limits allow, what becomes of it: nothing. */
export const overLines = (limits: Limits): string[] => {
  const { active } = limits;
  const over = Object.keys(active.users)
    .sort()
    .filter((user) => (active.users[user] ?? 0) > limitOf(limits, user))
    .map((user) => `${printable(user, 64)} has ${active.users[user]} of ${limitOf(limits, user)}`);
  if (active.global > limits.global) over.push(`all have ${active.global} of ${limits.global}`);
  if (!limits.enabled || over.length === 0) return [];
  return [`limits: what runs goes on, and no more starts: ${over.join(", ")}`];
};

const values = ({ perUser, global, users, origin }: Limits): string[] => {
  const own = Object.entries(users).toSorted(([one], [other]) => (one < other ? -1 : 1));
  const lines: ReadonlyArray<readonly [string, number, string]> = [
    ["per user", perUser, ORIGIN[origin.perUser]],
    ["global", global, ORIGIN[origin.global]],
    ...own.map(([user, limit]) => [printable(user, 64), limit, ORIGIN.limits] as const),
  ];
  const width = Math.max(...lines.map(([label]) => label.length));
  const digits = Math.max(...lines.map(([, limit]) => String(limit).length));
  return lines.map(
    ([label, limit, from]) => `${label.padEnd(width)}  ${String(limit).padStart(digits)}  ${from}`,
  );
};
