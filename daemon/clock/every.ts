/** Now, and again and again. */
export const every = (ms: number, work: () => void): { stop(): void } => {
  work();
  const timer = setInterval(work, ms);
  return { stop: () => clearInterval(timer) };
};
