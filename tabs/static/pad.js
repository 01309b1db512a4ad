// A pad: strokes by finger, pen, mouse or keys become ink. On a pad of digits the ink is sent while a stroke goes on, but
// no more often than an answer takes to come back and be read; on one that lies over a picture, a brush, once it ends.
// The value is the canvas as a data URL, "" when it was cleared.
const canvas = element.querySelector('canvas'), ink = canvas.getContext('2d');
const hint = element.querySelector('.pad-hint'), nib = element.querySelector('.pad-nib');
const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_', LONGEST = '$longest';
const LINE = '$line', VIEW = '$view', KEY = '$key', STEP = 10, isBrush = '$brush' === 'true';
const eraser = element.querySelector('.pad-eraser'), undo = element.querySelector('.pad-undo');
const label = canvas.getAttribute('aria-label');
let strokes = [], current = null, sent = 0, playing = 0, keys = null;
let isOurs = false, isShow = false; // what is drawn is not the visitor's; and makes way for the first stroke

const send = (draft) => {
  sent = Date.now();
  const url = strokes.length ? canvas.toDataURL() : '';
  props.value = url.replace('base64,', `${draft ? '$draft' : isOurs ? '$ours' : ''}base64,`);
  if (!draft && !isBrush) lab.draw(VIEW, KEY, isOurs ? '' : written());
  trigger('input');
};
const drafted = (pause = 120) => !isBrush && Date.now() - sent > pause && send(true);

// Of the places of a stroke those without which it would be off by more than that (Ramer, Douglas and Peucker).
const needed = (row, slack) => {
  if (row.length < 3) return row;
  const [x0, y0] = row[0], [x1, y1] = row.at(-1), [dx, dy] = [x1 - x0, y1 - y0], square = dx * dx + dy * dy || 1;
  const off = row.map(([x, y]) => {
    const along = Math.min(1, Math.max(0, ((x - x0) * dx + (y - y0) * dy) / square));
    return Math.hypot(x - x0 - along * dx, y - y0 - along * dy);
  });
  const most = Math.max(...off), far = off.indexOf(most);
  if (most <= slack) return [row[0], row.at(-1)];
  return [...needed(row.slice(0, far + 1), slack).slice(0, -1), ...needed(row.slice(far), slack)];
};
// In an address a stroke is a row of places, a star before the first: each three letters, on a grid of 512 by 512.
// Older links have no star, and two letters, on one of 64 by 64. What is too long is drawn more plainly.
const written = () => {
  const lettered = (point) => {
    const [x, y] = point.map((value) => Math.min(511, Math.max(0, Math.floor((value / canvas.width) * 512))));
    return [12, 6, 0].map((bits) => DIGITS[((512 * x + y) >> bits) & 63]).join('');
  };
  for (let slack = 0.25; ; slack *= 1.5) {
    const text = '*' + strokes.map((row) => needed(row, slack).map(lettered).join('')).join('.');
    if (text.length <= LONGEST || slack > canvas.width) return text.slice(0, LONGEST);
  }
};
const places = (text) => {
  const [, star, rows] = /^(\*?)(.*)$/.exec(text), letters = star ? 3 : 2, side = 8 ** letters;
  return rows.split('.').filter((row) => /^[\w-]{2,}$/.test(row)).map((row) => {
    return (row.match(new RegExp(`.{${letters}}`, 'g')) ?? []).map((place) => {
      const code = [...place].reduce((sum, letter) => 64 * sum + DIGITS.indexOf(letter), 0);
      return [Math.floor(code / side), code % side].map((value) => ((value + 0.5) / side) * canvas.width);
    });
  });
};

const pen = (erases) => {
  ink.globalCompositeOperation = erases ? 'destination-out' : 'source-over';
  ink.lineWidth = LINE;
  ink.lineCap = ink.lineJoin = 'round';
  ink.strokeStyle = getComputedStyle(canvas).color;
  hint.hidden = true;
};
const wipe = () => {
  cancelAnimationFrame(playing);
  ink.clearRect(0, 0, canvas.width, canvas.height);
  strokes = [];
  current = null;
  hint.hidden = false;
};
const begin = (point, erases = eraser?.getAttribute('aria-pressed') === 'true') => {
  pen(erases);
  strokes.push((current = [point]));
  current.erases = erases;
  ink.beginPath(); ink.moveTo(...point); ink.lineTo(...point); ink.stroke();
};
const go = (point) => {
  ink.beginPath(); ink.moveTo(...current.at(-1)); ink.lineTo(...point); ink.stroke();
  current.push(point);
};
const lift = () => { if (current) { current = null; send(false); } };

