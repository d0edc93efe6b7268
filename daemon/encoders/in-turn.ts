/** After this a process is waiting for something, not computing, and takes no processor from others. */
const YOUNG_MS = 1_500;

/**
 * Does the jobs, `atOnce` of them at a time, in order. One that takes long makes room for the next: what
 * hangs delays the others, and does not stop them.
 */
export const inTurn = async <T>(
  jobs: ReadonlyArray<() => Promise<T>>,
  atOnce: number,
  youngMs = YOUNG_MS,
): Promise<T[]> => {
  const started: Array<Promise<T>> = [];
  const lane = async (): Promise<void> => {
    for (let job = jobs[started.length]; job !== undefined; job = jobs[started.length]) {
      const done = job();
      started.push(done);
      await settledOrOld(done, youngMs);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return Promise.all(started);
};

const settledOrOld = async (done: Promise<unknown>, ms: number): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const old = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  try {
    await Promise.race([done, old]);
  } finally {
    clearTimeout(timer);
  }
};
