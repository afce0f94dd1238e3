// Two games of one world side by side under one scrubber: where they part, who gained which cell, and by how much.

const COMPARISON = "civsim-comparison";
const LONG_AGO = 1 << 20;

// Charts whose lines may be below 0, with 0 marked. `mark` and the rest are a chart's.
class DifferenceChart extends Chart {
  y(value) {
    const share = (value - this.least) / (this.most - this.least);
    return CHART.height - CHART.bottom - share * (CHART.height - CHART.top - CHART.bottom);
  }

  draw(lines, first, length) {
    this.width = this.svg.clientWidth || this.width || 2 * CHART.height;
    const values = lines.flatMap((line) => line.values);
    const step = ticks(Math.max(...values.map(Math.abs), 1e-9), 2)[1];
    const below = Math.ceil(-Math.min(0, ...values) / step - 1e-9);
    const above = Math.max(Math.ceil(Math.max(0, ...values) / step - 1e-9), below ? 0 : 1);
    Object.assign(this, { lines, first, length, stacked: false, least: -below * step, most: above * step });
    this.svg.replaceChildren();
    for (let k = -below; k <= above; k++) this._gridLine(Number((k * step).toPrecision(6)));
    for (const turn of ticks(length, 4).filter((one) => one >= first && one <= length)) {
      this.svg.append(svg("text", { x: this.x(turn), y: CHART.height - 5, class: "cv-tick", "text-anchor": turn === length ? "end" : "middle" }, turn));
    }
    for (const line of lines) this.svg.append(this._line(line));
    if (this.turn !== undefined) this.mark(this.turn);
  }

  _gridLine(value) {
    this.svg.append(svg("line", { x1: CHART.left, x2: this.width - CHART.right, y1: this.y(value), y2: this.y(value), class: value ? "cv-grid" : "cv-axis" }));
    this.svg.append(svg("text", { x: CHART.left - 5, y: this.y(value) + 3, class: "cv-tick", "text-anchor": "end" }, signed(value)));
  }
}

function signed(value) {
  const size = Math.abs(value) >= 1e4 ? compact(Math.abs(value)) : number(Math.abs(value));
  return value > 0 ? `+${size}` : value < 0 ? `−${size}` : "0";
}

// The map of who gained what: land of one owner in both games is dim, a gained cell has the colour of who holds it in the
// second game, and one that its holder lost to nobody is crossed in that holder's colour.
class GainMap {
  constructor(root, source, parts, gains) {
    this.source = source;
    this.gains = gains;
    this.lost = parts.lost;
    this.canvas = element("canvas", { class: "cv-map", role: "img" });
    this.stage = element("div", { class: "cv-stage" }, this.canvas);
    root.append(this.stage);
    this.map = new MapView(this.canvas, source.header);
    new ResizeObserver(() => this._fit()).observe(this.stage);
  }

  async show(turn) {
    const wanted = (this._wanted = Symbol("frame"));
    const frame = await this.source.frame(turn, 0);
    if (wanted !== this._wanted) return;
    this.turn = turn;
    const gains = this.gains[turn - this.source.first];
    const none = new Uint8Array(gains.length);
    const map = { ...frame.map, works: none, wall: none, flags: none, province: none };
    map.owner = gains.map((gain) => (gain > this.lost ? 0 : gain));
    map.seen = Uint16Array.from(gains, (gain) => (gain ? 1 : 2));
    this.frame = { turn: LONG_AGO, view: 0, map, note: { parties: [], capitals: [], bands: [], events: [] } };
    this.crossed = [...gains.keys()].filter((cell) => gains[cell] > this.lost).map((cell) => [cell, gains[cell] - this.lost - 1]);
    this.canvas.setAttribute("aria-label", `cells that changed hands, turn ${turn}`);
    if (!this.map.side) this._fit(false);
    this._paint();
  }

  _paint() {
    const { map, frame } = this;
    map.paint(frame);
    const { context: g, side } = map;
    g.lineWidth = Math.max(2, side * 0.14);
    for (const [cell, seat] of this.crossed) {
      const [x, y] = map.corner(cell);
      g.strokeStyle = this.source.header.seats[seat].map;
      g.beginPath();
      for (const [from, to] of [[0.22, 0.78], [0.78, 0.22]]) {
        g.moveTo(x + from * side, y + 0.22 * side);
        g.lineTo(x + to * side, y + 0.78 * side);
      }
      g.stroke();
    }
  }

