// The plan that a civilization follows, drawn as a path on its map.

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
    if (map.owner[other] === 1 + seatOf(header, view)) found = other;
  }
  return found;
}
