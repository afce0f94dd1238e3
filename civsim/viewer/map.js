// The map on a canvas. It looks colours up and draws marks; what is where, and in which colour, the frame and header say.

const TAU = 2 * Math.PI;
const INK = "rgba(12, 13, 17, 0.85)";
const PAPER = "#ffffff";

const ICONS = {
  star(g, r) {
    g.beginPath();
    for (let k = 0; k < 10; k++) {
      const radius = k % 2 ? r * 0.45 : r;
      const angle = (k * TAU) / 10 - TAU / 4;
      g.lineTo(radius * Math.cos(angle), radius * Math.sin(angle));
    }
    g.closePath();
  },
  diamond(g, r) {
    g.beginPath();
    g.moveTo(0, -r);
    g.lineTo(r * 0.8, 0);
    g.lineTo(0, r);
    g.lineTo(-r * 0.8, 0);
    g.closePath();
  },
  bolt(g, r) {
    g.beginPath();
    for (const [x, y] of [[0.25, -1], [-0.6, 0.15], [-0.08, 0.15], [-0.25, 1], [0.6, -0.2], [0.08, -0.2]]) g.lineTo(x * r, y * r);
    g.closePath();
  },
  swords(g, r) {
    g.beginPath();
    g.moveTo(-r, -r);
    g.lineTo(r, r);
    g.moveTo(r, -r);
    g.lineTo(-r, r);
    g.moveTo(-r, r * 0.35);
    g.lineTo(-r * 0.35, r);
    g.moveTo(r, r * 0.35);
    g.lineTo(r * 0.35, r);
  },
  flame(g, r) {
    g.beginPath();
    g.moveTo(0, -r);
    g.bezierCurveTo(r * 0.2, -r * 0.3, r * 0.85, -r * 0.1, r * 0.75, r * 0.45);
    g.bezierCurveTo(r * 0.65, r * 1.1, -r * 0.65, r * 1.1, -r * 0.75, r * 0.45);
    g.bezierCurveTo(-r * 0.8, 0, -r * 0.35, 0, -r * 0.35, -r * 0.35);
    g.bezierCurveTo(-r * 0.1, -r * 0.1, -r * 0.1, -r * 0.5, 0, -r);
    g.closePath();
  },
  shield(g, r) {
    g.beginPath();
    g.moveTo(-r * 0.75, -r * 0.8);
    g.lineTo(r * 0.75, -r * 0.8);
    g.bezierCurveTo(r * 0.75, r * 0.3, r * 0.3, r * 0.8, 0, r);
    g.bezierCurveTo(-r * 0.3, r * 0.8, -r * 0.75, r * 0.3, -r * 0.75, -r * 0.8);
    g.closePath();
  },
};

// How each kind of event is drawn: an icon on a dark disc, filled or in outline; without an icon it is a ring.
const EVENT_ICONS = {
  settled: null,
  taken: ["swords", false],
  held: ["shield", false],
  sacked: ["flame", true],
  withstood: ["shield", true],
  disaster: ["bolt", true],
};

// Draws single marks into the cell whose upper left corner is at (x, y) and whose side is s. What a mark looks like
// follows from its name and arguments, so each look is drawn once, kept as a picture, and stamped.
class Marks {
  constructor(header) {
    this.colours = header.marks;
    this.seats = header.seats;
    this._pictures = new Map();
  }

  stamp(target, x, y, s, name, ...look) {
    const key = `${s} ${name} ${look.join(" ")}`;
    let picture = this._pictures.get(key);
    if (!picture) {
      picture = document.createElement("canvas");
      picture.width = picture.height = s;
      this.g = picture.getContext("2d");
      this[name](0, 0, s, ...look);
      this._pictures.set(key, picture);
    }
    target.drawImage(picture, x, y);
  }

  _at(x, y, s, draw) {
    this.g.save();
    this.g.translate(x + s / 2, y + s / 2);
    this.g.lineJoin = this.g.lineCap = "round";
    draw(this.g);
    this.g.restore();
  }

