// Small line charts and stacked areas over the turns, with the turn shown marked in each.

const SVG = "http://www.w3.org/2000/svg";
// Line patterns of the seats, since colours alone do not tell eight lines apart on every page.
const DASHES = ["none", "none", "none", "none", "6 2", "2 2", "7 2 1.5 2", "1.2 2.4"];
const CHART = { height: 124, left: 42, right: 8, top: 8, bottom: 19 };

function svg(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes || {})) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

// About `wanted` round numbers from 0 to at least `most`.
function ticks(most, wanted) {
  const rough = Math.max(most, 1e-9) / wanted;
  const unit = 10 ** Math.floor(Math.log10(rough));
  const step = unit * [1, 2, 5, 10].find((k) => k * unit >= rough);
  const found = [];
  for (let k = 0; k * step < most + step * 0.999; k++) found.push(Number((k * step).toPrecision(6)));
  return found;
}

class Chart {
  constructor(title, unit, onTurn) {
    this.width = 0;
    this.svg = svg("svg", { height: CHART.height, role: "img", "aria-label": title });
    // The cursor is a layer of its own: moving it leaves the lines as they were painted.
    this.cursor = element("div", { class: "cv-cursor" });
    this.now = element("output", {});
    const caption = element("figcaption", {}, element("b", {}, title), unit ? ` ${unit}` : "", this.now);
    this.node = element("figure", { class: "cv-chart" }, caption, element("div", { class: "cv-plot" }, this.svg, this.cursor));
    const scrub = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const box = this.svg.getBoundingClientRect();
      const x = ((event.clientX - box.left) / box.width) * this.width;
      const share = (x - CHART.left) / (this.width - CHART.left - CHART.right);
      onTurn(Math.round(this.first + share * (this.length - this.first)));
    };
    this.svg.addEventListener("pointerdown", scrub);
    this.svg.addEventListener("pointermove", scrub);
    new ResizeObserver(() => this.fit()).observe(this.svg);
  }

  // Take the width that there is; the height is set.
  fit() {
    const width = this.svg.clientWidth;
    if (!width || width === this.width) return;
    this.width = width;
    if (this.lines) this.draw(this.lines, this.first, this.length, this.stacked);
  }

  x(turn) {
    return CHART.left + ((turn - this.first) / Math.max(this.length - this.first, 1)) * (this.width - CHART.left - CHART.right);
  }

  y(value) {
    return CHART.height - CHART.bottom - (value / this.most) * (CHART.height - CHART.top - CHART.bottom);
  }

  // `lines`: {colour, dash, values}, one value a turn from `first`, null where there is none. Stacked, they are filled.
  draw(lines, first, length, stacked) {
    Object.assign(this, { lines, first, length, stacked });
    this.width = this.svg.clientWidth || this.width || 2 * CHART.height;
    const sums = stacked ? lines[0].values.map((_, k) => lines.reduce((sum, line) => sum + (line.values[k] || 0), 0)) : [];
    let largest = 0;
    for (const values of stacked ? [sums] : lines.map((line) => line.values)) for (const value of values) largest = Math.max(largest, value || 0);
    const scale = ticks(stacked ? 1 : largest || 1, 3);
    this.most = scale[scale.length - 1];
    this.svg.replaceChildren();
    for (const value of scale) {
      this.svg.append(svg("line", { x1: CHART.left, x2: this.width - CHART.right, y1: this.y(value), y2: this.y(value), class: value ? "cv-grid" : "cv-axis" }));
      this.svg.append(svg("text", { x: CHART.left - 5, y: this.y(value) + 3, class: "cv-tick", "text-anchor": "end" }, stacked ? `${100 * value}%` : compact(value)));
    }
    for (const turn of ticks(length, 4).filter((one) => one >= first && one <= length)) {
      this.svg.append(svg("text", { x: this.x(turn), y: CHART.height - 5, class: "cv-tick", "text-anchor": turn === length ? "end" : "middle" }, turn));
    }
    if (stacked) this._areas(lines);
    else for (const line of lines) this.svg.append(this._line(line));
    if (this.turn !== undefined) this.mark(this.turn);
  }

  _line({ values, colour, dash }) {
    let path = "";
    let drawing = false;
    values.forEach((value, k) => {
      if (value === null) {
        drawing = false;
        return;
      }
      path += `${drawing ? "L" : "M"}${this.x(this.first + k).toFixed(1)} ${this.y(value).toFixed(1)}`;
      drawing = true;
    });
    return svg("path", { d: path, class: "cv-line", style: `stroke: ${colour}`, "stroke-dasharray": dash });
  }

  _areas(lines) {
    const base = lines[0].values.map(() => 0);
    for (const line of lines) {
      const upper = line.values.map((value, k) => base[k] + (value || 0));
      const there = upper.map((value, k) => `${k ? "L" : "M"}${this.x(this.first + k).toFixed(1)} ${this.y(value).toFixed(1)}`);
      const back = base.map((value, k) => `L${this.x(this.first + k).toFixed(1)} ${this.y(value).toFixed(1)}`).reverse();
      this.svg.append(svg("path", { d: `${there.join("")}${back.join("")}Z`, style: `fill: ${line.colour}` }));
      upper.forEach((value, k) => (base[k] = value));
    }
  }

  mark(turn) {
    this.turn = turn;
    if (!this.lines) return;
    this.cursor.style.transform = `translateX(${((100 * this.x(turn)) / this.width).toFixed(3)}%)`;
    const alone = !this.stacked && this.lines.length === 1;
    this.now.textContent = alone ? number(this.lines[0].values[turn - this.first]) : "";
  }
}

