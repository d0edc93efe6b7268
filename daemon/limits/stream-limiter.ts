import { refusedStart } from "./refused-start.ts";

/** How many streams may run at once; `users` are those whose own limit is not `perUser`. */
export type LimitValues = {
  readonly perUser: number;
  readonly global: number;
  readonly users: Readonly<Record<string, number>>;
};

/** Why a stream gets no slot, for people and for programs. */
export type LimitRefusal = {
  /** "Maximum X concurrent streams reached", and which. */
  readonly message: string;
  readonly scope: "user" | "global";
  readonly user: string;
  readonly userCount: number;
  readonly userLimit: number;
  readonly globalCount: number;
  readonly globalLimit: number;
};

/**
 * Slots of running streams, by owner. Everything that takes or frees one is synchronous, so that of a
 * thousand starts at once not one passes the limit.
 */
export class StreamLimiter {
  readonly #streamsOf = new Map<string, Set<string>>();
  readonly #ownerOf = new Map<string, string>();
  #values: LimitValues;
  #enabled = true;
  readonly #onRoom = new Set<() => void>();
  #toldSoon = false;

  constructor(maxPerUser: number, maxGlobal: number, users: LimitValues["users"] = {}) {
    this.#values = { perUser: maxPerUser, global: maxGlobal, users };
  }

  /** Limits as they are now; one that is lowered below what runs ends nothing. */
  get values(): LimitValues {
    return this.#values;
  }

  setLimits(values: LimitValues): void {
    this.#values = values;
    this.#tellOfRoom();
  }

  /**
   * Calls `listener` when there may be room that was not there before: a slot is free, limits have
   * changed, or the limiter was switched off. Once for all of it, after the turn in which it happened.
   * The value ends that.
   */
  onRoom(listener: () => void): () => void {
    this.#onRoom.add(listener);
    return () => void this.#onRoom.delete(listener);
  }

  get enabled(): boolean {
    return this.#enabled;
  }

  /** Switched off, it counts and refuses nothing. */
  setEnabled(enabled: boolean): void {
    if (enabled === this.#enabled) return;
    this.#enabled = enabled;
    if (!enabled) this.#tellOfRoom();
  }

  /** Takes a slot, or says why there is none. A stream that holds one keeps it. */
  reserve(streamId: string, userId: string): LimitRefusal | null {
    if (!this.#ownerOf.has(streamId)) {
      const refusal = this.#refusal(userId);
      if (refusal !== null) return refusal;
    }
    this.hold(streamId, userId);
    return null;
  }

  /** Takes a slot whatever the limits: for what is on the air already, or has changed its owner. */
  hold(streamId: string, userId: string): void {
    if (this.#ownerOf.get(streamId) === userId) return;
    this.unregisterStream(streamId);
    this.#ownerOf.set(streamId, userId);
    const streams = this.#streamsOf.get(userId) ?? new Set<string>();
    this.#streamsOf.set(userId, streams.add(streamId));
  }

  holds(streamId: string): boolean {
    return this.#ownerOf.has(streamId);
  }

  /** Whether a further stream of this user could start now; only `reserve` makes sure of it. */
  canStartStream(userId: string): Promise<{ allowed: boolean; reason?: string }> {
    const refusal = this.#refusal(userId);
    return Promise.resolve(
      refusal === null ? { allowed: true } : { allowed: false, reason: refusal.message },
    );
  }

  /** Errors: STREAM_LIMIT_EXCEEDED. */
  registerStream(streamId: string, userId: string): void {
    const refusal = this.reserve(streamId, userId);
    if (refusal !== null) throw refusedStart(streamId, refusal, this, true);
  }

  unregisterStream(streamId: string): void {
    const owner = this.#ownerOf.get(streamId);
    if (owner === undefined) return;
    this.#ownerOf.delete(streamId);
    const streams = this.#streamsOf.get(owner);
    streams?.delete(streamId);
    if (streams?.size === 0) this.#streamsOf.delete(owner);
    this.#tellOfRoom();
  }

  getUserStreamCount(userId: string): number {
    return this.#streamsOf.get(userId)?.size ?? 0;
  }

  getGlobalStreamCount(): number {
    return this.#ownerOf.size;
  }

  /** Slots taken, by owner. */
  counts(): Record<string, number> {
    return Object.fromEntries([...this.#streamsOf].map(([user, { size }]) => [user, size]));
  }

  /** Streams that hold a slot, in the order of their names: one user's, or all. */
  streamsOf(userId?: string): string[] {
    const streams = userId === undefined ? this.#ownerOf.keys() : this.#streamsOf.get(userId);
    return [...(streams ?? [])].sort();
  }

  limitOf(userId: string): number {
    const { users, perUser } = this.#values;
    return Object.hasOwn(users, userId) ? (users[userId] ?? perUser) : perUser;
  }

  #tellOfRoom(): void {
    if (this.#toldSoon || this.#onRoom.size === 0) return;
    this.#toldSoon = true;
    queueMicrotask(() => {
      this.#toldSoon = false;
      for (const listener of this.#onRoom) listener();
    });
  }

  #refusal(user: string): LimitRefusal | null {
    if (!this.#enabled) return null;
    const counts = {
      user,
      userCount: this.getUserStreamCount(user),
      userLimit: this.limitOf(user),
      globalCount: this.getGlobalStreamCount(),
      globalLimit: this.#values.global,
    };
    if (counts.userCount >= counts.userLimit) {
      const message = `Maximum ${counts.userLimit} concurrent streams reached for ${user} (global ${counts.globalCount} of ${counts.globalLimit})`;
      return { message, scope: "user", ...counts };
    }
    if (counts.globalCount >= counts.globalLimit) {
      const message = `Maximum ${counts.globalLimit} concurrent streams reached on this server (${user} has ${counts.userCount} of ${counts.userLimit})`;
      return { message, scope: "global", ...counts };
    }
    return null;
  }
}