  wall(x, y, s, strength) {
    const g = this.g;
    const wide = Math.max(1, s * (0.018 + 0.026 * strength));
    const inset = s * 0.09 + wide / 2;
    g.lineJoin = "round";
    g.lineWidth = wide + Math.max(1.2, s * 0.045);
    g.strokeStyle = INK;
    g.strokeRect(x + inset, y + inset, s - 2 * inset, s - 2 * inset);
    g.lineWidth = wide;
    g.strokeStyle = this.colours.wall;
    g.strokeRect(x + inset, y + inset, s - 2 * inset, s - 2 * inset);
  }

  works(x, y, s, pips, begun) {
    const g = this.g;
    const total = pips + (begun ? 1 : 0);
    const r = s * Math.min(0.07, 0.25 / total);
    for (let k = 0; k < total; k++) {
      g.beginPath();
      g.arc(x + s * 0.5 + (k - (total - 1) / 2) * r * 2.5, y + s * 0.74, r, 0, TAU);
      g.lineWidth = Math.max(1, s * 0.035);
      g.strokeStyle = k < pips ? INK : this.colours.works;
      if (k < pips) {
        g.fillStyle = this.colours.works;
        g.fill();
      }
      g.stroke();
    }
  }

  site(x, y, s, low) {
    this._at(x, y, s, (g) => {
      g.translate(0, -s * 0.04);
      ICONS.diamond(g, s * 0.19);
      g.lineWidth = Math.max(1, s * 0.05);
      g.strokeStyle = INK;
      g.fillStyle = low ? "rgba(255, 255, 255, 0.15)" : this.colours.site;
      g.fill();
      g.stroke();
    });
  }

  idle(x, y, s) {
    const g = this.g;
    g.save();
    g.beginPath();
    g.rect(x, y, s, s);
    g.clip();
    g.beginPath();
    for (let k = -1; k < 2; k += 0.34) {
      g.moveTo(x + k * s, y + s);
      g.lineTo(x + (k + 1) * s, y);
    }
    g.lineWidth = Math.max(1, s * 0.07);
    g.strokeStyle = "rgba(12, 13, 17, 0.5)";
    g.stroke();
    g.restore();
  }

  capital(x, y, s, seat) {
    this._at(x, y, s, (g) => {
      ICONS.star(g, s * 0.36);
      g.lineWidth = Math.max(1.5, s * 0.11);
      g.strokeStyle = INK;
      g.stroke();
      g.fillStyle = PAPER;
      g.fill();
      ICONS.star(g, s * 0.2);
      g.fillStyle = this.seats[seat].map;
      g.fill();
    });
  }

  party(x, y, s, seat) {
    this._at(x, y, s, (g) => {
      g.beginPath();
      g.arc(0, 0, s * 0.22, 0, TAU);
      g.lineWidth = Math.max(2, s * 0.17);
      g.strokeStyle = INK;
      g.stroke();
      g.lineWidth = Math.max(1, s * 0.1);
      g.strokeStyle = this.seats[seat].map;
      g.stroke();
    });
  }

  // `ago` turns since it was seen there; 0 for one that stands there.
  band(x, y, s, ago) {
    this._at(x, y, s, (g) => {
      ICONS.diamond(g, s * 0.36);
      g.globalAlpha = ago ? Math.max(0.25, 0.8 - 0.05 * ago) : 1;
      g.lineWidth = Math.max(1.5, s * 0.09);
      if (ago) g.setLineDash([s * 0.14, s * 0.14]);
      g.fillStyle = this.colours.band;
      if (!ago) g.fill();
      g.strokeStyle = ago ? this.colours.bandSeen : PAPER;
      g.stroke();
    });
  }

