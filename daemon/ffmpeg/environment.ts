import type { Environment } from "../../shared/paths.ts";

const KEPT =
  /^(PATH|HOME|USER|LANG|LANGUAGE|LC_.*|TZ|TMPDIR|LD_LIBRARY_PATH|LIBVA_.*|CUDA_.*|NVIDIA_.*)$/;

/**
 * What FFmpeg gets of the daemon's environment. With FFREPORT it would write every option, the stream
 * key among them, into a file; and what else is in there is not FFmpeg's business.
 */
export const ffmpegEnvironment = (env: Environment): Record<string, string> =>
  Object.fromEntries(
    Object.entries(env).filter(
      (entry): entry is [string, string] => KEPT.test(entry[0]) && entry[1] !== undefined,
    ),
  );
