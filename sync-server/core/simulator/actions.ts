import { DOINGS, type Action } from './plan.ts';
import type { Browser } from './browser/browser.ts';
import type { Health } from './browser/keep.ts';
import type { Tab } from './browser/tab.ts';
import { changeMembers } from './change-members.ts';
import { type World, directOf } from './world.ts';

const DISKS: readonly Health[] = ['well', 'aborting', 'aborting', 'full', 'stuck'];
const EMOJI = ['👍', '❤️', '😂'];
const TABS = 3;
const JUMP_MS = 5 * 60 * 60_000;

const pick = <T>(list: readonly T[], who: number): T | undefined => list[who % list.length];

/** Carries out one action of a plan. */
export function act(world: World, action: Action, i: number): void {
  const { browsers, backend, processes, reached } = world;
  const { who, much } = action;
  const browser = pick(browsers, who)!;
  const kind = action.do;
  if (isDoing(kind)) return doing(world, browser, action, i);
  const tab = pick(browser.tabs, much);
  const node = who % processes.length;
  const process = processes[node];
  switch (kind) {
    case 'cut':
      return pick(browser.network.links(), much)?.link.cut();
    case 'silence':
      return pick(browser.network.links(), much)?.link.silence();
    case 'stall': {
      const link = pick(browser.network.links(), much)?.link;
      link?.stall(true);
      return void world.scheduler.clock.after(much * 20, () => link?.stall(false));
    }
    case 'offline':
      return browser.setOnline(!browser.network.isOnline);
    case 'http only':
      browser.network.isHttpOnly = !browser.network.isHttpOnly;
      return browser.network.cut();
    case 'tab killed':
      return tab && browser.leave(tab, 'kill');
    case 'tab frozen': {
      if (!tab || tab.place.isFrozen()) return;
      tab.place.freeze();
      return void world.scheduler.clock.after(1_000 + much * 119, tab.place.thaw);
    }
    case 'browser crashed':
      for (const one of [...browser.tabs]) browser.leave(one, 'kill');
      return browser.keep.crash();
    case 'disk':
      return void (browser.keep.health = pick(DISKS, much)!);
    case 'wipe':
      return browser.wipe();
    case 'clock jumps':
      return void (browser.skew += (much - 500) * (JUMP_MS / 500));
    case 'node killed':
      if (!process) return;
      process.kill();
      cutNode(world, node);
      reached.add('node killed');
      return world.start(node);
    case 'node restarted':
      return process ? restart(world, node) : undefined;
    case 'listener lost':
      return process?.setListening(much % 2 === 0);
    case 'log away':
      return void (backend.awayUntil = world.scheduler.now() + much * 10);
    case 'members':
      return changeMembers(world, action);
    case 'block':
      return block(world, browser, tab ?? openOne(world, browser, much), who);
    case 'signed out':
      return browser.network.revoke();
    case 'hostile':
      return world.hostile.act(much);
    case 'expiry':
      // Sessions are short in such a world; time has to pass for it.
      for (const until = world.scheduler.now() + much * 30; world.step(until););
  }
}

const isDoing = (kind: string): boolean => DOINGS.some((one) => one === kind);

function cutNode({ browsers, processes }: World, i: number): void {
  for (const { network } of browsers) network.cut(processes[i]!);
}

/** What is restarted for a new version commits what waits; it takes its time, and another may come before it has ended. */
function restart(world: World, i: number): void {
  const process = world.processes[i]!;
  const hasUnsent = world.browsers.some(({ tabs }) => tabs.some(({ sync }) => sync.outbox.entries().length > 0));
  if (hasUnsent) world.reached.add('upgrade with unsent text');
  world.processes[i] = null;
  void process.stop().then(() => {
    process.kill();
    for (const { network } of world.browsers) network.cut(process);
  });
  world.start(i);
}

function openOne(world: World, browser: Browser, who: number): Tab {
  const tab = browser.open();
  const first = pick(
    world.groups.filter((id) => world.backend.store.conversations.get(id)?.members.has(browser.me.id)),
    who,
  );
  if (first !== undefined && who % 4 > 0) tab.show(first);
  else contact(world, browser, tab, who);
  return tab;
}

/** Blocks whom they talk to, else anybody, or takes that back. */
function block(world: World, { me }: Browser, tab: Tab, who: number): void {
  const others = world.users.filter((id) => id !== me.id);
  const shown = others.find((id) => directOf(world, me.id, id) === tab.conversationId());
  const other = shown ?? pick(others, who)!;
  const conversationId = directOf(world, me.id, other);
  if (conversationId !== null) tab.block(conversationId, other);
}

function contact({ users }: World, browser: Browser, tab: Tab, who: number): void {
  tab.contact(
    pick(
      users.filter((id) => id !== browser.me.id),
      who,
    )!,
  );
}

function doing(world: World, browser: Browser, { do: kind, who, much }: Action, i: number): void {
  const tab = pick(browser.tabs, much) ?? openOne(world, browser, much);
  const text = `text-${i}-`;
  switch (kind) {
    case 'write':
      return tab.write(text);
    case 'edit':
      return tab.edit(text);
    case 'remove':
      return tab.remove();
    case 'react':
      return tab.react(pick(EMOJI, who)!, much % 3 > 0);
    case 'draft':
      return tab.draft(much % 4 > 0 ? text : '');
    case 'mark':
      return tab.mark(much % 2 > 0 ? { mute: i } : { pin: i });
    case 'read':
      return tab.readOn();
    case 'type':
      return tab.type();
    case 'retry':
      return tab.retry();
    case 'open':
      return void (browser.tabs.length < TABS && openOne(world, browser, who + much));
    case 'close':
      return tab.place.isFrozen() ? undefined : browser.leave(tab, 'close');
    case 'show': {
      const others = world.users.filter((id) => id !== browser.me.id);
      const choices = [...world.groups, ...others.flatMap((id) => directOf(world, browser.me.id, id) ?? [])];
      const known = choices.filter((id) => tab.sync.inbox.conversations().has(id));
      const next = pick(known, who);
      return next !== undefined && !tab.place.isFrozen() ? tab.show(next) : undefined;
    }
    case 'answer':
      return tab.answer(who % 3 > 0);
    case 'contact':
      return contact(world, browser, tab, who);
    case 'wait':
      for (const until = world.scheduler.now() + much * 30; world.step(until););
  }
}
