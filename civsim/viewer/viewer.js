// The page: a transport that moves through the turns, and viewers that show a source at the turn it stands at.

const SPEEDS = [1, 2, 5, 10, 20, 60];
const TICKED = ["taken", "held", "sacked", "fallen"];

// Where in time we are. Panes are whatever has `show(turn)`, a promise that is kept when the turn has been painted.
class Transport {
  constructor(source) {
    this.source = source;
    this.turn = source.first;
    this.speed = 10;
    this.playing = false;
    this.panes = [];
    this.watchers = [];
  }

  get first() {
    return this.source.first;
  }

  get last() {
    return this.source.last;
  }

  async go(turn) {
    this.turn = Math.max(this.first, Math.min(this.last, turn));
    await Promise.all(this.panes.map((pane) => pane.show(this.turn)));
    this.notify();
  }

  notify() {
    for (const watcher of this.watchers) watcher(this);
  }

  pause() {
    this.playing = false;
    this.notify();
  }

  // Stop playing and stand at a turn.
  jump(turn) {
    this.playing = false;
    return this.go(turn);
  }

  async step(count) {
    this.pause();
    if (count > 0 && this.turn >= this.last && this.source.more) await this.source.more();
    await this.go(this.turn + count);
  }

  async toggle() {
    if (this.playing) {
      this.pause();
      return;
    }
    if (this.turn >= this.last && !this.source.more) await this.go(this.first);
    this.playing = true;
    this.notify();
    await this._run();
  }

  async _run() {
    let due = performance.now();
    while (this.playing) {
      const ended = this.turn >= this.last && !(this.source.more && (await this.source.more()));
      if (ended || !this.playing) break;
      await this.go(this.turn + 1);
      due = Math.max(due + 1000 / this.speed, performance.now() - 1000 / this.speed);
      await until(due);
    }
    this.pause();
  }
}

// Kept at the first picture that is due then.
function until(due) {
  return new Promise((keep) => {
    const look = (now) => (now >= due - 3 ? keep() : requestAnimationFrame(look));
    requestAnimationFrame(look);
  });
}

const GLYPHS = {
  first: "M4 3h2v10H4zM13 3v10L7 8z",
  back: "M11 3v10L4.500 8z",
  play: "M4.500 2.500v11l9-5.500z",
  pause: "M4 3h3v10H4zM9 3h3v10H9z",
  on: "M5 3v10l6.500-5z",
  last: "M10 3h2v10h-2zM3 3v10l6-5z",
  theme: "M8 1.500a6.500 6.500 0 1 0 0 13a6.500 6.500 0 0 0 0-13zM8 3.200a4.800 4.800 0 0 1 0 9.600z",
};

function glyph(name) {
  const made = svg("svg", { viewBox: "0 0 16 16", class: "cv-glyph", "aria-hidden": "true" });
  made.append(svg("path", { d: GLYPHS[name] }));
  return made;
}

// Buttons, scrubber and keys of a transport.
class Controls {
  constructor(root, transport) {
    this.transport = transport;
    const button = (label, icon, click) => element("button", { type: "button", title: label, "aria-label": label, onclick: click }, glyph(icon));
    this.play = button("play or pause (space)", "play", () => transport.toggle());
    this.play.classList.add("cv-play");
    this.scrubber = element("input", { type: "range", class: "cv-scrubber", "aria-label": "turn", step: 1 });
    this.scrubber.addEventListener("input", () => transport.jump(Number(this.scrubber.value)));
    this.ticks = element("canvas", { class: "cv-ticks", height: 8, "aria-hidden": "true" });
    this.label = element("output", { class: "cv-turn" });
    this.speed = element("select", { "aria-label": "turns a second", title: "turns a second" }, ...SPEEDS.map((speed) => element("option", { value: speed, selected: speed === transport.speed }, `${speed}/s`)));
    this.speed.addEventListener("change", () => (transport.speed = Number(this.speed.value)));
    const row = element("div", { class: "cv-buttons" }, button("first turn (Home)", "first", () => transport.step(-Infinity)), button("one turn back (←)", "back", () => transport.step(-1)), this.play, button("one turn on (→)", "on", () => transport.step(1)), button("last turn (End)", "last", () => transport.step(Infinity)), this.label, this.speed);
    root.append(element("div", { class: "cv-track" }, this.ticks, this.scrubber), row);
    transport.watchers.push(() => this.update());
    this.update();
  }

