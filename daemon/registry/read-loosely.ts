import { z } from "zod";

/** What can be shown of a specification in a format that nobody here knows. */
export type Loosely = {
  readonly owner: string | null;
  readonly input: string | null;
  readonly desired: string | null;
  readonly outputs: readonly { readonly url: string; readonly hasKey: boolean }[];
};

const Text = z.string().max(4_096).nullable().catch(null);

const Outputs = z
  .array(
    z.object({
      url: z.string().max(4_096),
      // Whoever cannot tell shows that there may be one.
      hasKey: z.boolean().catch(true),
    }),
  )
  .max(100)
  .catch([]);

const Said = z.object({
  desired: Text,
  spec: z.object({ owner: Text, input: Text, outputs: Outputs }).catch({
    owner: null,
    input: null,
    outputs: [],
  }),
});

/** Takes what is where this release would have put it; never fails. */
export const readLoosely = (said: unknown): Loosely => {
  const { success, data } = Said.safeParse(said);
  if (!success) return { owner: null, input: null, desired: null, outputs: [] };
  return { ...data.spec, desired: data.desired };
};
