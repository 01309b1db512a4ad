// A round of pairs, one after the other: which of the two did a person write? It keeps the score and what fooled whom.
let place, right, each; // of each network by its name: how often it was seen, and how often it passed for a person
let isAgain = false; // a visitor asked for another round
const find = (selector) => element.querySelector(selector);
const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
const texts = () => find('.round').dataset;
const score = () => { find('.round-score').textContent = fill(texts().score, {place: place + 1, right}); };

const begin = () => {
  place = right = 0;
  each = new Map();
  if (find('.round')) score();
  if (isAgain) find('li:not([hidden]) button')?.focus({preventScroll: true}); // what had the focus is hidden now
  isAgain = false;
};
const choose = (button) => {
  const pair = button.closest('li'), isRight = button.dataset.person === 'true', next = find('.round-next');
  if ('answered' in pair.dataset) return;
  pair.dataset.answered = '';
  button.dataset.chosen = isRight ? 'right' : 'wrong';
  for (const one of pair.querySelectorAll('button')) {
    one.setAttribute('aria-disabled', 'true');
    one.setAttribute('aria-label', `${one.getAttribute('aria-label')}: ${one.querySelector('span').textContent}`);
  }
  const {network} = pair.dataset, [seen, passed] = each.get(network) ?? [0, 0];
  each.set(network, [seen + 1, passed + !isRight]);
  right += isRight;
  score();
  find('.round-said').textContent = texts()[isRight ? 'right' : 'wrong'].replace('{wrong}', network);
  next.disabled = false;
  if (!pair.nextElementSibling) next.textContent = texts().last;
  next.focus({preventScroll: true});
};
const end = () => {
  const rows = [...each].sort(([, [a, b]], [, [c, d]]) => d / c - b / a);
  find('.round-end .sentence').textContent = fill(texts().end, {right});
  find('.round-end tbody').replaceChildren(...rows.map(([network, [seen, passed]]) => {
    const row = document.createElement('tr'), head = row.appendChild(document.createElement('th'));
    head.scope = 'row';
    head.textContent = network;
    row.appendChild(document.createElement('td')).textContent = fill(texts().fooled, {right: passed, place: seen});
    return row;
  }));
  find('.round-ask').hidden = find('ol').hidden = find('.round-next').hidden = true;
  find('.round-end').hidden = find('.round-again').hidden = false;
  find('.round-score').textContent = '';
  find('.round-said').textContent = find('.round-end .sentence').textContent;
  find('.round-again').focus({preventScroll: true});
};
const go = () => {
  const pair = find('li:not([hidden])'), next = pair.nextElementSibling;
  if (!next) return end();
  pair.hidden = true;
  next.hidden = false;
  place += 1;
  score();
  find('.round-said').textContent = '';
  find('.round-next').disabled = true;
  next.querySelector('button').focus({preventScroll: true});
};
element.addEventListener('click', (event) => {
  const button = event.target.closest('button');
  if (button?.closest('li')) choose(button);
  else if (button?.matches('.round-next')) go();
  else if (button) { isAgain = true; trigger('submit'); }
});
watch('value', begin);
begin();
