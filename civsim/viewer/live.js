// The live page: a source that asks a server for each turn, and the panel with which its game is played.

const RATIO_STEPS = 40;

// Asks for the next turn when there is none; what the panel has changed since goes with the question.
class LiveSource extends PushSource {
  constructor(header, session) {
    super(header);
    this.token = session.token;
    this.over = false;
    this.pending = {};
    this.state = null;
    this.heard = [];
    this._bytes = null;
  }

  // A message of the server: the maps of all views in a row, XORed with the last ones unless they are fresh.
  async take(message) {
    const bytes = await inflate(message.maps);
    if (!message.fresh) for (let k = 0; k < bytes.length; k++) bytes[k] ^= this._bytes[k];
    this._bytes = bytes;
    this.over = message.over;
    this.state = message;
    this._keep(message.turn, bytes, message.notes);
    for (const listener of this.heard) listener(message);
  }

  more() {
    return this._inTurn(async () => {
      if (this.over) return false;
      const request = { turn: this.last, ...this.pending };
      this.pending = {};
      await this.take(await this._ask("/api/step", request));
      return true;
    });
  }

  reset(seed, world) {
    return this._inTurn(async () => {
      const message = await this._ask("/api/reset", { seed, world });
      this.pending = {};
      Object.assign(this.header, { seed: message.seed, world: message.world });
      this._clear();
      await this.take(message);
    });
  }

  // One question at a time: a second waits for the first to be answered.
  _inTurn(ask) {
    const asked = (this._last || Promise.resolve()).then(ask);
    this._last = asked.catch(() => {});
    return asked;
  }

  // The frames of a turn; one that is not the next begins anew, and the oldest go when there are too many.
  _keep(turn, bytes, notes) {
    if (this._notes.size === 0 || turn < this.first || turn > this.last + 1) {
      this._clear();
      this.first = turn;
    }
    this.last = turn;
    const length = mapBytes(this.header);
    for (const view of this.views) {
      this._notes.set(`${view}.${turn}`, notes[view]);
      this._maps.set(`${view}.${turn}`, planesOf(this.header, bytes, view * length));
    }
    if (turn - this.first >= MAPS_KEPT) {
      for (const view of this.views) for (const kept of [this._maps, this._notes]) kept.delete(`${view}.${this.first}`);
      this.first += 1;
    }
    for (const watcher of this._watchers) watcher();
  }

  async _ask(path, request) {
    const sent = { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ token: this.token, ...request }) };
    const answer = await fetch(path, sent).catch(() => {
      throw new Error("the server does not answer; is it still running?");
    });
    const message = await answer.json();
    if (!answer.ok) throw new Error(message.error);
    return message;
  }
}

// Sliders of the seats that are held, prices, and a new game.
class Panel {
  constructor(root, source, transport) {
    this.source = source;
    this.transport = transport;
    this.seat = source.header.held[0];
    this.weights = new Map();
    this.error = element("p", { class: "cv-error", role: "alert", hidden: true });
    this.head = element("div", { class: "cv-held" });
    this.sliders = element("div", { class: "cv-sliders" });
    this.prices = element("div", { class: "cv-sliders" });
    const shares = source.header.held.length ? card("Your shares", this.head, this.sliders) : null;
    const cards = [shares, card("Prices", this.prices), card("Another game", this._again())].filter(Boolean);
    root.append(this.error, ...cards);
    source.heard.push(() => this.update());
    this._build();
    this.update();
  }

  _build() {
    const { header } = this.source;
    this.back = element("button", { type: "button", class: "cv-back", onclick: () => this._giveBack() }, "give back to its policy");
    const tabs = header.held.map((seat) => element("button", { type: "button", "data-seat": seat, onclick: () => this._hold(seat) }, seatName(header, seat)));
    this.head.replaceChildren(...(tabs.length > 1 ? [element("div", { class: "cv-tabs" }, ...tabs)] : tabs.length ? [seatName(header, this.seat)] : []), this.back);
    this.tabs = tabs;
    this.inputs = header.categories.map(({ name, colour }, k) => this._slider(this.sliders, name, colour, { max: 1, step: 0.005, disabled: !header.open[k] }, () => this._moved()));
    const top = Math.log2(header.limits.price);
    this.priceInputs = header.priced.map((name) => this._slider(this.prices, `price of ${name}`, null, { min: -top, max: top, step: top / RATIO_STEPS }, () => this._priced()));
  }

