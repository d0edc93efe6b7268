export const pause = async (ms: number): Promise<void> =>
  new Promise((resolve) => {
    setTimeout(resolve, ms);
  });

/** Waits for something, for so long at most. */
export const within = async (ms: number, something: Promise<void>): Promise<void> => {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, ms);
  });
  await Promise.race([something, late]);
  clearTimeout(timer);
};

const FIRST_MS = 50;
const MOST_MS = 1000;

/** How long to leave a daemon alone that could not be reached `failures` times in a row. */
export const reconnectDelay = (failures: number): number =>
  Math.min(MOST_MS, FIRST_MS * 2 ** Math.min(failures - 1, 10));
