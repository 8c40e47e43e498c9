interface Waiting {
  hold: () => Promise<void>;
}

/** Web Locks of one browser, as far as tabs use them: one holder per name, the others in order of asking. */
export function makeTestLocks(): LockManager {
  const queues = new Map<string, Waiting[]>();

  async function next(name: string): Promise<void> {
    const queue = queues.get(name) ?? [];
    await queue[0]?.hold();
    queue.shift();
    if (queue.length > 0) void next(name);
  }
  function request(name: string, { signal }: LockOptions, run: () => Promise<void>): Promise<void> {
    return new Promise((resolve, reject) => {
      const queue = queues.get(name) ?? [];
      queues.set(name, queue);
      const waiting: Waiting = { hold: () => run().then(resolve, reject) };
      signal?.addEventListener('abort', () => {
        const at = queue.indexOf(waiting);
        if (at < 1) return;
        queue.splice(at, 1);
        reject(new DOMException('aborted', 'AbortError'));
      });
      queue.push(waiting);
      if (queue.length === 1) queueMicrotask(() => void next(name));
    });
  }
  return { request, query: async () => ({}) } as unknown as LockManager;
}
