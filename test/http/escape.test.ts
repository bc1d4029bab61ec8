import { expect, test } from 'vitest';
import { html } from '../../src/http/escape.ts';

test.each([
  ['a tag', '<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
  ['the end of an attribute', `" onload='x'`, '&quot; onload=&#39;x&#39;'],
  ['an entity', '&lt;', '&amp;lt;'],
  ['control characters', 'a\u0000b\u001b[31mc\u007f\u0085', 'a\u2400b\u241b[31mc\\u007f\\u0085'],
  ['what turns text around', 'gpj.\u202efdp\u2066', 'gpj.\\u202efdp\\u2066'],
  ['what is not seen', 'a\u200bb\ufeffc\u2028d', 'a\\u200bb\\ufeffc\\u2028d'],
  ['half a character', 'a\ud800b', 'a\ufffdb'],
  ['letters of other scripts', 'läuft 訓練 🚀\n\t', 'läuft 訓練 🚀\n\t'],
])('%s is text', (_, value, expected) => {
  expect(html`${value}`.text).toBe(expected);
});

test('what was made as HTML stays HTML, also in lists, and nothing else does', () => {
  const items = ['<b>', html`<i>${'&'}</i>`];
  expect(html`<p title="${'"'}">${items}${undefined}${false}${0}</p>`.text).toBe(
    '<p title="&quot;">&lt;b&gt;<i>&amp;</i>0</p>',
  );
  // What only looks like it does not.
  const forged = JSON.parse('{"text":"<b>"}') as string;
  expect(() => html`${forged}`.text).toThrow();
});
