import type { MethodName, Result } from "../../shared/contract/methods.ts";
import type { Failure } from "./failure.ts";

/** What came of a call. */
export type Answer<M extends MethodName> =
  | { readonly ok: true; readonly result: Result<M> }
  | { readonly ok: false; readonly failure: Failure };
