import { spawnSync } from "node:child_process";
import { chmodSync, writeFileSync } from "node:fs";
import path from "node:path";
import { output } from "./command.ts";

/** Lets the packets of its process vanish: what goes to 10.99.0.2 comes back on loopback, for nobody. */
const NOWHERE =
  "unshare -rn sh -c 'ip link set lo up && ip route add 10.99.0.0/24 dev lo && exec \"$@\"' sh";

/** Why no packets can be made to vanish here, by name; false where they can. */
export const whyNoNowhere = (): string | false => {
  const tried = spawnSync("sh", ["-c", `${NOWHERE} true`], { stdio: "ignore" });
  return tried.status === 0 ? false : "a connect time-out: no network namespace may be made here";
};

/**
 * A script that runs the real FFmpeg as it is called, but for streams of these names:
 * `nowhere` gets a network that swallows packets, `memory` little of that, `short` an end after two
 * seconds, `opus` sound that FLV cannot carry, `option` one that no FFmpeg knows, `nvenc` an encoder
 * without its card, `gone` is not there, `mute` ends with 99 and without a word.
 */
export const bentFfmpeg = async (dir: string): Promise<string> => {
  const real = (await output("sh", ["-c", "command -v ffmpeg"])).trim();
  const script = `#!/bin/sh
case "$STREAMBRO_RUN" in
*/locks/nowhere) exec ${NOWHERE} '${real}' "$@" ;;
*/locks/memory) exec prlimit --as=300000000 '${real}' "$@" ;;
*/locks/option) exec '${real}' -nosuch 1 "$@" ;;
*/locks/nvenc) exec '${real}' -f lavfi -i color=s=256x256 -c:v h264_nvenc -f null - ;;
*/locks/opus) exec '${real}' -f lavfi -i anullsrc -c:a libopus -f flv pipe:1 ;;
*/locks/gone) exec /nonexistent/ffmpeg "$@" ;;
*/locks/mute) exit 99 ;;
*/locks/short)
	# Of an input, which is cut there: FFmpeg then has played it to its end.
	exec '${real}' -t 2 "$@" ;;
esac
exec '${real}' "$@"
`;
  const file = path.join(dir, "bent-ffmpeg");
  writeFileSync(file, script);
  chmodSync(file, 0o755);
  return file;
};
