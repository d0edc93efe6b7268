import { z } from "zod";
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
});

const parameters = (schema: { properties?: object; required?: string[] }): object[] =>
  Object.entries(schema.properties ?? {}).map(([name, property]: [string, unknown]) => ({
    name,
    required: schema.required?.includes(name) ?? false,
    schema: property,
  }));
