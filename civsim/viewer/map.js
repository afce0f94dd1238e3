// The map on a canvas. It looks colours up and stamps marks; what is where, the frame says, and in which colour the header.

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
    this.ages = false;
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
    this._paintProvinces(frame.map);
    this._paintBorders(frame.map.owner);
    if (this.ages && frame.view) this._paintAges(frame);
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
    const { context: g, side } = this;
    this._trace((one, other) => owner[one] !== owner[other]);
    g.lineCap = "round";
    g.lineWidth = Math.max(1.5, side * 0.09);
    g.strokeStyle = "rgba(10, 10, 14, 0.75)";
    g.stroke();
  }

  // Broken lines between the provinces of a realm.
  _paintProvinces({ owner, province }) {
    const { context: g, side } = this;
    this._trace((one, other) => owner[one] && owner[one] === owner[other] && province[one] !== province[other]);
    g.save();
    g.lineCap = "butt";
    for (const [colour, width] of [[INK, 0.13], [PAPER, 0.07]]) {
      g.lineWidth = Math.max(width > 0.1 ? 2.5 : 1.2, side * width);
      g.setLineDash([side * 0.25, side * 0.25]);
      g.lineDashOffset = -side * 0.125;
      g.strokeStyle = colour;
      g.stroke();
    }
    g.restore();
  }

  // A path along the edges between neighbours that are `parted`.
  _trace(parted) {
    const { context: g, side, header } = this;
    const { width, height } = header;
    g.beginPath();
    for (let c = 0; c < width * height; c++) {
      const x = c % width;
      const y = Math.floor(c / width);
      if (x + 1 < width && parted(c, c + 1)) {
        g.moveTo((x + 1) * side, y * side);
        g.lineTo((x + 1) * side, (y + 1) * side);
      }
      if (y + 1 < height && parted(c, c + width)) {
        g.moveTo(x * side, (y + 1) * side);
        g.lineTo((x + 1) * side, (y + 1) * side);
      }
    }
  }

  // How old what is known of each cell is, in turns; nothing on what is in view or was never seen.
  _paintAges(frame) {
    const { context: g, side } = this;
    g.save();
    g.font = `600 ${Math.max(8, side * 0.36)}px system-ui, sans-serif`;
    g.textAlign = "right";
    g.textBaseline = "top";
    g.lineWidth = Math.max(2, side * 0.1);
    g.lineJoin = "round";
    g.strokeStyle = INK;
    g.fillStyle = PAPER;
    for (let c = 0; c < frame.map.seen.length; c++) {
      const age = ageOf(frame, c);
      if (age <= 0) continue;
      const [x, y] = this.corner(c);
      g.strokeText(age, x + side * 0.94, y + side * 0.06);
      g.fillText(age, x + side * 0.94, y + side * 0.06);
    }
    g.restore();
  }

  _paintPieces(frame) {
    const { note, view } = frame;
    const { marks, side, header, context } = this;
    const seat = seatOf(header, view);
    const draw = (name, cell, ...look) => cell >= 0 && marks.stamp(context, ...this.corner(cell), side, name, ...look);
    for (const [owner, province, cell] of officesOf(header, frame)) draw("office", cell, owner, province === provinceOf(header, view) && note.there !== 0);
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
