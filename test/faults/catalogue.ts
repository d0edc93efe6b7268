import type { Fault } from "./fault.ts";
import { KILLS } from "./kills.ts";

/** Every fault there is. */
export const CATALOGUE: readonly Fault[] = [...KILLS];
