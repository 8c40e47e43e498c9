import * as decoding from 'lib0/decoding';
import type { Clock } from '../../../shared/clock.ts';
import { CLOSE, type CloseName } from '../../../shared/close-codes.ts';
import { MESSAGE, SYNC } from '../../../shared/protocol.ts';
import type { Session, Visit } from './session.ts';

/** What came of an exchange: the messages of the answer, or what a socket would have been closed with. */
export type ExchangeResult = { messages: Uint8Array[] } | { closed: CloseName; reason: string };

/** An exchange that is not answered by then is to be tried again; its update may be committed all the same, and is then known. */
const PATIENCE_MS = 20_000;

type Kind = 'step 1' | 'update' | 'query' | 'other';

/** What a message is; anything that an exchange does not take is `other`. */
function kindOf(message: Uint8Array): Kind {
  const [type, sync] = message;
  if (type === MESSAGE.queryAwareness) return 'query';
  if (type !== MESSAGE.sync) return 'other';
  if (sync === SYNC.step1) return 'step 1';
  return sync === SYNC.step2 || sync === SYNC.update ? 'update' : 'other';
}

const typeOf = (message: Uint8Array): number => decoding.readVarUint(decoding.createDecoder(message));

/**
 * One exchange over HTTP (W12): the client's step 1 and at most one update go in, through the same session, limits and queue as every
 * frame; out come what the client lacks, tolds and acks, and last the server's step 1 as of after the update. About a root it may also ask
 * for presence, which then comes once; unasked it is left out, as are signs of life.
 */
export function exchange(
  deps: { clock: Clock; open(visit: Visit): Session },
  who: Pick<Visit, 'userId' | 'sid' | 'name'>,
  requests: readonly Uint8Array[],
): Promise<ExchangeResult> {
  const kinds = requests.map(kindOf);
  const count = (kind: Kind): number => kinds.filter((one) => one === kind).length;
  const mayAsk = who.name.kind === 'root' ? 1 : 0;
  if (count('other') > 0 || count('step 1') > 1 || count('update') > 1 || count('query') > mayAsk)
    return Promise.resolve({ closed: 'refused', reason: 'malformed' });

  return new Promise((resolve) => {
    const messages: Uint8Array[] = [];
    let step1: Uint8Array | null = null;
    let unanswered = count('step 1');
    let unjudged = count('update');
    let unshown = count('query');

    const stopWaiting = deps.clock.after(PATIENCE_MS, () => answer({ closed: 'tryLater', reason: 'no answer in time' }));

    function answer(result: ExchangeResult): void {
      stopWaiting();
      session.closed();
      resolve(result);
    }

    function answerWhenDone(): void {
      if (step1 && unanswered === 0 && unjudged === 0 && unshown === 0) answer({ messages: [...messages, step1] });
    }

    function take(message: Uint8Array): void {
      if (typeOf(message) === MESSAGE.awareness && unshown-- <= 0) return;
      if (kindOf(message) === 'step 1') step1 = message;
      else messages.push(message);
      if (message[0] === MESSAGE.sync && message[1] === SYNC.step2) unanswered--;
      answerWhenDone();
    }

    const session = deps.open({
      ...who,
      expiresAt: null,
      acks: true,
      socket: {
        send: take,
        close: (code, reason) => answer({ closed: nameOf(code), reason }),
        // What came in over HTTP is answered over HTTP: there is nothing to stop reading, and nothing waits for a reader.
        buffered: () => 0,
        drained: () => () => {},
        pause: () => {},
        resume: () => {},
      },
      onJudged(now) {
        unjudged--;
        step1 = now;
        answerWhenDone();
      },
    });
    for (const request of requests) session.receive(request);
  });
}

const nameOf = (code: number): CloseName => (Object.keys(CLOSE) as CloseName[]).find((name) => CLOSE[name].code === code) ?? 'tryLater';
