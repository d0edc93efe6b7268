import type { Failure } from "../ffmpeg/failure.ts";

/** A stream that sends where another one is to send. */
export type Rival = {
  readonly name: string;
  /** Whether it can be stopped here. */
  readonly isLeftAlone: boolean;
};

/** `rival` null: it is another user's, whose destinations are not to be told. */
export const destinationInUse = (host: string, rival: Rival | null): Failure => {
  const [who, advice] =
    rival === null
      ? ["another user's stream", "Use a key of your own, or ask an admin whose it is."]
      : [
          rival.name,
          rival.isLeftAlone
            ? `See: streambro status ${rival.name}`
            : `Stop it first: streambro stop ${rival.name}`,
        ];
  const message = `${who} is sending to the same destination with the same key (${host}). ${advice}`;
  return { reason: "already-publishing", permanent: false, message };
};
