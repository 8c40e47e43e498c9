import type { Page } from 'playwright-core';

/** Points on a message's way between the key and `sent`, at which a page can be stopped. */
export type Stop = 'before the write' | 'before its end' | 'claimed' | 'before it leaves' | 'left' | 'acknowledged';

/** What became of a message on the screen: its text, and the words of its mark. */
export interface Tick {
  text: string;
  words: string;
}

declare const noteTick: (tick: Tick) => void;

/** Runs in the page: tells each mark of an own message in the moment when it is shown. */
function tellTicks(): void {
  const told = new Set<string>();
  function look(): void {
    for (const row of document.querySelectorAll('li.message--own')) {
      const text = row.querySelector('.bubble__text')?.textContent ?? '';
      const words = row.querySelector('.mark')?.textContent ?? '';
      if (told.has(`${text}\n${words}`)) continue;
      told.add(`${text}\n${words}`);
      noteTick({ text, words });
    }
  }
  new MutationObserver(look).observe(document, { subtree: true, childList: true, characterData: true, attributes: true });
}

/** A ledger outside of the browser: what its pages ever showed of own messages, kept when they die. */
export async function keepLedger(page: Page): Promise<readonly Tick[]> {
  const ledger: Tick[] = [];
  await page.exposeFunction('noteTick', (tick: Tick) => void ledger.push(tick));
  await page.addInitScript(tellTicks);
  return ledger;
}

/** Runs in the page: a dialog stops it, whatever it is in the middle of. */
function install({ stops, text }: { stops: readonly Stop[]; text: string }): void {
  const left = new Set(stops);
  let key: IDBValidKey | null = null;
  function stop(at: Stop): void {
    if (left.delete(at)) alert(at);
  }
  const { transaction: begin } = IDBDatabase.prototype;
  const { put, delete: remove } = IDBObjectStore.prototype;
  const claims = new Set<IDBTransaction>();
  const { send } = WebSocket.prototype;
  const bytes = new TextEncoder().encode(text).join();

  // Before anybody else hears of its end.
  IDBDatabase.prototype.transaction = function (this: IDBDatabase, ...asked: Parameters<typeof begin>) {
    const transaction = begin.apply(this, asked);
    transaction.addEventListener('complete', () => claims.has(transaction) && stop('claimed'));
    return transaction;
  };
  IDBObjectStore.prototype.put = function (this: IDBObjectStore, ...asked: Parameters<typeof put>) {
    const entry = asked[0] as { id: string; value?: unknown[]; placed?: boolean };
    if (this.name !== 'outbox' || entry.value?.[0] !== text) return put.apply(this, asked);
    key = entry.id;
    stop('before the write');
    const request = put.apply(this, asked);
    request.addEventListener('success', () => stop('before its end'));
    if (entry.placed) claims.add(this.transaction);
    return request;
  };
  IDBObjectStore.prototype.delete = function (this: IDBObjectStore, ...asked: Parameters<typeof remove>) {
    if (key !== null && asked[0] === key) stop('acknowledged');
    return remove.apply(this, asked);
  };
  WebSocket.prototype.send = function (this: WebSocket, data: Parameters<typeof send>[0]) {
    const isIt = data instanceof Uint8Array && data.join().includes(bytes);
    if (isIt) stop('before it leaves');
    send.call(this, data);
    if (isIt) stop('left');
  };
}

/** From now on the page stops at these points of the way of the message with this text; each is a dialog. */
export const stopAt = (page: Page, text: string, stops: readonly Stop[]): Promise<void> => page.evaluate(install, { stops, text });