// Strokes, at once or as slowly as a hand; what draws slowly stops at the first touch.
const play = (rows, slowly) => {
  wipe();
  const points = rows.flatMap((row) => row.map((point, index) => [point, index === 0]));
  let done = 0;
  const more = () => {
    for (const until = slowly ? done + 2 : points.length; done < Math.min(until, points.length); done++) {
      const [point, isFirst] = points[done];
      if (isFirst) begin(point); else go(point);
    }
    if (done >= points.length) return lift();
    drafted(300);
    playing = requestAnimationFrame(more);
  };
  if (points.length) more();
};
const traced = (path) => {
  const line = document.createElementNS('http://www.w3.org/2000/svg', 'path');
  line.setAttribute('d', path);
  const length = line.getTotalLength(), count = Math.ceil(length / 6);
  return [Array.from({length: count + 1}, (_, index) => line.getPointAtLength((length * index) / count))
    .map(({x, y}) => [x, y])];
};

const at = (event) => {
  const box = canvas.getBoundingClientRect();
  const share = [(event.clientX - box.left) / box.width, (event.clientY - box.top) / box.height];
  return [share[0] * canvas.width, share[1] * canvas.height];
};
const makeWay = () => {
  if (isShow) wipe();
  canvas.setAttribute('aria-label', label);
  isOurs = isShow = false;
};
let held = null;
canvas.addEventListener('pointerdown', (event) => {
  if (held !== null || event.button > 0) return;
  canvas.setPointerCapture(event.pointerId);
  held = event.pointerId;
  makeWay();
  begin(at(event));
});
canvas.addEventListener('pointermove', (event) => {
  if (held !== event.pointerId || !current) return;
  go(at(event));
  drafted();
});
for (const end of ['pointerup', 'pointercancel'])
  canvas.addEventListener(end, (event) => { if (held === event.pointerId) { held = null; lift(); } });

// Keys: arrows move the pen, the space bar puts it down and lifts it.
const showNib = () => {
  nib.hidden = false;
  nib.style.left = `${(100 * keys[0]) / canvas.width}%`;
  nib.style.top = `${(100 * keys[1]) / canvas.height}%`;
  nib.classList.toggle('down', current !== null);
};
canvas.addEventListener('keydown', (event) => {
  const step = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1]}[event.key];
  if ((!step && event.key !== ' ') || lab.isCommand(event)) return;
  event.preventDefault();
  keys ??= [canvas.width / 2, canvas.height / 4];
  if (step) {
    keys = keys.map((value, index) => Math.min(canvas.width, Math.max(0, value + STEP * step[index])));
    if (current) { go([...keys]); drafted(); }
  } else if (current) lift();
  else {
    makeWay();
    begin([...keys]);
  }
  showNib();
});
canvas.addEventListener('blur', () => { nib.hidden = true; if (held === null) lift(); });
eraser?.addEventListener('click', () => {
  eraser.setAttribute('aria-pressed', eraser.getAttribute('aria-pressed') !== 'true');
});
undo?.addEventListener('click', () => {
  const kept = strokes.slice(0, -1);
  wipe();
  for (const row of kept) {
    begin(row[0], row.erases);
    row.slice(1).forEach(go);
    current = null;
  }
  send(false);
});
element.querySelector('.pad-clear').addEventListener('click', () => { makeWay(); wipe(); send(false); });
for (const button of element.querySelectorAll('[data-strokes]'))
  button.addEventListener('click', () => { makeWay(); play(traced(button.dataset.strokes), false); });

// A visitor who begins with something else has not to wait for the show.
for (const kind of ['pointerdown', 'keydown', 'change'])
  document.addEventListener(kind, () => { if (isShow && current) { cancelAnimationFrame(playing); current = null; } }, true);
// Nor does it stand beside the answer to a picture.
addEventListener('brought', ({detail}) => { if (detail === VIEW) makeWay(); });

// What the address says is drawn, else what the page begins with.
const asked = isBrush ? null : lab.asked(VIEW, KEY), initial = element.querySelector('[data-initial]');
isOurs = !asked && initial !== null;
if (isOurs) canvas.setAttribute('aria-label', `${label}. ${initial.dataset.shown}`);
isShow = isOurs && '$show' === 'true';
if (asked) play(places(asked), false);
else if (initial) play(traced(initial.dataset.strokes), isShow && !lab.still());