  _fit(paint = true) {
    const room = this.stage.clientWidth;
    if (room && this.map.fit(room, Math.max(240, window.innerHeight * 0.7)) && paint && this.frame) this._paint();
  }
}

class Comparison {
  constructor(root, parts, sources, gains, difference) {
    Object.assign(this, { root, parts, sources, difference });
    const [one] = sources;
    this.header = one.header;
    this.transport = new Transport({ first: one.first, last: one.last, header: this.header });
    root.classList.add("civsim", "cv-compare");
    Viewer.prototype._colour.call({ source: one, root });
    root.replaceChildren(this._head());
    this._games();
    this._bar();
    this._below(gains);
    document.addEventListener("keydown", (event) => this._key(event));
    this.transport.watchers.push(() => this._update());
    this.ready = this.transport.go(one.first).then(() => this._ticks());
    new ResizeObserver(() => this._ticks()).observe(this.bar);
  }

  _head() {
    const { header, parts } = this;
    const where = `seed ${header.seed} · world ${header.world} · ${turns(this.transport.last)}`;
    const title = element("h1", {}, parts.labels[0], element("span", { class: "cv-versus" }, " beside "), parts.labels[1]);
    const settings = parts.settings.length ? element("p", { class: "cv-quiet" }, parts.settings.join(" · ")) : null;
    return element("header", { class: "cv-head" }, element("div", {}, title, settings, element("p", { class: "cv-quiet" }, where), this._parting()), themeButton(document.documentElement));
  }

  // The first difference, with a way there, and below it when everything else first differed.
  _parting() {
    const { firsts } = this.parts;
    if (!firsts.length) return element("p", { class: "cv-parting" }, "Nothing differs: it is the same game twice.");
    const [first] = firsts;
    const jump = element("button", { type: "button", class: "cv-jump", onclick: () => this.transport.jump(first.turn) }, first.turn ? `turn ${first.turn}` : "the beginning");
    const rows = firsts.map(({ group, turn, seats, words }) => {
      const whose = seats.length ? element("span", { class: "cv-whose" }, ...seats.map((seat) => swatch(seat))) : "–";
      return [group, element("button", { type: "button", class: "cv-jump", onclick: () => this.transport.jump(turn) }, turn), whose, words];
    });
    return element("div", { class: "cv-parting" }, element("p", {}, "They part in ", jump, `: ${first.group}, ${first.words}`), element("details", {}, element("summary", {}, "What else differs, and since when"), table(["what", "turn", "whose", "first"], rows)));
  }

  _games() {
    const { parts, transport } = this;
    const panes = parts.labels.map((label, k) => {
      const root = element("div", { class: "cv-game" });
      const section = element("section", {}, element("h2", { class: "cv-label" }, label), root);
      return { section, viewer: () => new Viewer(root, this.sources[k], { transport, controls: false, keys: false }) };
    });
    this.root.append(element("div", { class: "cv-pair" }, ...panes.map(({ section }) => section)));
    this.viewers = panes.map(({ viewer }) => viewer());
    // Both show one view: a look at what a seat believes in one game is one at what it believes in the other. Where that
    // has no such province it is what the capital believes.
    const looks = this.viewers.map((viewer) => viewer.look.bind(viewer));
    const like = ({ header }, view, { header: asked }) => header.thinkers.findIndex((one) => String(one) === String(asked.thinkers[view]));
    this.look = (view, source = this.sources.find(({ views }) => views.includes(view))) => {
      this.root.dataset.view = view;
      return Promise.all(looks.map((look, k) => {
        const same = view ? like(this.sources[k], view, source) : 0;
        return look(same < 0 ? 1 + seatOf(source.header, view) : same);
      }));
    };
    this.root.dataset.view = this.viewers[0].view;
    this.viewers.forEach((viewer, k) => (viewer.look = (view) => this.look(view, this.sources[k])));
  }

  _bar() {
    this.bar = element("div", { class: "cv-controls cv-bottom" });
    this.root.append(this.bar);
    this.controls = new Controls(this.bar, this.transport);
  }

