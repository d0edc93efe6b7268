import type { Register } from "./command.ts";
import { addMove } from "./move.ts";
import type { Move } from "./move.ts";

export const RESTART: Move = {
  verb: "restart",
  goal: "live",
  done: "restarted",
  doing: "restarting",
};

export const restart: Register = (program, run) => {
  addMove(program, run, RESTART, {
    about:
      "Stop streams and start them again where they were; settings changed by `set` apply then.",
    examples: ["streambro restart radio", "streambro restart radio news --wait"],
  });
};
