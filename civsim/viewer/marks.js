// Marks on the map: what each looks like, in the colours that the header gives.

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

  // A seat of thought other than the capital; ringed where it is the one whose knowledge is shown.
  office(x, y, s, seat, looks) {
    this._at(x, y, s, (g) => {
      ICONS.star(g, s * 0.27);
      g.lineWidth = Math.max(1.5, s * 0.12);
      g.strokeStyle = looks ? PAPER : INK;
      g.stroke();
      g.fillStyle = looks ? INK : PAPER;
      g.fill();
      ICONS.star(g, s * 0.16);
      g.fillStyle = this.seats[seat].map;
      if (looks) g.fill();
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