  event(x, y, s, name, colour) {
    const icon = EVENT_ICONS[name];
    if (icon === undefined) return;
    this._at(x, y, s, (g) => {
      if (icon === null) {
        g.lineWidth = Math.max(1.5, s * 0.09);
        g.strokeStyle = colour;
        g.strokeRect(-s * 0.42, -s * 0.42, s * 0.84, s * 0.84);
        return;
      }
      g.beginPath();
      g.arc(0, 0, s * 0.38, 0, TAU);
      g.fillStyle = INK;
      g.fill();
      ICONS[icon[0]](g, s * (icon[0] === "swords" ? 0.18 : 0.24));
      g.lineWidth = Math.max(1.2, s * 0.075);
      g.strokeStyle = g.fillStyle = colour;
      if (icon[1]) g.fill();
      else g.stroke();
    });
  }
}

// One map, kept as large as its box allows.
class MapView {
  constructor(canvas, header) {
    this.canvas = canvas;
    this.header = header;
    this.context = canvas.getContext("2d");
    this.marks = new Marks(header);
    this._colours = bytesOf(header.colours);
    this._base = document.createElement("canvas");
    this._base.width = header.width;
    this._base.height = header.height;
    this._image = this._base.getContext("2d").createImageData(header.width, header.height);
    this._image.data.fill(255);
    this.side = 0;
    this.hovered = -1;
  }

  // Fit into `width` by `height` CSS pixels; return true where that changed anything.
  fit(width, height) {
    const ratio = window.devicePixelRatio || 1;
    const { header, canvas } = this;
    const side = Math.max(2, Math.floor(ratio * Math.min(width / header.width, height / header.height)));
    if (side === this.side && ratio === this.ratio) return false;
    this.side = side;
    this.ratio = ratio;
    canvas.width = side * header.width;
    canvas.height = side * header.height;
    canvas.style.width = `${canvas.width / ratio}px`;
    canvas.style.height = `${canvas.height / ratio}px`;
    this._hatch = this._makeHatch();
    this._grid = this._makeGrid();
    return true;
  }

  _makeHatch() {
    const tile = document.createElement("canvas");
    const size = Math.max(6, Math.round(this.side / 2));
    tile.width = tile.height = size;
    const g = tile.getContext("2d");
    g.strokeStyle = "rgba(255, 255, 255, 0.07)";
    g.lineWidth = Math.max(1, size / 8);
    g.beginPath();
    for (const k of [-1, 0, 1]) {
      g.moveTo(k * size, size);
      g.lineTo((k + 1) * size, 0);
    }
    g.stroke();
    return this.context.createPattern(tile, "repeat");
  }

  _makeGrid() {
    const { side, canvas } = this;
    const grid = document.createElement("canvas");
    grid.width = canvas.width;
    grid.height = canvas.height;
    const g = grid.getContext("2d");
    g.fillStyle = "rgba(0, 0, 0, 0.13)";
    for (let x = side; x < canvas.width && side > 7; x += side) g.fillRect(x, 0, 1, canvas.height);
    for (let y = side; y < canvas.height && side > 7; y += side) g.fillRect(0, y, canvas.width, 1);
    return grid;
  }

