// What the page does in the browser by itself: its address, its links, its keys. Components' scripts use `lab`.
const lab = (() => {
  const VIEWS = '$views'; // the tabs, and the parts of each
  const START = Object.keys(VIEWS)[0], HEAVIEST = '$heaviest'; // bytes of a file
  const parts = Object.fromEntries(Object.entries(VIEWS).map(([tab, names]) => [tab, names[0]]));
  const noted = {}, drawn = {}, brought = {}; // of each view: what differs from its beginning, pads, pictures
  let tab = START, ready = false;

  const foreign = (key) => key === 'lang' || key.startsWith('__');
  const read = (query) => {
    const name = Object.hasOwn(VIEWS, query.get('tab')) ? query.get('tab') : START;
    return [name, VIEWS[name].includes(query.get('part')) ? query.get('part') : VIEWS[name][0]];
  };
  const join = (name, part) => (part ? `${name}/${part}` : name);
  const view = () => join(tab, parts[tab]);
  const asked = new URLSearchParams(location.search), first = join(...read(asked));

  // What was asked for is noted before its component is there; strokes are the pads' own.
  noted[first] = Object.fromEntries(
    [...asked].filter(([key]) => !foreign(key) && !['tab', 'part', 'ink', 'from', 'to'].includes(key)),
  );

  const address = (more) => {
    const query = new URLSearchParams(), values = Object.entries({...noted[view()], ...more});
    if (tab !== START || values.length) query.set('tab', tab);
    if (parts[tab] !== VIEWS[tab][0]) query.set('part', parts[tab]);
    for (const [key, value] of values) query.set(key, value);
    for (const [key, value] of asked) if (foreign(key)) query.set(key, value);
    return location.pathname + (query.size ? `?${query}` : '');
  };
  const tell = (isNew) => {
    const next = address();
    if (next === location.pathname + location.search) return;
    history[isNew ? 'pushState' : 'replaceState'](null, '', next);
    // On Spaces the page lies in a frame: the address that one sees is the page's around it.
    const queryString = next.split('?')[1]?.split('&').filter((part) => !part.startsWith('__')).join('&') ?? '';
    if (parent !== window) parent.postMessage({queryString, hash: ''}, 'https://huggingface.co');
  };
  const found = async (selector, looks = Infinity) => {
    let element;
    while (!(element = document.querySelector(selector)) && --looks > 0) await new Promise((next) => setTimeout(next, 20));
    return element;
  };
  const press = async (id) => {
    const button = await found(`#${id}-button`);
    if (button.getAttribute('aria-selected') !== 'true') button.click();
    await found(`#${id} .block`); // what it shows is there
  };
  const go = async (query) => { // to what an address says
    ready = false;
    let part;
    [tab, part] = read(query);
    await press(`tab-${tab}`);
    if ((parts[tab] = part)) await press(`part-${tab}-${part}`);
    ready = true;
  };
  const link = () => new URL(address(drawn[view()]), location.href);
  const still = matchMedia('(prefers-reduced-motion: reduce)');

  const copy = async (button) => {
    const text = link().href;
    await navigator.clipboard.writeText(text).catch(() => { // no right to it, or no https
      const field = document.body.appendChild(document.createElement('textarea'));
      field.value = text;
      field.select();
      document.execCommand('copy');
      field.remove();
    });
    const {done, usual, picture} = button.dataset;
    const said = button.nextElementSibling, isSeen = Boolean(brought[view()]);
    button.textContent = done;
    said.textContent = isSeen ? picture : done;
    said.classList.toggle('seen', isSeen);
    setTimeout(() => {
      button.textContent = usual;
      said.textContent = '';
      said.classList.remove('seen');
    }, 4000);
  };
  const change = (language) => {
    const to = new URL(language.href);
    for (const [key, value] of link().searchParams) if (key !== 'lang') to.searchParams.set(key, value);
    location.href = to;
  };

  // A tile of a comparison opens large, beside the one that all began with.
  const enlarge = (tile) => {
    const dialog = document.createElement('dialog'), row = dialog.appendChild(document.createElement('div'));
    dialog.className = 'large';
    for (const one of new Set([tile.parentElement.querySelector('[data-before]') ?? tile, tile])) {
      const figure = row.appendChild(document.createElement('figure'));
      figure.append(one.querySelector('img').cloneNode(), one.querySelector('span').cloneNode(true));
    }
    dialog.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => { dialog.remove(); tile.focus(); });
    document.querySelector('.gradio-container').append(dialog);
    dialog.showModal();
  };

  // Once a visitor has said which eye is the real one, what was hidden is shown.
  const judge = (eye) => {
    const said = document.createElement('p');
    said.textContent = eye.dataset.answer;
    said.dataset.said = '';
    said.tabIndex = -1;
    eye.parentElement.replaceChildren(said);
    said.focus({preventScroll: true});
  };

  addEventListener('popstate', () => go(new URLSearchParams(location.search)));
  addEventListener('click', (event) => {
    const button = event.target.closest?.('.copy-link'), language = event.target.closest?.('a.language');
    const tile = event.target.closest?.('.tiles button');
    const eye = event.target.closest?.('.eyes button');
    const opener = event.target.closest?.('[data-opens]');
    if (button) copy(button);
    if (opener) press(opener.dataset.opens);
    if (tile) enlarge(tile);
    if (eye) judge(eye);
    if (language) { event.preventDefault(); change(language); }
  });
  addEventListener('input', (event) => {
    if (event.target.matches?.('.whole input'))
      event.target.closest('.before-after').style.setProperty('--at', `${event.target.value}%`);
  });
  // What is too large, or of no type that the browser knows, Gradio would refuse in passing, in words of its own: the
  // server gets it as a picture, or without its content, and says more, where one looks.
  const fit = (files) => {
    const fitting = new DataTransfer();
    for (const file of files) {
      const isHeavy = file.size > HEAVIEST, type = file.type.startsWith('image/') ? file.type : 'image/unknown';
      fitting.items.add(new File(isHeavy ? [] : [file], file.name, {type: isHeavy ? 'image/heavy' : type}));
    }
    return fitting;
  };
  addEventListener('change', ({target}) => {
    if (target.dataset?.testid === 'file-upload') target.files = fit(target.files).files;
  }, true);
  addEventListener('drop', (event) => {
    if (event.dataTransfer?.files.length)
      Object.defineProperty(event, 'dataTransfer', {value: fit(event.dataTransfer.files)});
  }, true);
  const isCommand = (event) => event.altKey || event.ctrlKey || event.metaKey; // the browser's: a page back, for one
  // Arrows go along the tabs, and along choices, which Gradio gives no common name.
  addEventListener('keydown', (event) => {
    const {key, target} = event, step = {ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1}[key];
    const group = target.closest?.('[role=tablist], .pills'), kind = group?.matches('.pills') ? '[type=radio]' : '[role=tab]';
    if (!step || isCommand(event) || !group || !target.matches(kind)) return;
    const all = [...group.querySelectorAll(kind)].filter((one) => !one.disabled);
    const next = all[(all.indexOf(target) + step + all.length) % all.length];
    event.preventDefault();
    next.click();
    next.focus();
  });
  addEventListener('keyup', (event) => {
    // Gradio takes only a pointer's end for the release of a slider: arrow keys would move it for nothing.
    if (event.target.matches?.('input[type=range]') && /^(Arrow|Page|Home|End)/.test(event.key))
      event.target.dispatchEvent(new PointerEvent('pointerup', {bubbles: true}));
  });
  // Answers are read aloud once they are still, as far as a visitor asked for them: not every draft of a stroke.
  const told = new WeakMap();
  let waits = 0, isTouched = false;
  for (const kind of ['pointerdown', 'keydown']) addEventListener(kind, () => { isTouched = true; }, true);
  const speak = () => {
    const say = (one) => one.dataset.said || one.textContent;
    const all = [...document.querySelectorAll('[data-said]')].filter((one) => one.checkVisibility());
    const fresh = all.filter((one) => told.get(one) !== say(one)), text = fresh.map(say).join(' ');
    for (const one of fresh) told.set(one, say(one));
    const place = document.querySelector('.said');
    if (!text || !isTouched) return;
    place.classList.remove('seen');
    place.textContent = text;
  };
  found('.gradio-container').then((page) => new MutationObserver(() => {
    clearTimeout(waits);
    waits = setTimeout(speak, 800);
  }).observe(page, {subtree: true, childList: true, attributeFilter: ['data-said']}));
  // Of a picture that was brought and the browser cannot show, such as a TIFF, its name is shown.
  for (const kind of ['load', 'error'])
    document.addEventListener(kind, ({target}) => {
      const frame = target.closest?.('.image-frame');
      if (kind === 'load') frame?.removeAttribute('data-unseen');
      else frame?.setAttribute('data-unseen', decodeURIComponent(target.src.split('/').at(-1)));
    }, true);
  // Gradio writes the browser's language here; it is the page's that readers aloud want.
  const root = document.documentElement, language = root.lang;
  new MutationObserver(() => { if (root.lang !== language) root.lang = language; })
    .observe(root, {attributeFilter: ['lang']});
  // What Gradio calls its own buttons and fields is English on every page: it becomes ours.
  const LABELS = Object.entries('$labels'[language] ?? {}).map(([given, ours]) => [
    new RegExp(`^${given.replace(/\{(\w+)\}/g, '(?<$1>.+)')}$`), ours.replace(/\{(\w+)\}/g, '$<$1>'),
  ]);
  const renamed = (text) => LABELS.reduce((said, [given, ours]) => said.replace(given, ours), text);
  const rename = (page) => {
    for (const key of ['aria-label', 'title']) {
      for (const one of page.querySelectorAll(`[${key}]`)) {
        const given = one.getAttribute(key), ours = renamed(given);
        if (ours !== given) one.setAttribute(key, ours);
      }
    }
    for (const one of page.querySelectorAll('[data-testid=image] button .wrap')) {
      for (const text of one.childNodes) {
        const given = text.nodeType === Node.TEXT_NODE ? text.data.trim() : '', ours = renamed(given);
        if (ours !== given) text.data = ours;
      }
    }
  };
  found('.gradio-container').then((page) => {
    rename(page);
    new MutationObserver(() => rename(page))
      .observe(page, {subtree: true, childList: true, attributeFilter: ['aria-label', 'title']});
  });
  // A Chinese browser that opens the first page is taken to the Chinese one, unless it asked for English.
  const leaves = !asked.has('lang') && !/\/zh\/?$/.test(location.pathname) && navigator.language.startsWith('zh');
  // Gradio's own words, too, are those of the page; it would take the browser's.
  Object.defineProperty(navigator, 'language', {value: {zh: 'zh-CN'}[language] ?? language});
  if (leaves) location.replace('zh' + location.search);
  // Gradio counts the seconds of its loading for ever, a frame each time, for which an idle page takes 6 % of a core. It
  // keeps the function that it finds as it begins: one that is slow once the page is there. All others take the browser's.
  const frame = requestAnimationFrame.bind(window);
  let isThere = false;
  window.requestAnimationFrame = (step) => (isThere ? setTimeout(() => step(performance.now()), 100) : frame(step));
  found('#tabs').then(() => {
    isThere = true;
    window.requestAnimationFrame = frame;
  });
  const there = leaves ? new Promise(() => {}) : go(asked);
  // Gradio brings each kind of component as its code arrives, in any order, and what is there would move. So the page is
  // seen once all is there that it opens with; but what does not come hides the rest for ten seconds only, not counting
  // those in which the browser is too busy to look.
  const whole = async () => {
    const {components, layout} = window.gradio_config, known = new Map(components.map((one) => [one.id, one]));
    const open = [`tab-${tab}`, `part-${tab}-${parts[tab]}`];
    const names = ({id, children = []}) => {
      const {type, props = {}} = known.get(id) ?? {};
      if (![true, undefined].includes(props.visible) || (type === 'tabitem' && !open.includes(props.elem_id))) return [];
      const within = props.open === false ? [] : children.flatMap(names);
      return props.elem_id ? [props.elem_id, ...within] : within;
    };
    for (const name of names(layout)) await found(`#${name}`, 500);
    document.getElementById('bones')?.remove();
  };
  there.then(whole);

  return {
    still: () => still.matches,
    // What the address asked of a view; null where it says nothing.
    asked: (of, key) => (of === first ? asked.get(key) : null),
    // What the address said beside a value, the first time that it is asked for; null where it named another value.
    beside: (of, key, value, other) => {
      if (of !== first || asked.get(key) !== value) return null;
      const text = asked.get(other);
      asked.delete(other);
      return text;
    },
    // Brings an answer into sight that came below what was pressed.
    reveal: (id) => requestAnimationFrame(() => document.getElementById(id).scrollIntoView({block: 'nearest'})),
    // Calls back once the page shows what the address names, if that says more than a tab.
    asks: async (then) => {
      if (![...asked.keys()].some((key) => !foreign(key) && key !== 'tab' && key !== 'part')) return;
      await there;
      then(location.search);
    },
    opened: (name, part) => {
      if (!ready || (part && name !== tab) || (name === tab && (!part || part === parts[tab]))) return;
      tab = name;
      if (part) parts[name] = part;
      tell(true);
    },
    isCommand,
    // Where what is usual depends on another value, the one `beside`, it is said whatever it is.
    note: (of, key, value, usual, beside) => {
      const values = (noted[of] ??= {}), isUsual = String(value) === String(usual) && !Object.hasOwn(values, beside);
      if (value === null || value === undefined || isUsual) delete values[key];
      else values[key] = value;
      if (ready && of === view()) tell(false);
    },
    draw: (of, key, ink) => {
      const inks = (drawn[of] ??= {});
      if (ink) inks[key] = ink; else delete inks[key];
    },
    bring: (of, is) => {
      brought[of] = is;
      document.getElementById(`tab-${of}`)?.toggleAttribute('data-brought', is);
      if (!is) return;
      lab.note(of, 'picture', null);
      dispatchEvent(new CustomEvent('brought', {detail: of}));
      for (const one of document.querySelectorAll('.examples [aria-pressed=true]')) { // it is none of these any more
        if (one.offsetParent) one.setAttribute('aria-pressed', 'false');
      }
    },
  };
})();
