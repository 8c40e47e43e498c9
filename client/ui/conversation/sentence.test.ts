import { expect, test } from 'vitest';
import { type Spoken, sentenceOf } from './sentence.ts';

const spoken = (more: Partial<Spoken> = {}): string =>
  sentenceOf({
    author: 'Ana Silva',
    text: 'Saturday',
    time: '10:32',
    isEdited: false,
    startsUnread: false,
    status: null,
    ...more,
  });

test('[C9.6] a message is one sentence: who, what, when', () => {
  expect(spoken()).toBe('Ana Silva: Saturday, 10:32');
  expect(spoken({ text: 'Saturday?' })).toBe('Ana Silva: Saturday? 10:32');
  expect(spoken({ text: 'She said “no.”' })).toBe('Ana Silva: She said “no.” 10:32');
  expect(spoken({ text: '  two\n\nlines ' })).toBe('Ana Silva: two lines, 10:32');
});

test('[C9.6] and what became of it, in words', () => {
  expect(spoken({ author: 'You', isEdited: true, status: 'Read' })).toBe('You: Saturday, 10:32, edited, Read');
  expect(spoken({ author: 'You', status: 'Not sent: there is no room left.' })).toBe(
    'You: Saturday, 10:32, Not sent: there is no room left.',
  );
  expect(spoken({ startsUnread: true })).toBe('Ana Silva: Saturday, 10:32, first new message');
  expect(spoken({ text: null, time: 'written 10:02, sent 12:31' })).toBe('Ana Silva: message deleted, written 10:02, sent 12:31');
});
