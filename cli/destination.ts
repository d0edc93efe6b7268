/**
 * Whether a destination as typed holds what others should not see: a stream key as the last part of
 * an RTMP path, a password, or an SRT passphrase or stream id.
 */
export const holdsSecret = (to: string): boolean => {
  if (!URL.canParse(to)) return false;
  const url = new URL(to);
  if (url.username !== "" || url.password !== "") return true;
  if (url.protocol === "srt:") {
    return url.searchParams.has("passphrase") || url.searchParams.has("streamid");
  }
  const [, ...rest] = url.pathname.split("/").filter((part) => part !== "");
  return rest.length > 0 || url.search !== "";
};

export const SECRET_SEEN =
  "the key inside --to was visible in ps and is in the shell's history; " +
  "--key-file and --key-stdin keep it out.";
