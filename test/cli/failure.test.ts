import tap from "tap";
import { exitStatusOf, isPassing, sentenceOf } from "../../cli/client/failure.ts";
import type { Failure } from "../../cli/client/failure.ts";
import { readMessage } from "../../cli/client/message.ts";
import { ERRORS } from "../../shared/errors.ts";

const refused = (code: string, rpc = -1): Failure => ({
  reason: "refused",
  rpc,
  code,
  message: "",
});

void tap.test("exit statuses of failures", async (t) => {
  for (const [code, { rpc, exit }] of Object.entries(ERRORS)) {
    t.equal(exitStatusOf(refused(code, 1)), exit, `${code} by name`);
    t.equal(exitStatusOf(refused("NEWER", rpc)), exit, `${code} by number`);
  }
  const socket = "/s";
  const cases: ReadonlyArray<readonly [Failure, number, boolean]> = [
    [{ reason: "refused", rpc: -32_602, code: null, message: "" }, 78, false],
    [{ reason: "refused", rpc: 7, code: "toString", message: "" }, 1, false],
    [refused("SHUTTING_DOWN"), 75, true],
    [{ reason: "unreachable", socket, code: "ENOENT" }, 69, true],
    [{ reason: "unreachable", socket, code: "EACCES" }, 77, false],
    [{ reason: "closed", socket, greeted: true }, 69, true],
    [{ reason: "garbled", socket }, 69, false],
    [{ reason: "silent", socket, ms: 10_000 }, 124, false],
    [{ reason: "unsupported", message: "" }, 69, false],
  ];
  for (const [failure, exit, passing] of cases) {
    t.same([exitStatusOf(failure), isPassing(failure)], [exit, passing], JSON.stringify(failure));
    t.notMatch(sentenceOf(failure), /undefined/);
  }
});

void tap.test("lines from the socket", async (t) => {
  const error = { code: -32_700, message: "no JSON" };
  const cases: ReadonlyArray<readonly [unknown, string]> = [
    [{ jsonrpc: "2.0", id: 1, result: {} }, "response"],
    [{ jsonrpc: "2.0", id: 1, error }, "response"],
    [{ jsonrpc: "2.0", id: null, error }, "refusal"],
    [{ jsonrpc: "2.0", method: "news", params: {} }, "notice"],
    [{ jsonrpc: "2.0", id: 1 }, "garbled"],
    [{ jsonrpc: "2.0", id: 1, result: null }, "garbled"],
    [{ jsonrpc: "2.0", id: 1, result: [] }, "garbled"],
    [{ jsonrpc: "2.0", id: "1", result: {} }, "garbled"],
    [{ jsonrpc: "2.0", id: 1, error: "no" }, "garbled"],
    [{ jsonrpc: "2.0", id: 1, error: { code: "no", message: 1 } }, "garbled"],
    [{ id: 1, result: {} }, "garbled"],
    [[{ jsonrpc: "2.0", id: 1, result: {} }], "garbled"],
    [null, "garbled"],
    [7, "garbled"],
  ];
  for (const [value, kind] of cases) {
    t.equal(readMessage(JSON.stringify(value)).kind, kind, JSON.stringify(value));
  }
  t.equal(readMessage("HTTP/1.1 400 Bad Request").kind, "garbled");
});