  update() {
    const { first, last, turn, playing, source } = this.transport;
    Object.assign(this.scrubber, { min: first, max: last });
    this.scrubber.value = turn;
    this.scrubber.setAttribute("aria-valuetext", `turn ${turn}`);
    this.label.textContent = `turn ${turn} of ${source.more ? source.header.length : last}`;
    if (this.play.getAttribute("aria-pressed") === String(playing)) return;
    this.play.replaceChildren(glyph(playing ? "pause" : "play"));
    this.play.setAttribute("aria-pressed", String(playing));
  }

  // Ticks over the scrubber where a view tells of battles, sacks and falls.
  drawTicks(source, view) {
    const canvas = this.ticks;
    const width = Math.max(1, Math.round(canvas.clientWidth * (window.devicePixelRatio || 1)));
    canvas.width = width;
    const g = canvas.getContext("2d");
    const { first, last, header } = source;
    const room = width - 16 * (window.devicePixelRatio || 1);
    for (let turn = first; turn <= last; turn++) {
      const events = (source.note(turn, view) || { events: [] }).events.filter(([kind]) => TICKED.includes(header.events[kind].name));
      if (!events.length) continue;
      g.fillStyle = header.events[events[events.length - 1][0]].tick;
      const x = (width - room) / 2 + ((turn - first) / Math.max(1, last - first)) * room;
      g.fillRect(Math.round(x) - 1, 0, 2, canvas.height);
    }
  }

  key(event) {
    const { transport } = this;
    const moves = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity };
    if (event.key === " ") transport.toggle();
    else if (event.key in moves) transport.step(moves[event.key]);
    else return false;
    return true;
  }
}

// One source: tabs of its views, map, table, charts. Options: `transport` to share one, `controls: false` to have none.
class Viewer {
  constructor(root, source, options = {}) {
    this.root = root;
    this.source = source;
    this.view = source.views[0];
    this.transport = options.transport || new Transport(source);
    this._last = source.last;
    root.classList.add("civsim");
    this._colour();
    this._build(options);
    this.transport.panes.push(this);
    this.charts.draw(this.view);
    new ResizeObserver(() => this._fit()).observe(this.stage);
    if (source.onChange) source.onChange(() => this._grown());
    this.ready = this.transport.go(this.transport.turn).then(() => this.controls && this.controls.drawTicks(source, this.view));
  }

  _build({ controls = true, keys = true }) {
    const { header, views } = this.source;
    this.canvas = element("canvas", { class: "cv-map", role: "img" });
    this.map = new MapView(this.canvas, header);
    this.tip = element("div", { class: "cv-tip", hidden: true });
    this.stage = element("div", { class: "cv-stage" }, this.canvas, this.tip);
    this.tabs = element("div", { class: "cv-tabs", role: "tablist", "aria-label": "views" }, ...views.map((view) => this._tab(view)));
    this.caption = element("p", { class: "cv-caption" });
    const bar = element("div", { class: "cv-controls" });
    const side = element("div", { class: "cv-side" });
    const charts = element("div", { class: "cv-charts" });
    const left = element("div", { class: "cv-left" }, this.stage, bar);
    const below = element("div", { class: "cv-foot" }, charts, legend(header));
    this.ages = element("input", { type: "checkbox", onchange: () => this._age(this.ages.checked) });
    this.aged = element("label", { class: "cv-ages", title: "key a", hidden: true }, this.ages, "ages");
    this.root.append(element("div", { class: "cv-views" }, this.tabs, this.caption, this.aged), element("div", { class: "cv-main" }, left, side, below));
    this.side = new Side(side, this.source);
    this.charts = new Charts(charts, this.source, (turn) => this.transport.jump(turn));
    this.controls = controls ? new Controls(bar, this.transport) : null;
    if (keys) document.addEventListener("keydown", (event) => this._key(event));
    for (const kind of ["pointermove", "pointerdown"]) this.canvas.addEventListener(kind, (event) => this._hover(event));
    this.canvas.addEventListener("pointerleave", () => this._unhover());
  }