  // The cell under a pointer event, or -1.
  cellAt(event) {
    const box = this.canvas.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * this.header.width);
    const y = Math.floor(((event.clientY - box.top) / box.height) * this.header.height);
    const inside = x >= 0 && y >= 0 && x < this.header.width && y < this.header.height;
    return inside ? y * this.header.width + x : -1;
  }

  veilOf(seen, turn) {
    if (seen === 1) return 0;
    if (seen === 0) return this.header.veils.length + 1;
    const age = turn - 1 - (seen - 2);
    return this.header.veils.filter((least) => age >= least).length;
  }

  paint(frame) {
    this.frame = frame;
    const g = this.context;
    this._paintGround(frame);
    g.imageSmoothingEnabled = false;
    g.drawImage(this._base, 0, 0, this.canvas.width, this.canvas.height);
    this._paintFog(frame.map);
    g.drawImage(this._grid, 0, 0);
    this._paintCells(frame.map);
    this._paintBorders(frame.map.owner);
    this._paintPieces(frame);
    paintPlan(this, frame);
    this._paintHover();
  }

  _paintGround({ map, turn }) {
    const { header, _colours: colours, _image: image } = this;
    const { value, rugged } = header.levels;
    const ruggeds = rugged[rugged.length - 1] + 1;
    const grounds = (value[value.length - 1] + 1) * ruggeds;
    const owners = header.seats.length + 1;
    const veils = new Map();
    for (let c = 0; c < map.owner.length; c++) {
      const seen = map.seen[c];
      let veil = veils.get(seen);
      if (veil === undefined) veils.set(seen, (veil = this.veilOf(seen, turn)));
      const at = 3 * ((veil * owners + map.owner[c]) * grounds + value[map.value[c]] * ruggeds + rugged[map.rugged[c]]);
      image.data[4 * c] = colours[at];
      image.data[4 * c + 1] = colours[at + 1];
      image.data[4 * c + 2] = colours[at + 2];
    }
    this._base.getContext("2d").putImageData(image, 0, 0);
  }

  _paintFog({ seen }) {
    const { context: g, side } = this;
    g.beginPath();
    for (let c = 0; c < seen.length; c++) if (seen[c] === 0) g.rect(...this.corner(c), side, side);
    g.fillStyle = this._hatch;
    g.fill();
  }

  corner(cell) {
    return [(cell % this.header.width) * this.side, Math.floor(cell / this.header.width) * this.side];
  }

  centre(cell) {
    const [x, y] = this.corner(cell);
    return [x + this.side / 2, y + this.side / 2];
  }

  _paintCells(map) {
    const { header, marks, side, context } = this;
    const { site, low, begun, idle } = header.flags;
    for (let c = 0; c < map.flags.length; c++) {
      const flags = map.flags[c];
      if (!(flags || map.wall[c] || map.works[c])) continue;
      const [x, y] = this.corner(c);
      if (flags & idle && map.owner[c]) marks.stamp(context, x, y, side, "idle");
      if (map.wall[c]) marks.stamp(context, x, y, side, "wall", header.steps.wall[map.wall[c]]);
      if (flags & site) marks.stamp(context, x, y, side, "site", flags & low);
      if (map.works[c] || flags & begun) marks.stamp(context, x, y, side, "works", header.steps.works[map.works[c]], flags & begun);
    }
  }

  // Lines between realms, and round each of them.
  _paintBorders(owner) {
    const { context: g, side, header } = this;
    const { width, height } = header;
    g.beginPath();
    for (let c = 0; c < owner.length; c++) {
      const x = c % width;
      const y = Math.floor(c / width);
      if (x + 1 < width && owner[c] !== owner[c + 1]) {
        g.moveTo((x + 1) * side, y * side);
        g.lineTo((x + 1) * side, (y + 1) * side);
      }
      if (y + 1 < height && owner[c] !== owner[c + width]) {
        g.moveTo(x * side, (y + 1) * side);
        g.lineTo((x + 1) * side, (y + 1) * side);
      }
    }
    g.lineCap = "round";
    g.lineWidth = Math.max(1.5, side * 0.09);
    g.strokeStyle = "rgba(10, 10, 14, 0.75)";
    g.stroke();
  }

  _paintPieces({ note, view }) {
    const { marks, side, header, context } = this;
    const seat = view - 1;
    const draw = (name, cell, ...look) => cell >= 0 && marks.stamp(context, ...this.corner(cell), side, name, ...look);
    for (const party of note.parties) view ? draw("party", party[0], seat) : draw("party", party[1], party[0]);
    if (view) {
      draw("capital", note.capital, seat);
      note.rivals.forEach((rival, other) => rival && draw("capital", rival[3], other));
      for (const [cell, , ago] of note.bands) draw("band", cell, ago);
    } else {
      note.capitals.forEach((cell, other) => draw("capital", cell, other));
      for (const [cell] of note.bands) draw("band", cell, 0);
    }
    for (const [kind, cell] of note.events) draw("event", cell, header.events[kind].name, header.events[kind].colour);
  }

  _paintHover() {
    if (this.hovered < 0) return;
    const { context: g, side } = this;
    g.lineWidth = Math.max(2, side * 0.08);
    g.strokeStyle = PAPER;
    g.strokeRect(...this.corner(this.hovered), side, side);
  }
}

