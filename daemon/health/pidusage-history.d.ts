/** What pidusage keeps of each process; not among its documented parts, so its version is pinned. */
declare module "pidusage/lib/history.js" {
  export function get(pid: number, maxage: number): { fd?: number } | undefined;
}
