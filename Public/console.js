// The console works without this file. It saves reloads and typing; nothing is decided here.
(d => {
  'use strict';

  // `/` goes to the search field.
  d.addEventListener('keydown', e => {
    const field = d.querySelector('[data-search]'), at = e.target;
    if (e.key != '/' || e.ctrlKey || e.metaKey || e.altKey || !field || at.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(at.tagName)) return;
    e.preventDefault();
    field.focus();
    field.select();
  });

  // <div id="…" data-refresh="3"> is fetched again from its own page every so many seconds, until the server leaves data-refresh out.
  const again = (box, failures) => setTimeout(async () => {
    if (!box.isConnected) return;
    if (d.hidden || box.contains(d.activeElement)) return again(box, failures);
    try {
      const answer = await fetch(location.href, { headers: { 'X-Fragment': box.id }, credentials: 'same-origin', redirect: 'error' });
      if (!answer.ok) throw Error(answer.status);
      const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').getElementById(box.id);
      if (!fresh) return;
      box.replaceWith(fresh);
      enhance(fresh.parentNode);
    } catch (e) {
      if (failures < 5) again(box, failures + 1);
    }
  }, Math.max(1, +box.dataset.refresh || 3) * 1000 * 2 ** failures);

  // <div class="picker" data-picker="/console/items"> around a search field: titles while typing, from {items: [{itemId, title, image, price}]}.
  // The choice is the title in the field and the id in a hidden field `<name>Id`, which typing on clears; without scripts the form's own page lists matches.
  const picker = box => {
    const field = box.querySelector('input'), list = d.createElement('ul');
    const hidden = box.querySelector('input[type="hidden"]') || Object.assign(d.createElement('input'), { type: 'hidden', name: field.name + 'Id' });
    let timer, asked, active = -1;
    list.id = field.id + '-list';
    list.hidden = true;
    list.setAttribute('role', 'listbox');
    list.setAttribute('aria-label', 'Matches');
    for (const [name, value] of Object.entries({ role: 'combobox', autocomplete: 'off', 'aria-autocomplete': 'list', 'aria-expanded': 'false', 'aria-controls': list.id })) field.setAttribute(name, value);
    box.append(hidden, list);

    const close = () => {
      list.hidden = true;
      active = -1;
      field.setAttribute('aria-expanded', 'false');
      field.removeAttribute('aria-activedescendant');
    };
    const choose = option => {
      field.value = option.dataset.title;
      hidden.value = option.dataset.id;
      close();
      box.dispatchEvent(new CustomEvent('picked', { bubbles: true, detail: option.dataset.id }));
    };
    const mark = to => {
      const options = list.children;
      if (!options.length) return;
      if (options[active]) options[active].setAttribute('aria-selected', 'false');
      active = (to + options.length) % options.length;
      options[active].setAttribute('aria-selected', 'true');
      options[active].scrollIntoView({ block: 'nearest' });
      field.setAttribute('aria-activedescendant', options[active].id);
    };
    const show = items => {
      list.replaceChildren(...items.map((item, i) => {
        const option = d.createElement('li'), title = d.createElement('span'), price = d.createElement('small');
        option.id = list.id + i;
        option.setAttribute('role', 'option');
        option.setAttribute('aria-selected', 'false');
        Object.assign(option.dataset, { id: item.itemId, title: item.title || item.itemId });
        title.textContent = item.title || item.itemId;
        price.textContent = item.price || '';
        if (/^(https?:|\/)/.test(item.image || '')) option.append(Object.assign(d.createElement('img'), { src: item.image, alt: '' }));
        option.append(title, price);
        return option;
      }));
      active = -1;
      list.hidden = !items.length;
      field.setAttribute('aria-expanded', String(!list.hidden));
    };
    field.addEventListener('input', () => {
      hidden.value = '';
      clearTimeout(timer);
      const text = field.value.trim();
      if (!text) return close();
      timer = setTimeout(async () => {
        const mine = asked = {};
        try {
          const answer = await fetch(`${box.dataset.picker}?q=${encodeURIComponent(text)}`, { headers: { Accept: 'application/json' }, credentials: 'same-origin' });
          const { items } = await answer.json();
          if (asked == mine && d.activeElement == field) show(items.slice(0, 12));
        } catch (e) { close(); }
      }, 150);
    });
    field.addEventListener('keydown', e => {
      if (list.hidden) return;
      if (e.key == 'ArrowDown' || e.key == 'ArrowUp') mark(e.key == 'ArrowDown' ? active + 1 : active < 0 ? -1 : active - 1);
      else if (e.key == 'Enter' && active >= 0) choose(list.children[active]);
      else if (e.key == 'Escape') close();
      else return;
      e.preventDefault();
    });
    field.addEventListener('blur', close);
    list.addEventListener('pointerdown', e => {
      const option = e.target.closest('[role="option"]');
      e.preventDefault();
      if (option) choose(option);
    });
  };

  // <button data-copy="#id"> copies the text of an element; the button appears only where that works.
  const copy = button => {
    button.hidden = !navigator.clipboard;
    button.addEventListener('click', async () => {
      const label = button.textContent;
      try { await navigator.clipboard.writeText(d.querySelector(button.dataset.copy).textContent.trim()); } catch (e) { return; }
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = label; }, 1500);
    });
  };

  const enhance = root => {
    root.querySelectorAll('[data-refresh][id]').forEach(box => { if (!box.waiting) box.waiting = again(box, 0); });
    root.querySelectorAll('[data-picker]').forEach(box => { if (!box.picker) { box.picker = true; picker(box); } });
    root.querySelectorAll('[data-copy]').forEach(button => { if (!button.copies) { button.copies = true; copy(button); } });
    // <select data-submit>: a choice that only changes what is shown is sent at once.
    root.querySelectorAll('select[data-submit]').forEach(select => select.addEventListener('change', () => select.form.requestSubmit()));
  };
  enhance(d);
})(document);