// The plan for land that a civilization follows: made this turn, or the last one made.
function planOf(header, note) {
  const land = header.phases.indexOf("land");
  const made = (note.decisions || []).filter((decision) => decision[0] === land);
  if (made.length) return { made: null, decision: made[made.length - 1] };
  return note.plan ? { made: note.plan[0], decision: note.plan[1] } : null;
}

function paintPlan(view, frame) {
  const plan = frame.view ? planOf(view.header, frame.note) : null;
  const path = plan && plan.decision[3][5];
  if (!path || !path.length || !frame.note.alive) return;
  const { context: g, side } = view;
  const points = path.map((cell) => view.centre(cell));
  const start = neighbourOf(view.header, frame, path[0]);
  if (start >= 0) points.unshift(view.centre(start));
  g.save();
  g.lineJoin = g.lineCap = "round";
  for (const [colour, width] of [[INK, 0.22], [PAPER, 0.11]]) {
    g.strokeStyle = g.fillStyle = colour;
    g.lineWidth = Math.max(width > 0.2 ? 4 : 2, side * width);
    g.beginPath();
    points.forEach(([x, y], k) => {
      const before = points[k - 1];
      const wraps = before && Math.abs(x - before[0]) + Math.abs(y - before[1]) > 1.5 * side;
      if (k === 0 || wraps) g.moveTo(x, y);
      else g.lineTo(x, y);
    });
    g.stroke();
    for (const [x, y] of points.slice(start >= 0 ? 1 : 0)) {
      g.beginPath();
      g.arc(x, y, side * (width > 0.2 ? 0.19 : 0.13), 0, TAU);
      g.fill();
    }
  }
  const [x, y] = points[points.length - 1];
  const order = view.header.orders[plan.decision[3][1]];
  g.lineWidth = Math.max(2, side * 0.09);
  g.strokeStyle = PAPER;
  if (order === "attack" || view.header.plans[plan.decision[3][0]] === "attack") {
    g.translate(x, y);
    ICONS.swords(g, side * 0.28);
    g.stroke();
  } else {
    g.beginPath();
    g.arc(x, y, side * 0.3, 0, TAU);
    g.stroke();
  }
  g.restore();
  tagPlan(view, x, y, plan.decision[1]);
}

// A tag beside the end of a plan: how many turns were simulated to value it.
function tagPlan({ context: g, side, canvas }, x, y, turnsAhead) {
  if (side < 14 || !turnsAhead) return;
  const size = Math.max(10, Math.min(side * 0.36, 22));
  g.font = `600 ${size}px system-ui, sans-serif`;
  const text = `${turnsAhead} turns`;
  const width = g.measureText(text).width + size;
  const left = Math.max(2, Math.min(x + side * 0.45, canvas.width - width - 2));
  const top = Math.max(2, y - side * 0.45 - size * 1.4);
  g.fillStyle = INK;
  g.beginPath();
  g.roundRect(left, top, width, size * 1.5, size * 0.4);
  g.fill();
  g.fillStyle = PAPER;
  g.textBaseline = "middle";
  g.fillText(text, left + size / 2, top + size * 0.78);
}

// An own cell, or one with a party under way, beside `cell`; -1 for none.
function neighbourOf(header, { view, map, note }, cell) {
  const { width, height, torus } = header;
  const x = cell % width;
  const y = Math.floor(cell / width);
  const parties = new Set(note.parties.map((party) => party[0]));
  let found = -1;
  for (const [dx, dy] of [[0, -1], [0, 1], [-1, 0], [1, 0]]) {
    let [nx, ny] = [x + dx, y + dy];
    if (torus) [nx, ny] = [(nx + width) % width, (ny + height) % height];
    if (nx < 0 || ny < 0 || nx >= width || ny >= height) continue;
    const other = ny * width + nx;
    if (parties.has(other)) return other;
    if (map.owner[other] === view) found = other;
  }
  return found;
}
