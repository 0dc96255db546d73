/* Tastemaker tracker 1.0. First-party events and recommendations; no dependency, no eval, no inline style, no HTML from data.

This file is the source; scripts/minify-tracker makes tracker.js from it.
Load with a stub (methods called before the file arrives are kept, and give promises):
  <script nonce="…">…the line of tracker.stub.js…
  tm.load("KEY",{endpoint:"https://shop.example",consent:"pending"})</script>
  <script async src="https://shop.example/tracker.js"></script>
or without inline script: <script async src="…/tracker.js" data-key="KEY" data-consent="pending" data-endpoint="…"></script>

Consent. pending (the default): events wait in memory, nothing is stored, read from storage or sent; boxes are filled by the place
and the item only, asked without any identifier. granted: the waiting events are kept and sent, boxes are filled again. denied, or
Global Privacy Control while respectGPC is not false: events are dropped, what was stored is removed, boxes as with pending.
consent("granted", {remember: true}) makes later pages that load with pending start as granted; denied forgets that.

Wire: POST {endpoint}/e, text/plain, {key, sentAt, batch: [{type, event, messageId, timestamp, anonymousId, userId, userSignature,
properties, context: {page, locale, screen, userAgentData, library, consent, gpc, rec: {id, placement, position}}}]}. type is page, track
or identify (its traits are the properties). Cards send the events Impression and Product Clicked with properties.product_id.
An event leaves the queue on 2xx, or on 400, 401, 403, 413 which no retry would change. A retry repeats its messageId. */
(w => {
  'use strict';
  const d = w.document, n = w.navigator, script = d.currentScript, early = w.tm && w.tm.q || [];
  const memory = {}, handlers = {}, boxes = new WeakMap(), seen = new Set(), watched = new Set(), timers = new Map();
  let key, options = {}, prefix, state, store = memory, tick = 0;           // the queue
  let timer, due, resumeAt = 0, failures = 0, sending = Promise.resolve();   // its delivery
  let here, referrer = d.referrer, scanning;                                 // the page

  const random = () => Array.from(crypto.getRandomValues(new Uint8Array(16)), b => (b + 256).toString(16).slice(1)).join('');
  const tab = random();
  const bytes = text => new TextEncoder().encode(text).length;
  const emit = (type, detail) => (handlers[type] || []).forEach(f => { try { f(detail); } catch (e) { setTimeout(() => { throw e; }); } });

  // Storage: one entry per event, so that tabs never rewrite each other's; memory takes what localStorage refuses.
  const local = () => { try { return options.cookie == 'memory' ? memory : w.localStorage || memory; } catch (e) { return memory; } };
  const get = name => store[prefix + name] || memory[prefix + name];
  const remove = name => { delete store[prefix + name]; delete memory[prefix + name]; };
  const put = (name, value) => { try { store[prefix + name] = value; } catch (e) { remove(name); memory[prefix + name] = value; } };
  const names = from => Object.keys(from).filter(k => k.startsWith(prefix)).map(k => k.slice(prefix.length));
  const events = () => names(store).concat(store == memory ? [] : names(memory)).filter(k => k.startsWith('e.')).sort();

  const writeCookie = (value, age) => { d.cookie = `tm_id=${value};path=/;samesite=lax;max-age=${age}` + (location.protocol == 'https:' ? ';secure' : ''); };
  const anonymousId = () => {
    if (state != 'granted') return;
    const cookie = options.cookie == 'first-party', kept = cookie && /(?:^|; )tm_id=([0-9a-f]{32})/.exec(d.cookie);
    const id = get('id') || kept && kept[1] || random();
    if (!get('id')) put('id', id);
    if (cookie && !kept) writeCookie(id, 31536e3);
    return id;
  };
  const user = () => JSON.parse(get('user') || '{}');

  const add = (type, event, properties, rec) => {
    if (state == 'denied') return;
    const entry = Object.assign({
      type, event, messageId: random(), timestamp: new Date().toISOString(), anonymousId: anonymousId(), properties: properties || {},
      context: {
        page: { path: location.pathname, referrer, title: d.title, url: location.href, search: location.search },
        locale: n.language, screen: { width: screen.width, height: screen.height }, userAgentData: n.userAgentData,
        library: { name: 'tastemaker', version: '1.0' }, consent: state, gpc: !!n.globalPrivacyControl, rec
      }
    }, user());
    const text = JSON.stringify(entry), queue = events();
    if (bytes(text) > 32e3) return emit('drop', entry);
    let size = queue.reduce((sum, k) => sum + get(k).length, text.length);
    while (queue.length > 199 || queue.length && size > 1e5) {
      const oldest = queue.shift();
      size -= get(oldest).length;
      remove(oldest);
    }
    tick = Math.max(tick + 1, Date.now() * 1e3);
    put('e.' + tick.toString(36) + tab.slice(0, 6), '0|' + text);
    emit('track', entry);
    schedule(queue.length > 8 ? 0 : 2e3);
  };

  // Delivery. An entry reads "not before|event": the mark keeps other tabs and the closing page from sending what is under way.
  const take = () => {
    const now = Date.now(), batch = [];
    let size = 0;
    for (const name of events()) {
      const value = get(name) || '', bar = value.indexOf('|'), text = value.slice(bar + 1);
      if (parseInt(name.slice(2, 12), 36) < (now - 6048e5) * 1e3) remove(name);
      else if (+value.slice(0, bar) <= now && text) {
        if ((size += bytes(text) + 1) > 58e3) break;
        put(name, now + 15e3 + '|' + text);
        batch.push({ name, text });
      }
    }
    return batch;
  };
  const post = async (batch, leaving) => {
    const url = options.endpoint + '/e', abort = new AbortController(), limit = setTimeout(() => abort.abort(), 1e4);
    const body = `{"key":${JSON.stringify(key)},"sentAt":"${new Date().toISOString()}","batch":[${batch.map(e => e.text)}]}`;
    let wait = 0;
    try {
      const r = await fetch(url, { method: 'POST', body, keepalive: true, credentials: 'omit', signal: abort.signal });
      if (r.ok || [400, 401, 403, 413].includes(r.status)) {
        batch.forEach(e => remove(e.name));
        failures = 0;
        emit(r.ok ? 'sent' : 'refused', r);
        return true;
      }
      const after = r.headers.get('retry-after');
      wait = after && (after > 0 ? after * 1e3 : new Date(after) - Date.now()) || 0;
    } catch (e) {
      if (leaving && n.sendBeacon && n.sendBeacon(url, new Blob([body], { type: 'text/plain' }))) return;
    } finally { clearTimeout(limit); }
    resumeAt = Date.now() + Math.max(wait, Math.min(2 ** failures++, 300) * 1e3 + Math.random() * 500);
    batch.forEach(e => put(e.name, (wait && resumeAt) + '|' + e.text));
  };
  const drain = async () => {
    for (let batch; Date.now() >= resumeAt && (batch = take()).length && await post(batch););
    if (events().length) schedule(2e3);
  };
  // Where there are no Web Locks (plain http), a lease key.
  const lease = async () => {
    const held = (get('lease') || '').split('|');
    if (held[0] > Date.now() && held[1] != tab) return schedule(500);
    put('lease', Date.now() + 12e3 + '|' + tab);
    await new Promise(r => setTimeout(r, 20 + Math.random() * 40));
    if (!(get('lease') || '').endsWith(tab)) return schedule(500);
    await drain();
    remove('lease');
  };
  const flush = () => sending = sending.then(() => {
    if (state == 'granted' && events().length) {
      return store == memory ? drain() : n.locks ? n.locks.request(prefix, { ifAvailable: true }, lock => lock ? drain() : schedule(500)) : lease();
    }
  }).catch(() => schedule(2e3));
  const schedule = delay => {
    const at = Math.max(Date.now() + delay, resumeAt);
    if (state != 'granted' || timer && at >= due) return;
    clearTimeout(timer);
    due = at;
    timer = setTimeout(() => { timer = 0; flush(); }, at - Date.now());
  };
  const leave = () => {
    timers.forEach(clearTimeout);
    timers.clear();
    if (state != 'granted') return;
    if ((get('lease') || '').endsWith(tab)) remove('lease');
    for (let batch; (batch = take()).length;) post(batch, true);
  };

  const consent = (value, how) => {
    const before = state;
    state = options.respectGPC !== false && n.globalPrivacyControl ? 'denied' : value;
    if (state == 'granted' && before != state) {
      store = local();
      names(memory).forEach(name => {
        const value = memory[prefix + name];
        delete memory[prefix + name];
        if (!name.startsWith('e.')) return put(name, value);
        const entry = Object.assign(JSON.parse(value.slice(2)), { anonymousId: anonymousId() });
        entry.context.consent = state;
        put(name, '0|' + JSON.stringify(entry));
      });
      if (how && how.remember) put('consent', state);
      schedule(0);
      if (before) refresh();
    } else if (state == 'denied') {
      store = local();
      names(store).concat(names(memory)).forEach(remove);
      if (/(^|; )tm_id=/.test(d.cookie)) writeCookie('', 0);
      store = memory;
    }
    emit('consent', state);
  };

  // Recommendations
  const recommend = async o => {
    const q = new URLSearchParams({ key }), start = performance.now(), id = anonymousId(), known = id ? user() : {};
    const abort = new AbortController(), limit = setTimeout(() => abort.abort(), 5e3);
    if (id) q.set('anonymousId', id);
    if (known.userSignature) { q.set('userId', known.userId); q.set('userSignature', known.userSignature); }
    if (o.itemId) q.set('itemId', o.itemId);
    if (o.count) q.set('count', o.count);
    try {
      const r = await fetch(`${options.endpoint}/v1/placements/${encodeURIComponent(o.placement)}/recommendations?${q}`, { credentials: 'omit', signal: abort.signal });
      if (!r.ok) throw Error(o.placement + ': HTTP ' + r.status);
      const answer = await r.json();
      emit('recommend', { placement: o.placement, itemId: o.itemId, answer, elapsed: performance.now() - start });
      return answer;
    } finally { clearTimeout(limit); }
  };
  const safe = value => { try { return /^https?:$/.test(new URL(value, location.href).protocol); } catch (e) { return false; } };
  const price = item => {
    try { return new Intl.NumberFormat(d.documentElement.lang || undefined, { style: 'currency', currency: item.currency }).format(item.price); } catch (e) { return item.price; }
  };
  const field = (item, name) => name == 'price' && item.price ? price(item) : item[name];
  const card = item => {
    const make = (tag, name) => Object.assign(d.createElement(tag), { className: 'tm-' + name });
    const root = make(item.link && safe(item.link) ? 'a' : 'div', 'card');
    if (root.href === '') root.href = item.link;
    if (item.image && safe(item.image)) root.append(Object.assign(make('img', 'image'), { alt: '', loading: 'lazy', src: item.image }));
    ['title', 'price', 'reason'].forEach(name => { if (item[name]) root.append(Object.assign(make('span', name), { textContent: field(item, name) })); });
    return root;
  };
  const clone = (template, item) => {
    const root = template.content.cloneNode(true).firstElementChild, all = s => [root, ...root.querySelectorAll(s)].filter(e => e.matches(s));
    all('[data-tm-field]').forEach(e => {
      const value = field(item, e.dataset.tmField);
      e.hidden = value == null || value === '';
      e.textContent = e.hidden ? '' : value;
    });
    all('[data-tm-attr]').forEach(e => e.dataset.tmAttr.split(/[\s,]+/).forEach(pair => {
      const [name, from] = pair.split(':'), value = item[from];
      if (value && (/^(alt|title|aria-label)$/.test(name) || /^(href|src)$/.test(name) && safe(value))) e.setAttribute(name, value);
    }));
    return root;
  };
  // Fills el, or leaves what the server put there and answers null.
  const render = async (el, o) => {
    el = typeof el == 'string' ? d.querySelector(el) : el;
    const turn = {};
    boxes.set(el, turn);
    try {
      const answer = await recommend(o), own = o.template, template = typeof own == 'string' ? d.querySelector(own) : own;
      if (boxes.get(el) != turn) return answer;
      if (!answer.items.length) throw Error(o.placement + ': no items');
      const nodes = answer.items.map((item, i) => {
        const node = typeof template == 'function' ? template(item, i, answer) : template ? clone(template, item) : card(item);
        if (node.dataset) {
          node.dataset.tmItem = item.itemId;
          node.dataset.tmRec = answer.recommendationId;
          node.dataset.tmPosition = item.position == null ? i : item.position;
        }
        if (!/^[UO]L$/.test(el.tagName) || node.tagName == 'LI') return node;
        const li = d.createElement('li');
        li.append(node);
        return li;
      });
      el.replaceChildren(...nodes);
      el.dataset.tmPlacement = o.placement;
      el.dataset.tmState = 'filled';
      return answer;
    } catch (e) {
      if (boxes.get(el) != turn) return null;
      el.dataset.tmState = 'failed';
      if (typeof o.fallback == 'function') o.fallback(el, e);
      emit('error', e);
      return null;
    }
  };
  const fill = el => {
    const s = el.dataset;
    return render(el, { placement: s.tmPlacement, itemId: s.tmItemId, count: s.tmCount, template: s.tmTemplate });
  };
  const each = (selector, f) => Array.from(d.querySelectorAll(selector), f);
  const refresh = () => Promise.all(each('[data-tm-placement]:not([data-tm-manual])', fill));

  // Cards: an impression is half of the card in view for a second, once per recommendation, item and page view.
  const about = el => {
    const box = el.closest('[data-tm-placement]'), rec = el.closest('[data-tm-rec]'), at = el.dataset.tmPosition;
    return {
      id: rec ? rec.dataset.tmRec : undefined, placement: box ? box.dataset.tmPlacement : undefined,
      position: at ? +at : box ? [...box.querySelectorAll('[data-tm-item]')].indexOf(el) : undefined
    };
  };
  const impression = (what, context) => {
    if (what.nodeType) return (what.dataset.tmItem ? [what] : what.querySelectorAll('[data-tm-item]')).forEach(el => impression(el.dataset.tmItem, about(el)));
    [].concat(what).forEach((item, i) => {
      const rec = Object.assign({ position: i }, context), mark = rec.id + ' ' + item;
      if (!seen.has(mark)) add('track', 'Impression', { product_id: item }, rec);
      seen.add(mark);
    });
  };
  const click = (item, rec) => { add('track', 'Product Clicked', { product_id: item }, rec); flush(); };
  const observer = w.IntersectionObserver && new IntersectionObserver(list => list.forEach(e => {
    clearTimeout(timers.get(e.target));
    if (e.intersectionRatio >= .5 && !d.hidden) timers.set(e.target, setTimeout(() => { observer.unobserve(e.target); impression(e.target); }, 1e3));
  }), { threshold: .5 });
  const watchAgain = () => watched.forEach(el => {
    observer.unobserve(el);
    if (el.isConnected) observer.observe(el); else watched.delete(el);
  });
  const scan = () => {
    scanning = 0;
    each('[data-tm-placement]:not([data-tm-rec]):not([data-tm-manual])', el => { if (!boxes.has(el)) fill(el); });
    if (observer) each('[data-tm-item]', el => { if (!watched.has(el)) { watched.add(el); observer.observe(el); } });
  };
  const clicked = e => {
    const el = e.target.closest && e.target.closest('a[href],button,[data-tm-item]'), item = el && el.closest('[data-tm-item]');
    // A button on a card, or the card's rim around its link, is no click on the product.
    if (item && e.button < 2 && (el == item ? !el.querySelector('a[href]') : el.tagName != 'BUTTON')) click(item.dataset.tmItem, about(item));
  };

  const page = (category, name, properties) => {
    if (category && typeof category == 'object') properties = category, category = undefined;
    add('page', name, Object.assign({ category, name }, properties));
  };
  const moved = counts => {
    const before = here;
    here = location.href.split('#')[0];
    if (before == here || !counts) return;
    seen.clear();
    setTimeout(() => { referrer = before; page(); watchAgain(); });
  };
  const spa = () => {
    ['pushState', 'replaceState'].forEach(name => {
      const original = history[name];
      history[name] = function () {
        const path = location.pathname;
        original.apply(this, arguments);
        moved(name == 'pushState' || path != location.pathname);
      };
    });
    w.addEventListener('popstate', moved);
  };
  const start = () => {
    here = location.href.split('#')[0];
    if (options.autoPage !== false) Promise.resolve().then(() => page());
    if (options.spa !== false) spa();
    d.addEventListener('click', clicked, true);
    d.addEventListener('auxclick', clicked, true);
    d.addEventListener('visibilitychange', () => { if (d.hidden) leave(); else { watchAgain(); flush(); } });
    w.addEventListener('pagehide', leave);
    w.addEventListener('pageshow', e => { if (e.persisted) { seen.clear(); page(); watchAgain(); } });
    w.addEventListener('online', () => { resumeAt = failures = 0; flush(); });
    const ready = () => {
      scan();
      new MutationObserver(() => { scanning = scanning || setTimeout(scan, 50); }).observe(d.documentElement, { childList: true, subtree: true });
      emit('ready', tm);
    };
    if (d.readyState == 'loading') d.addEventListener('DOMContentLoaded', ready); else setTimeout(ready);
  };

  const product = i => Object.assign({}, i, { product_id: i.product_id || i.id || i.itemId, quantity: i.quantity || i.qty || 1, id: undefined, itemId: undefined, qty: undefined });
  const api = {
    version: '1.0', page, recommend, refresh, render, impression, click, flush, consent, anonymousId,
    track(event, properties, how) { add('track', event, properties, how && how.rec); },
    identify(userId, traits, how) {
      put('user', JSON.stringify({ userId, userSignature: how && how.signature }));
      add('identify', undefined, traits);
    },
    reset() { remove('user'); remove('id'); if (options.cookie == 'first-party') writeCookie('', 0); },
    ready(f) { if (d.readyState == 'loading') api.on('ready', f); else f(tm); },
    on(type, f) { (handlers[type] = handlers[type] || []).push(f); },
    addToCart(item) { add('track', 'Product Added', product(item)); flush(); },
    purchase(o) {
      add('track', 'Order Completed', { order_id: o.orderId, total: o.total, currency: o.currency, products: (o.items || []).map(product) });
      flush();
    },
    load(k, o) {
      if (key) return;
      key = k;
      options = Object.assign({ endpoint: script && script.src && new URL(script.src).origin, consent: 'pending' }, o);
      options.endpoint = (options.endpoint || '').replace(/\/$/, '');
      prefix = 'tm.' + key + '.';
      Object.assign(tm, api);
      consent(options.consent == 'pending' && local()[prefix + 'consent'] || options.consent);
      early.splice(0).forEach(call => { if (call[0] != 'load') call[2](tm[call[0]].apply(tm, call[1])); });
      if (d.prerendering) d.addEventListener('prerenderingchange', start, { once: true }); else start();
    }
  };
  const tm = w.tm = Object.assign(w.tm || {}, { load: api.load });
  const first = early.find(call => call[0] == 'load'), data = script && script.dataset;
  if (first) tm.load.apply(tm, first[1]); else if (data && data.key) tm.load(data.key, Object.assign({}, data));
})(window);
