/**
 * Random numbers in [0, 1) that a seed repeats: the one given, else STREAMBRO_TEST_SEED, else the clock.
 * Print the seed.
 */
export const seeded = (
  wanted: number | null = null,
): { readonly seed: number; readonly random: () => number } => {
  const given = wanted ?? Number(process.env["STREAMBRO_TEST_SEED"] ?? "");
  const seed = Number.isInteger(given) && given > 0 ? given : Date.now() % 2_147_483_647;
  let state = seed;
  // A multiplicative congruential generator: plain, and the same everywhere.
  const random = (): number => {
    state = (state * 48_271) % 2_147_483_647;
    return state / 2_147_483_647;
  };
  return { seed, random };
};
