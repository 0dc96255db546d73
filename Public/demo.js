// The demo shop's side panel: what this visitor did, what each box answered, and why. It uses only what the tracker offers any shop.
//
// The page: <body data-view="ITEM"> on a product's page, its title in the h1; <aside id="why" data-forget="/demo/visitor">; boxes inside a <section> with a heading;
// <form data-add="ITEM" data-price="19.50"> puts into the cart; <script type="application/json" id="order"> holds {orderId, total, currency, items}
// after a purchase; [data-cart-count] is the number in the header; <form id="consent"> has buttons with data-consent="granted|denied".
// What the page asks of the shop itself are its forms, sent with Accept: application/json and answered by 204.
(d => {
  'use strict';
  const tm = window.tm, panel = d.getElementById('why'), consent = d.getElementById('consent'), body = d.body.dataset;
  if (!tm || !panel) return;

  const make = (tag, text, name) => {
    const el = d.createElement(tag);
    if (text) el.textContent = text;
    if (name) el.className = name;
    return el;
  };
  const part = (heading, list) => {
    const section = make('section'), el = make(list);
    section.append(make('h3', heading), el);
    panel.append(section);
    return el;
  };

  const post = (url, fields) => fetch(url, { method: 'POST', body: new URLSearchParams(fields), headers: { accept: 'application/json' }, credentials: 'same-origin' });

  // What the panel remembers from page to page, kept only while the tracker may store as well.
  const memory = { events: [], boxes: {}, titles: {} };
  let id;
  const remember = () => { try { if (id) sessionStorage.setItem('demo', JSON.stringify({ id, ...memory })); } catch (e) { /* then each page starts anew */ } };
  const recall = () => {
    id = tm.anonymousId();
    try {
      const kept = JSON.parse(sessionStorage.getItem('demo'));
      if (kept && id && kept.id == id) Object.assign(memory, { events: kept.events.concat(memory.events).slice(-12), boxes: { ...kept.boxes, ...memory.boxes }, titles: { ...kept.titles, ...memory.titles } });
    } catch (e) { /* as above */ }
  };
  const forget = () => {
    Object.assign(memory, { events: [], boxes: {} });
    try { sessionStorage.removeItem('demo'); } catch (e) { /* nothing kept */ }
  };

  const who = make('p', '', 'who'), buttons = make('p', '', 'buttons');
  panel.append(who, buttons);
  const events = part('Your last events', 'ol'), answers = make('div');
  events.className = 'events';
  answers.setAttribute('aria-live', 'polite');
  panel.append(answers);

  const button = (text, action) => {
    const el = make('button', text);
    el.type = 'button';
    el.addEventListener('click', async () => {
      el.disabled = true;
      try { await action(); } finally { el.disabled = false; }
    });
    buttons.append(el);
    return el;
  };
  const again = async () => { await tm.flush(); await tm.refresh(); };
  const another = () => {
    tm.reset();
    forget();
    id = tm.anonymousId();
    show();
    return again();
  };
  button('Become another visitor', another);
  button('Forget me', async () => {
    const old = tm.anonymousId();
    await tm.flush();
    const answer = old && await post(panel.dataset.forget, { csrf: panel.dataset.csrf, choice: 'forget', anonymousId: old });
    await another();
    note(answer && !answer.ok ? 'The server could not forget this visitor.' : 'Forgotten: events, history and what was shown.');
  });
  const note = text => {
    const el = make('p', text, 'note');
    el.setAttribute('role', 'status');
    buttons.after(el);
    setTimeout(() => el.remove(), 6000);
  };

  const ago = time => {
    const seconds = Math.max(0, Math.round((Date.now() - new Date(time)) / 1000));
    return seconds < 60 ? `${seconds} s ago` : `${Math.round(seconds / 60)} min ago`;
  };
  const show = () => {
    who.textContent = id ? `Visitor ${id.slice(0, 8)}, unknown by name` : 'No visitor id: consent is not given, so boxes show what is popular';
    events.replaceChildren(...memory.events.slice(-8).reverse().map(e => {
      const row = make('li');
      row.append(make('span', e.name), make('small', [e.count > 1 ? `${e.count} ×` : memory.titles[e.item] || e.item, ago(e.time)].filter(Boolean).join(' · ')));
      return row;
    }));
    if (!memory.events.length) events.append(make('li', 'none yet', 'none'));
  };

  const record = entry => {
    if (entry.type == 'identify') return;
    const products = entry.properties.products, item = entry.properties.product_id || products && products[0] && products[0].product_id;
    const name = entry.event || 'Page', last = memory.events[memory.events.length - 1];
    if (name == 'Page' && body.view) return;
    if (last && last.name == name && name == 'Impression') Object.assign(last, { count: last.count + 1, time: entry.timestamp });
    else memory.events.push({ name, item, time: entry.timestamp, count: 1 });
    memory.events = memory.events.slice(-12);
    show();
    remember();
  };

  const heading = placement => {
    const box = d.querySelector(`[data-tm-placement="${CSS.escape(placement)}"]`), title = box && box.closest('section') && box.closest('section').querySelector('h2');
    return title ? title.textContent : placement;
  };
  const explain = ({ placement, itemId, answer, elapsed }) => {
    const key = `${placement} ${itemId || ''}`, before = memory.boxes[key], now = answer.items.map(i => i.itemId);
    answer.items.forEach(i => { memory.titles[i.itemId] = i.title; });
    memory.boxes[key] = now;
    const section = make('section'), list = make('ol', '', 'answer');
    section.dataset.placement = placement;
    section.append(make('h3', heading(placement)), make('p', [`${Math.round(elapsed)} ms`, answer.rung, answer.degraded && 'degraded', answer.experiment && `${answer.experiment.name}: ${answer.experiment.arm}`].filter(Boolean).join(' · '), 'facts'), list);
    answer.items.forEach((item, i) => {
      const row = make('li'), was = before ? before.indexOf(item.itemId) : i;
      row.append(make('span', item.title || item.itemId));
      if (was < 0) row.append(make('b', 'new', 'entered'));
      else if (was != i) row.append(make('b', was > i ? `▲ ${was - i}` : `▼ ${i - was}`, was > i ? 'rose' : 'fell'));
      if (item.reason) row.append(make('small', item.reason));
      list.append(row);
    });
    const left = (before || []).filter(item => !now.includes(item));
    if (left.length) section.append(make('p', `Left: ${left.map(item => memory.titles[item] || item).join(', ')}`, 'left'));
    else if (before && before.join() == now.join()) section.append(make('p', 'Unchanged since the previous answer', 'left'));
    const old = answers.querySelector(`[data-placement="${CSS.escape(placement)}"]`);
    if (old) old.replaceWith(section); else answers.append(section);
    remember();
    show();
  };

  tm.on('track', record);
  tm.on('recommend', explain);
  tm.on('consent', () => { if (tm.version) { id = tm.anonymousId(); show(); } });
  tm.ready(() => {
    recall();
    show();
    if (consent) {
      consent.hidden = !!id || !!navigator.globalPrivacyControl;
      consent.addEventListener('click', e => {
        const choice = e.target.dataset.consent;
        if (!choice) return;
        e.preventDefault();
        consent.hidden = true;
        tm.consent(choice, { remember: true });
        if (choice == 'denied') post(consent.action, { csrf: panel.dataset.csrf, choice });
        id = tm.anonymousId();
        show();
        remember();
        again();
      });
    }
    const order = d.getElementById('order');
    if (order) tm.purchase(JSON.parse(order.textContent));
    if (body.view) {
      memory.titles[body.view] = d.querySelector('h1').textContent;
      tm.track('Product Viewed', { product_id: body.view });
    }
    if (id && (order || body.view)) again();
  });
  setInterval(show, 15000);

  // Into the cart without a reload; the form does the same without this script.
  d.addEventListener('submit', async e => {
    const form = e.target, item = form.dataset.add;
    if (!item) return;
    e.preventDefault();
    try {
      const answer = await post(form.action, new FormData(form));
      if (!answer.ok) throw Error(answer.status);
    } catch (error) { return form.submit(); }
    d.querySelectorAll('[data-cart-count]').forEach(el => { el.textContent = +el.textContent + 1; });
    tm.addToCart({ id: item, price: +form.dataset.price });
    note('In the cart.');
    again();
  });
})(document);