function compact(value) {
  if (value >= 1e6) return `${value / 1e6}M`;
  return value >= 1e4 ? `${value / 1000}k` : String(value);
}

// The charts of one view: all seats in the truth, one of them in its own.
class Charts {
  constructor(root, source, onTurn) {
    this.root = root;
    this.source = source;
    const { header } = source;
    this.index = new Map(header.figures.map((figure, k) => [figure.name, k]));
    this.charts = header.charts.map((spec) => ({ spec, chart: new Chart(spec.title, spec.unit, onTurn) }));
    this.spending = new Chart("spending", "share of output", onTurn);
    const all = [...this.charts.map(({ chart }) => chart), this.spending];
    this.all = all;
    root.append(...all.map((chart) => chart.node));
  }

  seatsOf(view) {
    const seats = view ? [seatOf(this.source.header, view)] : this.source.header.seats.map((_, seat) => seat);
    return seats.filter((seat) => this.source.views.includes(view || seat + 1));
  }

  draw(view) {
    const { first, last, header } = this.source;
    const seats = this.seatsOf(view);
    // Who may see the truth alone, without what the seats know of themselves, has nothing to chart.
    this.root.hidden = seats.length === 0;
    if (this.root.hidden) return;
    const length = Math.max(last, header.length);
    // Of a seat of thought, its own levels.
    const column = (seat, figure) => {
      const values = [];
      for (let turn = first; turn <= last; turn++) {
        const note = this.source.note(turn, view || seat + 1);
        values.push(note && note.alive ? note.own[this.index.get(figure)] : null);
      }
      return values;
    };
    for (const { spec, chart } of this.charts) {
      const lines = seats.map((seat) => ({ colour: `var(--seat-${seat})`, dash: DASHES[seat], values: column(seat, spec.figures[0]) }));
      chart.draw(lines, first, length, false);
    }
    this.spending.draw(this._spending(seats, column), first, length, true);
  }

  _spending(seats, column) {
    const { header } = this.source;
    const totals = header.spending.map((figure) => {
      const columns = seats.map((seat) => column(seat, figure));
      return (columns[0] || []).map((_, k) => columns.reduce((sum, values) => sum + (values[k] || 0), 0));
    });
    return totals.map((values, category) => ({
      colour: header.categories[category].colour,
      values: values.map((value, k) => {
        const whole = totals.reduce((sum, one) => sum + one[k], 0);
        return whole > 0 ? value / whole : 0;
      }),
    }));
  }

  mark(turn) {
    for (const chart of this.all) chart.mark(turn);
  }
}
