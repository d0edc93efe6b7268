/** Which stream a command is for and whether it restarts is said elsewhere. */
const SAID_ELSEWHERE: ReadonlySet<string> = new Set(["name", "restart"]);

/** Which fields were given, and never their values: a key may be among them. */
export const givenIn = (params: object): string[] =>
  Object.entries(params).flatMap(([field, value]: [string, unknown]) => {
    if (value === undefined || SAID_ELSEWHERE.has(field)) return [];
    return field === "encoding" && typeof value === "object" && value !== null
      ? givenIn(value)
      : [field];
  });
