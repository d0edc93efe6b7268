import type { Register } from "./command.ts";
import { addMove } from "./move.ts";
import type { Move } from "./move.ts";

export const START: Move = { verb: "start", goal: "live", done: "started", doing: "starting" };

export const start: Register = (program, run) => {
  addMove(program, run, START, {
    about: "Put streams on the air, and keep them there; one that runs is left alone.",
    examples: [
      "streambro start radio",
      "streambro start radio --wait --timeout 30s || echo 'not on the air'",
      "streambro start --all -q",
    ],
  });
};
