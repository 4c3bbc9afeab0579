/** What can be kept open between calls. */
export interface Connection {
  /** Resolves when it is gone, whoever ended it. */
  readonly closed: Promise<void>;
  close(): Promise<void>;
}

const IDLE_MS = 60_000;
const MOST_OF_A_NAME = 4;

/** Connections that calls leave open for later ones. Each is one call's at a time. */
export class IdleConnections implements AsyncDisposable {
  readonly #idle = new Map<
    string,
    { connection: Connection; timer: ReturnType<typeof setTimeout> }[]
  >();
  #isEnded = false;

  constructor(readonly idleMs = IDLE_MS) {}

  /** Takes the connection that was left last under a name, which says what kind it is of. */
  take<T extends Connection>(name: string): T | undefined {
    const last = this.#idle.get(name)?.at(-1);
    if (last) this.#forget(name, last.connection);
    return last?.connection as T | undefined;
  }

  /** Leaves a connection for the next call; it is closed when none comes in time. */
  async leave(name: string, connection: Connection): Promise<void> {
    const others = this.#idle.get(name) ?? [];
    if (this.#isEnded || others.length >= MOST_OF_A_NAME) return await connection.close();
    const timer = setTimeout(() => {
      this.#forget(name, connection);
      connection.close();
    }, this.idleMs);
    Deno.unrefTimer(timer);
    this.#idle.set(name, [...others, { connection, timer }]);
    connection.closed.then(() => this.#forget(name, connection));
  }

  /** Closes all that are idle, and from then on what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#isEnded = true;
    const all = [...this.#idle].flatMap(([name, idle]) =>
      idle.map(({ connection }) => ({ name, connection }))
    );
    for (const { name, connection } of all) this.#forget(name, connection);
    await Promise.all(all.map(({ connection }) => connection.close()));
  }

  #forget(name: string, connection: Connection): void {
    const idle = this.#idle.get(name) ?? [];
    const rest = idle.filter((one) => one.connection !== connection);
    for (const one of idle) if (!rest.includes(one)) clearTimeout(one.timer);
    if (rest.length > 0) this.#idle.set(name, rest);
    else this.#idle.delete(name);
  }
}
