import { z } from "zod";
import { NOTIFICATIONS } from "../../shared/contract/history.ts";
import { METHODS } from "../../shared/contract/methods.ts";
import { ERRORS } from "../../shared/errors.ts";

/** The contract as an OpenRPC 1.3 document, made from the table that the server itself follows. */
export const openRpcDocument = (version: string): object => ({
  openrpc: "1.3.2",
  info: { title: "StreamBro", version, license: { name: "MIT" } },
  methods: Object.entries(METHODS).map(([name, { summary, params, result }]) => ({
    name,
    summary,
    paramStructure: "by-name",
    params: parameters(z.toJSONSchema(params, { io: "input", unrepresentable: "any" })),
    result: { name: "result", schema: z.toJSONSchema(result, { unrepresentable: "any" }) },
    errors: Object.entries(ERRORS).map(([code, { rpc }]) => ({ code: rpc, message: code })),
  })),
  // What the specification has no place for: the daemon's own word, after events.subscribe.
  "x-notifications": Object.entries(NOTIFICATIONS).map(([name, { summary, params }]) => ({
    name,
    summary,
    params: parameters(z.toJSONSchema(params, { unrepresentable: "any" })),
  })),
});

const parameters = (schema: { properties?: object; required?: string[] }): object[] =>
  Object.entries(schema.properties ?? {}).map(([name, property]: [string, unknown]) => ({
    name,
    required: schema.required?.includes(name) ?? false,
    schema: property,
  }));
