export type Control = {
  readonly version: string;
  readonly architecture: string;
  readonly maintainer: string;
  readonly description: string;
  readonly installedKb: number;
};

/** What is used and not on every Debian: `ss` is iproute2's, and the symbols of Node's own build. */
const DEPENDS = [
  "libc6 (>= 2.28)",
  "libgcc-s1",
  "libstdc++6 (>= 9)",
  "ffmpeg (>= 7:5.1)",
  "iproute2",
  "passwd",
];

/** `setfacl`, which a refusal tells people to type who keep their films to themselves. */
const RECOMMENDS = ["acl"];

export const controlFile = (control: Control): string => `Package: streambro
Version: ${control.version}
Architecture: ${control.architecture}
Maintainer: ${control.maintainer}
Installed-Size: ${control.installedKb}
Pre-Depends: init-system-helpers (>= 1.54~)
Depends: ${DEPENDS.join(", ")}
Recommends: ${RECOMMENDS.join(", ")}
Section: video
Priority: optional
Description: ${control.description.replace(/^Keeps/, "keeps").replace(/:.*/, "")}
 A supervisor for FFmpeg whose streams outlive it.
 A daemon, streambrod, runs FFmpeg for each stream, for weeks: films in a loop
 to RTMP, RTMPS and SRT. streambro is the command line to it.
 .
 No stream depends on the daemon being alive: it can crash, be killed and be
 upgraded while the streams go on, and the next one takes them over.
 .
 A Node.js runtime of its own is inside; no other is needed or touched.
`;

/** As Debian writes dates, in UTC. */
const debianDate = (epoch: number): string =>
  new Date(epoch * 1000).toUTCString().replace("GMT", "+0000");

export const debianChangelog = (
  { version, maintainer }: Pick<Control, "version" | "maintainer">,
  epoch: number,
): string => `streambro (${version}) unstable; urgency=medium

  * Built from its repository; what is new is in changelog.gz beside this file.

 -- ${maintainer}  ${debianDate(epoch)}
`;
