/** Whether whoever asks may start, stop and change a stream; a daemon of an earlier release does not say. */
export const isOurs = ({ mayControl }: { readonly mayControl?: boolean }): boolean =>
  mayControl !== false;
