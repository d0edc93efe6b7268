import type { Register } from "./command.ts";
import { addMove } from "./move.ts";
import type { Move } from "./move.ts";

const STOP: Move = { verb: "stop", goal: "stopped", done: "stopped", doing: "stopping" };

export const stop: Register = (program, run) => {
  addMove(program, run, STOP, {
    about: "Take streams off the air; one that does not run is left alone.",
    examples: ["streambro stop radio", "streambro stop --all --wait --timeout 1m"],
  });
};