  _slider(root, name, colour, limits, moved) {
    const input = element("input", { type: "range", min: 0, "aria-label": name, ...limits });
    input.addEventListener("input", moved);
    const value = element("output", {});
    const mark = colour ? element("i", { class: "cv-swatch", style: { background: colour } }) : null;
    root.append(element("label", {}, element("span", {}, mark, name), input, value));
    return { input, value };
  }

  _again() {
    const { header } = this.source;
    this.seed = element("input", { type: "text", inputmode: "numeric", value: header.seed, "aria-label": "seed", size: 8 });
    this.world = element("input", { type: "text", inputmode: "numeric", value: header.world, "aria-label": "world", size: 8 });
    const begin = element("button", { type: "button", class: "cv-begin", onclick: () => this._begin() }, "begin anew");
    return element("div", { class: "cv-again" }, element("label", {}, "seed ", this.seed), element("label", {}, "world ", this.world), begin);
  }

  // Run something that asks the server, and say what it refuses.
  async guarded(run) {
    try {
      const done = await run();
      this.error.hidden = true;
      return done;
    } catch (error) {
      this.transport.pause();
      this.error.textContent = error.message;
      this.error.hidden = false;
      return false;
    }
  }

  _hold(seat) {
    this.seat = seat;
    this.update();
  }

  _moved() {
    this.weights.set(this.seat, this.inputs.map(({ input }) => Number(input.value)));
    this._change("shares", this.seat, this.weights.get(this.seat));
    this._show();
  }

  _giveBack() {
    this.weights.delete(this.seat);
    this._change("shares", this.seat, null);
    this.update();
  }

  _change(field, seat, value) {
    this.source.pending[field] = { ...this.source.pending[field], [seat]: value };
  }

  _priced() {
    this.source.pending.prices = this.priceInputs.map(({ input }) => 2 ** Number(input.value));
    this._show();
  }

  async _begin() {
    await this.guarded(async () => {
      this.transport.pause();
      const world = this.world.value.trim();
      await this.source.reset(this.seed.value.trim(), /^[0-9]{1,10}$/.test(world) ? Number(world) : world);
      this.weights.clear();
      this.update();
      await this.transport.go(this.source.first);
    });
  }

  // Follow what the server plays next, but for what has been set here.
  update() {
    const { state } = this.source;
    if (!state) return;
    if (!state.byHand.length && !Object.keys(this.source.pending.shares || {}).length) this.weights.clear();
    const shares = this.weights.get(this.seat) || (state.shares[this.seat] || []).slice();
    shares.forEach((share, k) => (this.inputs[k].input.value = share));
    if (!this.source.pending.prices) state.prices.forEach((price, k) => (this.priceInputs[k].input.value = Math.log2(price)));
    this._show();
  }

  _show() {
    const { header } = this.source;
    const weights = this.inputs.map(({ input }, k) => (header.open[k] ? Number(input.value) : 0));
    const open = header.open.filter(Boolean).length;
    const whole = weights.reduce((sum, weight) => sum + weight, 0);
    this.inputs.forEach(({ value }, k) => (value.textContent = header.open[k] ? percent(whole ? weights[k] / whole : 1 / open) : "closed"));
    this.priceInputs.forEach(({ input, value }) => (value.textContent = `× ${(2 ** Number(input.value)).toFixed(2)}`));
    const byHand = this.weights.has(this.seat);
    this.back.hidden = !byHand;
    this.head.dataset.byHand = byHand;
    for (const tab of this.tabs) tab.setAttribute("aria-selected", String(Number(tab.dataset.seat) === this.seat));
  }
}

// Open the game of this page; `window.civsim.viewer` is the viewer once it stands, with its `panel`.
async function openLive(root) {
  const read = (id) => JSON.parse(document.getElementById(id).textContent);
  const source = new LiveSource(read("header"), read("session"));
  await source.take(read("first"));
  const stage = element("div", {});
  const side = element("aside", { class: "cv-panel", "aria-label": "your game" });
  root.replaceChildren(pageHead(source.header), element("div", { class: "cv-live" }, side, stage));
  const transport = new Transport(source);
  const viewer = new Viewer(stage, source, { transport });
  root.classList.add("civsim");
  viewer._colour.call({ root, source });
  viewer.panel = new Panel(side, source, transport);
  const more = source.more.bind(source);
  source.more = () => viewer.panel.guarded(more);
  await viewer.ready;
  root.dataset.ready = "true";
  return viewer;
}
