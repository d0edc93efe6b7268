import { type Field, cycle, stop } from "./cycle.ts";
import { failed } from "./tally.ts";

/** A place for one cycling stream, and the name it has now: a removed one comes back under another. */
export type Place = { readonly number: number; generation: number; present: boolean };

export const placesFor = (count: number): Place[] =>
  Array.from({ length: count }, (_, number) => ({ number, generation: 0, present: false }));

export const nameOf = ({ number, generation }: Place): string => `c${number}-${generation}`;

const REMOVED_OFTEN = 0.25;

/** Cycles in every place at once until `over` says so; then everything that cycles is stopped. */
export const leg = async (
  field: Field,
  places: readonly Place[],
  over: () => boolean,
): Promise<void> => {
  const inPlace = async (place: Place): Promise<void> => {
    let inVain = 0;
    while (!over() && !field.signal.aborted) {
      try {
        // Before a start, so that at the end of a leg every stream has run once.
        if (place.present && field.plan.random() < REMOVED_OFTEN) await remove(field, place);
        if (!place.present) await field.add(nameOf(place));
        place.present = true;
        await cycle(field, nameOf(place));
        inVain = 0;
      } catch (error) {
        failed(field.tally, String(error));
        inVain += 1;
        // A daemon that is gone would be asked for ever.
        if (inVain === MOST_IN_VAIN) throw error;
        await stop(field, nameOf(place)).catch(() => {});
      }
    }
  };
  await Promise.all(places.map(inPlace));
};

const MOST_IN_VAIN = 10;

export const remove = async ({ ask, tally }: Field, place: Place): Promise<void> => {
  await ask("stream.remove", { name: nameOf(place) });
  place.present = false;
  place.generation += 1;
  tally.removals += 1;
};
