import type { Register } from "./command.ts";
import { addMove } from "./move.ts";
import type { Move } from "./move.ts";

export const START: Move = {
  verb: "start",
  goal: "live",
  done: "started",
  doing: "starting",
  timed: true,
};

export const start: Register = (program, run) => {
  addMove(program, run, START, {
    about:
      "Put streams on the air, and keep them there; one that runs is left alone.\nThe time that --for or --until names outlives the daemon and reboots; a stop or another start\nclears it.",
    examples: [
      "streambro start radio",
      "streambro start radio --wait --timeout 30s || echo 'not on the air'",
      "streambro start --all -q",
      "streambro start party --for 4h",
      "streambro start news --until 23:00",
    ],
  });
};