  _tab(view) {
    const { header } = this.source;
    const seat = seatOf(header, view);
    const province = provinceOf(header, view);
    const name = view ? [swatch(seat), header.seats[seat].name, element("small", {}, province ? `province ${province}` : header.seats[seat].policy)] : ["Truth"];
    return element("button", { type: "button", role: "tab", "data-view": view, title: `key ${view}`, onclick: () => this.look(view) }, element("kbd", {}, view), ...name);
  }

  _colour() {
    this.source.header.seats.forEach((seat, k) => {
      this.root.style.setProperty(`--map-${k}`, seat.map);
      this.root.style.setProperty(`--seat-${k}`, `light-dark(${seat.light}, ${seat.dark})`);
    });
  }

  async look(view) {
    if (!this.source.views.includes(view)) return;
    this.view = view;
    this.charts.draw(view);
    if (this.controls) this.controls.drawTicks(this.source, view);
    await this.show(this.transport.turn);
  }

  async show(turn) {
    const wanted = (this._wanted = Symbol("frame"));
    const frame = await this.source.frame(turn, this.view);
    if (wanted !== this._wanted) return;
    this.frame = frame;
    if (!this.map.side) this._fit(false);
    this._paint();
  }

  _paint() {
    const { frame, source } = this;
    this.map.paint(frame);
    this.side.show(frame);
    this.charts.mark(frame.turn);
    for (const tab of this.tabs.children) tab.setAttribute("aria-selected", String(Number(tab.dataset.view) === frame.view));
    const seat = frame.view ? viewWords(source.header, frame) : null;
    this.caption.textContent = seat ? `What ${seat} knows. Land dims as its memory ages; hatched land it has never seen, and shows what it expects there.` : "The world as it is. No civilization sees all of it.";
    this.aged.hidden = !frame.view;
    this.canvas.setAttribute("aria-label", `map, ${seat ? `as ${seat} believes it` : "as it is"}, turn ${frame.turn}`);
    this._tell();
  }

  _fit(paint = true) {
    const room = this.stage.clientWidth;
    if (!room) return;
    const height = Math.max(240, Math.min(window.innerHeight * 0.8, room * 1.6));
    if (this.map.fit(room, height) && paint && this.frame) this.map.paint(this.frame);
    if (this.controls) this.controls.drawTicks(this.source, this.view);
  }

  // More turns have come, or others: who stood at the last one goes on to it. Charts are redrawn at most four times a
  // second.
  _grown() {
    const { transport, source } = this;
    const stood = transport.turn === this._last && !source.more;
    this._last = source.last;
    if (stood || transport.turn > source.last || transport.turn < source.first) transport.go(source.last);
    else transport.notify();
    if (this._redraw) return;
    this._redraw = setTimeout(() => {
      this._redraw = null;
      this.charts.draw(this.view);
      if (this.controls) this.controls.drawTicks(this.source, this.view);
    }, 250);
  }

  _hover(event) {
    this.map.hovered = this.map.cellAt(event);
    const box = this.stage.getBoundingClientRect();
    this._pointer = [event.clientX - box.left, event.clientY - box.top, box.width];
    this.map.paint(this.frame);
    this._tell();
  }

  // Write on each cell how old what is known of it is, or do not.
  _age(wanted) {
    this.map.ages = this.ages.checked = wanted;
    this.ages.blur(); // keys are the page's
    if (this.frame) this.map.paint(this.frame);
  }

  _unhover() {
    this.map.hovered = -1;
    this.map.paint(this.frame);
    this._tell();
  }

