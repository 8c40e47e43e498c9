import type { Report } from './reports.ts';

// What people write may hold what moves a terminal's cursor or changes its colours.
const CONTROLS = /[^\P{Cc}\n]|\p{Cf}|\p{Surrogate}/gu;
const plain = (text: string): string => text.replaceAll(CONTROLS, '\ufffd');
const time = (iso: string): string => `${iso.slice(0, 16).replace('T', ' ')} UTC`;
const name = (handle: string | null, id: string): string => (handle === null ? id : `@${handle}`);

/** One line for a list. */
export function titleOf({ id, at, closedAt, reporter, reporterId, reported, reportedId, reason }: Report): string {
  const state = closedAt === null ? 'open  ' : 'closed';
  const who = `${name(reporter, reporterId)} about ${name(reported, reportedId)}`;
  const [line = ''] = plain(reason).split('\n');
  return `${id}  ${state}  ${time(at)}  ${who}: ${line.length > 60 ? `${line.slice(0, 60)}…` : line}`;
}

/** All of a report: the reported message is marked. */
export function describeReport(report: Report): string {
  const { reporter, reporterId, reported, reportedId, conversationId, messageId, messages, reason, closedAt } = report;
  const author = (id: string): string => (id === reportedId ? name(reported, id) : id === reporterId ? name(reporter, id) : id);
  const lines = messages.map(({ id, senderId, sentAt, content }) => {
    const words = content === null ? '(deleted before the report)' : plain(content).replaceAll('\n', '\n       ');
    return `${id === messageId ? '>>' : '  '} ${time(sentAt)}  ${author(senderId)}\n       ${words}`;
  });
  return [
    titleOf(report),
    ...(closedAt === null ? [] : [`closed ${time(closedAt)}`]),
    `conversation ${conversationId}, message ${messageId}`,
    '',
    plain(reason),
    '',
    ...lines,
  ].join('\n');
}