  // A tick where the games part.
  _ticks() {
    const { ticks: canvas } = this.controls;
    const ratio = window.devicePixelRatio || 1;
    canvas.width = Math.max(1, Math.round(canvas.clientWidth * ratio));
    const [first] = this.parts.firsts;
    if (!first) return;
    const g = canvas.getContext("2d");
    const room = canvas.width - 16 * ratio;
    const share = (first.turn - this.transport.first) / Math.max(1, this.transport.last - this.transport.first);
    const x = 8 * ratio + share * room;
    g.fillStyle = getComputedStyle(this.root.querySelector(".cv-jump")).color;
    g.beginPath();
    g.moveTo(x - 5 * ratio, 0);
    g.lineTo(x + 5 * ratio, 0);
    g.lineTo(x, canvas.height);
    g.fill();
  }

  _below(gains) {
    const { header, parts, transport } = this;
    const place = element("div", {});
    const caption = element("p", { class: "cv-quiet" }, `In colour: who holds the cell in “${parts.labels[1]}” and not in “${parts.labels[0]}”. Crossed: lost by that seat to nobody. Dim: the same in both.`);
    this.tally = element("div", {});
    const charts = element("div", { class: "cv-charts" });
    this.charts = parts.measures.map(({ name, title }) => {
      const chart = new DifferenceChart(title, "difference", (turn) => transport.jump(turn));
      const lines = header.seats.map((_, seat) => ({ colour: `var(--seat-${seat})`, dash: DASHES[seat], values: this.difference.difference[name][seat] }));
      chart.draw(lines, transport.first, transport.last);
      charts.append(chart.node);
      return chart;
    });
    const gained = element("section", { class: "cv-card" }, element("h2", {}, "Who gained"), place, caption);
    const told = element("section", { class: "cv-card" }, element("h2", {}, `“${parts.labels[1]}” less “${parts.labels[0]}”`), this.tally);
    this.root.append(element("div", { class: "cv-below" }, gained, element("div", { class: "cv-told" }, told, charts)));
    this.gains = new GainMap(place, this.sources[1], parts, gains);
    transport.panes.push(this.gains);
  }

  _update() {
    const { turn, first } = this.transport;
    for (const chart of this.charts) chart.mark(turn);
    const { one, difference } = this.difference;
    const rows = this.header.seats.map((_, seat) => {
      const cells = this.parts.measures.flatMap(({ name }) => {
        const before = one[name][seat][turn - first];
        return [number(before), signed(difference[name][seat][turn - first])];
      });
      return [seatName(this.header, seat), ...cells];
    });
    const heads = ["seat", ...this.parts.measures.flatMap(({ title }) => [title, "±"])];
    this.tally.replaceChildren(table(heads, rows));
  }

  _key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const name = event.target.tagName;
    if (name === "SELECT" || (name === "INPUT" && event.key !== " ")) return;
    if (name === "BUTTON" && event.key === " ") event.target.blur();
    const view = /^[0-9]$/.test(event.key) && this.sources.some(({ views }) => views.includes(Number(event.key)));
    if (view) this.look(Number(event.key));
    if (view || this.controls.key(event)) event.preventDefault();
  }
}

// Maps of gains, one a turn, from bytes in which each is XORed with the one before.
async function gainsOf(packed, cells) {
  const bytes = await inflate(packed);
  for (let k = cells; k < bytes.length; k++) bytes[k] ^= bytes[k - cells];
  return Array.from({ length: bytes.length / cells }, (_, turn) => bytes.subarray(turn * cells, (turn + 1) * cells));
}

// Open the comparison that the page holds; `window.civsim.comparison` is it once it stands.
async function openComparison(root, parts) {
  try {
    if (parts.format !== COMPARISON || parts.version !== VERSION) throw new Error(`this page shows ${COMPARISON} ${VERSION}, not ${parts.format} ${parts.version}`);
    const sources = await Promise.all(parts.games.map((game) => ReplaySource.open(game)));
    const { width, height } = sources[0].header;
    const gains = await gainsOf(parts.gains, width * height);
    const difference = JSON.parse(new TextDecoder().decode(await inflate(parts.difference)));
    const comparison = new Comparison(root, parts, sources, gains, difference);
    await comparison.ready;
    root.dataset.ready = "true";
    return comparison;
  } catch (error) {
    root.replaceChildren(element("p", { class: "cv-error" }, `This comparison cannot be shown: ${error.message}`));
    throw error;
  }
}
