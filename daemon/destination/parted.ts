/**
 * Where a stream goes, parted into what anybody may see and what nobody may: `url` goes into FFmpeg's
 * argv, into logs and to clients; `secrets` are FFmpeg options for a file of mode 0600.
 */
export type Destination = {
  readonly url: string;
  readonly secrets: Readonly<Record<string, string>>;
};

export type ParsedDestination =
  | { readonly ok: true; readonly destination: Destination }
  | { readonly ok: false; readonly message: string };

/** Longest value that fits a line of FFmpeg's options file; a longer one would end up in its log. */
export const MAX_SECRET_BYTES = 900;
