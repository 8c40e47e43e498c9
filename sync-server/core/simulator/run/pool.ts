import { type ChildProcess, fork } from 'node:child_process';
import type { Answer, Asked } from './child.ts';

/** Processes that run worlds, one at a time each. */
export interface Pool {
  readonly size: number;
  /** What came of one; a process that died says that in its place. */
  ask(asked: Asked): Promise<Answer>;
  close(): void;
}

/** A world that takes longer than this never ends. */
const STUCK_MS = 120_000;

export function openPool(file: string, size: number): Pool {
  const idle: ChildProcess[] = [];
  const waiting: (() => void)[] = [];
  let open = 0;

  function start(): ChildProcess {
    open += 1;
    return fork(file, { execArgv: ['--allow-natives-syntax', '--stack-trace-limit=8'], serialization: 'advanced' });
  }
  function free(child: ChildProcess): void {
    idle.push(child);
    waiting.shift()?.();
  }
  function lose(child: ChildProcess): void {
    open -= 1;
    child.kill('SIGKILL');
    waiting.shift()?.();
  }

  async function ask(asked: Asked): Promise<Answer> {
    while (idle.length === 0 && open >= size) await new Promise<void>((resolve) => waiting.push(resolve));
    const child = idle.pop() ?? start();
    return new Promise((resolve) => {
      function died(why: string): void {
        done();
        lose(child);
        resolve({ seed: asked.plan.seed, steps: 0, wrong: [`[V7] ${why}`], reached: [], trace: 0, ms: 0 });
      }
      const onExit = (code: number | null): void => died(`the process ended with ${code}`);
      const timer = setTimeout(() => died('the world never ended'), STUCK_MS);
      function done(): void {
        clearTimeout(timer);
        child.off('exit', onExit);
      }
      child.once('exit', onExit);
      child.once('message', (answer: Answer) => {
        done();
        free(child);
        resolve(answer);
      });
      child.send(asked);
    });
  }

  return { size, ask, close: () => idle.splice(0).forEach((child) => child.disconnect()) };
}
