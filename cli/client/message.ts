import type { JSONRPCResponse } from "json-rpc-2.0";
import type { Failure } from "./failure.ts";

/** What the daemon says unasked, once it was asked to. */
export type Notice = { readonly method: string; readonly params: Record<string, unknown> };

/** One line from the socket, once it has been looked at. */
export type Message =
  | { readonly kind: "response"; readonly response: JSONRPCResponse }
  /** An error that belongs to no request in particular. */
  | { readonly kind: "refusal"; readonly failure: Failure }
  | { readonly kind: "notice"; readonly notice: Notice }
  | { readonly kind: "ignored" }
  | { readonly kind: "garbled" };

const isRecord = (value: unknown): value is Record<string, unknown> =>
  typeof value === "object" && value !== null && !Array.isArray(value);

const parse = (line: string): unknown => {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
};

/** Reads a line as a JSON-RPC 2.0 response, or as a notification. */
export const readMessage = (line: string): Message => {
  const value = parse(line);
  if (!isRecord(value) || value["jsonrpc"] !== "2.0") return { kind: "garbled" };
  const { id, error, result, method, params } = value;
  if (typeof method === "string")
    return isRecord(params) ? { kind: "notice", notice: { method, params } } : { kind: "ignored" };
  if (error !== undefined) return readError(id, error);
  // Every result in the contract is an object.
  if (!isRecord(result) || typeof id !== "number") return { kind: "garbled" };
  return { kind: "response", response: { jsonrpc: "2.0", id, result } };
};

const readError = (id: unknown, error: unknown): Message => {
  if (!isRecord(error)) return { kind: "garbled" };
  const { code, message, data } = error;
  if (typeof code !== "number" || typeof message !== "string") return { kind: "garbled" };
  if (typeof id === "number") {
    return { kind: "response", response: { jsonrpc: "2.0", id, error: { code, message, data } } };
  }
  return { kind: "refusal", failure: { reason: "refused", rpc: code, code: null, message } };
};