  _tell() {
    const cell = this.map.hovered;
    this.tip.hidden = cell < 0;
    if (cell < 0) return;
    const [first, ...rest] = cellWords(this.source.header, this.frame, cell);
    this.tip.replaceChildren(element("b", {}, first), ...rest.map((line) => element("div", {}, line)));
    const [x, y, width] = this._pointer;
    const right = x > width / 2;
    Object.assign(this.tip.style, { top: `${y + 14}px`, left: right ? "auto" : `${x + 14}px`, right: right ? `${width - x + 14}px` : "auto" });
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = event.target.tagName;
    if (name === "SELECT" || name === "TEXTAREA" || (name === "INPUT" && (event.target.type !== "range" || event.key !== " "))) return;
    if (name === "BUTTON" && event.key === " ") event.target.blur();
    const digit = /^[0-9]$/.test(event.key) ? Number(event.key) : -1;
    const view = this.source.views.includes(digit);
    const ages = event.key === "a" && !this.aged.hidden;
    if (view) this.look(digit);
    if (ages) this._age(!this.map.ages);
    if (view || ages || (this.controls && this.controls.key(event))) event.preventDefault();
  }
}

// What the marks mean, drawn by what draws them on the map.
function legend(header) {
  const side = 26;
  const ratio = 2;
  const marks = new Marks(header);
  const item = (text, name, ...look) => {
    const canvas = element("canvas", { width: side * ratio, height: side * ratio, style: { width: `${side}px`, height: `${side}px` } });
    const context = canvas.getContext("2d");
    context.fillStyle = "#8d8f63";
    context.fillRect(0, 0, side * ratio, side * ratio);
    marks.stamp(context, 0, 0, side * ratio, name, ...look);
    return element("li", {}, canvas, text);
  };
  const events = header.events.filter(({ name }) => name in EVENT_ICONS).map(({ name, text, colour }) => item(text, "event", name, colour));
  const items = [
    item("capital", "capital", 0),
    ...(header.thinkers.some((one) => one && one[1]) ? [item("another seat of thought", "office", 0, false), item("the one whose knowledge is shown", "office", 0, true)] : []),
    item("rich site", "site", 0),
    item("site in its low state", "site", 1),
    item("works, by their number; hollow: under way", "works", 2, 1),
    item("wall, thicker where stronger", "wall", 2),
    item("disrupted: gives nothing now", "idle"),
    item("settlers on their way here", "party", 0),
    item("raiders", "band", 0),
    item("raiders, where last seen", "band", 4),
    ...events,
  ];
  return element("details", { class: "cv-legend" }, element("summary", {}, "Legend and keys"), element("ul", {}, ...items), element("p", { class: "cv-quiet" }, "Space plays, ← and → step, Home and End jump, 0 shows the truth and 1 to ", Math.min(9, header.views.length - 1), " a seat's beliefs, a how old they are. Pointing at a cell tells what stands there; clicking in a chart goes to that turn. The white line is the plan that a civilization follows."));
}

// A switch between light and dark; without it the page is as the reader's device is.
function themeButton(root) {
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches);
  return element("button", { type: "button", class: "cv-theme", title: "light or dark", "aria-label": "light or dark", onclick: () => (root.dataset.theme = dark() ? "light" : "dark") }, glyph("theme"));
}

function pageHead(header) {
  const where = `${header.scenario} · seed ${header.seed} · world ${header.world} · ${header.length} turns`;
  return element("header", { class: "cv-head" }, element("div", {}, element("h1", {}, header.title), element("p", {}, header.description), element("p", { class: "cv-quiet" }, where)), themeButton(document.documentElement));
}

// Open the document that the page holds; `window.civsim.viewer` is the viewer once it stands.
async function openReplay(root, parts) {
  try {
    const source = await ReplaySource.open(parts);
    root.replaceChildren(pageHead(source.header));
    const viewer = new Viewer(root, source);
    await viewer.ready;
    root.dataset.ready = "true";
    performance.mark("ready");
    return viewer;
  } catch (error) {
    root.replaceChildren(element("p", { class: "cv-error" }, `This replay cannot be shown: ${error.message}`));
    throw error;
  }
}
