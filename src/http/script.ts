/**
 * What runs in the browser: every few seconds it asks for the page that it is on and takes over its `main`, keeping
 * focus, selection and scrolling. The page is whole without it.
 */
export const script = `'use strict';
(() => {
  const everyMs = 5000;
  const live = document.getElementById('live');
  let last = new Date();
  let asking = false;

  const say = (text) => {
    if (live.textContent !== text) live.textContent = text;
  };

  const isSelecting = (main) => {
    const selection = document.getSelection();
    return selection && !selection.isCollapsed && main.contains(selection.anchorNode);
  };

  const placeOf = (element, main) => {
    if (!element || element === main || !main.contains(element)) return undefined;
    if (element.id) return '#' + CSS.escape(element.id);
    const href = element.getAttribute('href');
    return href ? 'a[href="' + CSS.escape(href) + '"]' : undefined;
  };

  const styleOf = (page) => page.querySelector('link[rel=stylesheet]')?.getAttribute('href');

  const take = (text) => {
    const main = document.getElementById('main');
    const answered = new DOMParser().parseFromString(text, 'text/html');
    const next = answered.getElementById('main');
    if (!next) throw new Error('no page');
    // Another version of the program runs now: its page goes with its own style and script.
    if (styleOf(answered) !== styleOf(document)) return location.reload();
    if (next.innerHTML === main.innerHTML || isSelecting(main)) return;
    const place = placeOf(document.activeElement, main);
    const scrolled = [...main.querySelectorAll('.scroll[id]')].map((one) => [one.id, one.scrollLeft, one.scrollTop]);
    main.replaceChildren(...next.childNodes);
    for (const [id, left, top] of scrolled) document.getElementById(id)?.scrollTo(left, top);
    if (place) main.querySelector(place)?.focus({ preventScroll: true });
  };

  const refresh = async () => {
    if (asking || document.hidden) return;
    asking = true;
    try {
      const answer = await fetch(location.href, { cache: 'no-store', signal: AbortSignal.timeout(4000) });
      if (!answer.ok) throw new Error(String(answer.status));
      take(await answer.text());
      last = new Date();
      say('');
    } catch {
      say('No answer since ' + last.toLocaleTimeString() + '. What is shown may be out of date.');
    } finally {
      asking = false;
    }
  };

  setInterval(refresh, everyMs);
  document.addEventListener('visibilitychange', refresh);
})();
`;
