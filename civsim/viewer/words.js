// What is said in words and numbers; all of it follows from a note of one view.

function element(name, attributes, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes || {})) {
    if (key.startsWith("on")) made.addEventListener(key.slice(2), value);
    else if (key === "style") Object.assign(made.style, value);
    else if (value !== undefined && value !== false) made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

function number(value) {
  if (value === null || value === undefined) return "–";
  const size = Math.abs(value);
  if (size >= 1e6) return value.toExponential(2);
  if (size >= 1000) return Math.round(value).toLocaleString("en");
  if (Number.isInteger(value)) return String(value);
  return value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

// A believed value, with as many decimals as its distance from another asks for.
function valued(value, gap) {
  const decimals = gap > 0 ? Math.min(6, Math.max(1, Math.ceil(-Math.log10(gap)) + 1)) : 1;
  return value.toLocaleString("en", { minimumFractionDigits: decimals, maximumFractionDigits: decimals });
}

function percent(share) {
  return `${number(100 * share)} %`;
}

function turns(count) {
  return count === 1 ? "1 turn" : `${count} turns`;
}

function place(header, cell) {
  return `(${cell % header.width}, ${Math.floor(cell / header.width)})`;
}

// Whose knowledge a view shows: the number of the seat, and of its province, the capital's being 0; -1 for the truth.
function seatOf(header, view) {
  return view ? header.thinkers[view][0] : -1;
}

function provinceOf(header, view) {
  return view ? header.thinkers[view][1] : -1;
}

// Seats of thought other than capitals, as far as a view shows them: [seat, province, cell].
function officesOf(header, { note, view }) {
  if (!view) return note.offices || [];
  return (note.thought || []).map(([cell], province) => [seatOf(header, view), province, cell]).filter(([, province, cell]) => province && cell >= 0);
}

// Who looks, in words: a seat, its capital where it has several seats of thought, or another of these.
function viewWords(header, { note, view }) {
  const { name } = header.seats[seatOf(header, view)];
  if (!note.thought) return name;
  const province = provinceOf(header, view);
  if (!province) return `the capital of ${name}`;
  return note.there ? `province ${province} of ${name}` : `the capital of ${name} (there is no province ${province} now)`;
}

// Turns since a cell's state was as the view has it; 0 for what is in view, -1 for what was never seen.
function ageOf({ map, turn }, cell) {
  const seen = map.seen[cell];
  return seen > 1 ? turn - 1 - (seen - 2) : seen - 1;
}

// What a plan does, from (plan, order, cell, menu entry) and, where it is known, its path.
function planWords(header, [plan, order, cell, menu], path = []) {
  const kind = header.plans[plan];
  const goal = path.length ? path[path.length - 1] : cell;
  if (order === header.wait) {
    if (!path.length) return "wait";
    return `wait for the party, then ${kind === "attack" ? "on to attack" : "on to"} ${place(header, goal)}`;
  }
  const at = place(header, cell);
  const verb = { claim: "claim", attack: "attack", work: "build at", wall: "raise the wall at" }[header.orders[order]];
  const which = header.orders[order] === "work" && menu ? ` (kind ${menu})` : "";
  if (path.length > 1) {
    const end = kind === "attack" ? `, to attack ${place(header, goal)}` : `, on the way to ${place(header, goal)}`;
    return `${verb} ${at}${end}`;
  }
  return `${verb} ${at}${which}`;
}

function eventWords(header, [kind, cell, seat, other], view) {
  const name = header.events[kind].name;
  const own = seatOf(header, view);
  // A seat of thought that has had no word of it does not know who took a cell.
  const who = (one) => (one < 0 ? "somebody" : one === own ? "we" : header.seats[one].name);
  const at = cell >= 0 ? place(header, cell) : "";
  return {
    settled: `${who(seat)} settled ${at}`,
    taken: `${who(seat)} took ${at}${other >= 0 ? ` from ${other === own ? "us" : who(other)}` : ""}`,
    held: `${who(seat)} attacked ${at} in vain`,
    sacked: `raiders sacked ${at}${view ? "" : ` of ${who(seat)}`}`,
    withstood: `${at}${view ? "" : ` of ${who(seat)}`} held against raiders`,
    disaster: `disaster at ${at}${view ? "" : ` of ${who(seat)}`}`,
    fallen: `${view ? "we have" : `${who(seat)} has`} lost the last cell`,
  }[name];
}

// What stands on a cell, as the view has it: lines of text.
function cellWords(header, frame, cell) {
  const { map, note, view, turn } = frame;
  const { site, low, begun, idle } = header.flags;
  const amount = (steps) => number(Math.expm1(steps / header.scale));
  const flags = map.flags[cell];
  const owner = map.owner[cell];
  const seen = map.seen[cell];
  const capital = view ? (note.capital === cell ? [seatOf(header, view)] : []) : [...note.capitals.keys()].filter((k) => note.capitals[k] === cell);
  const lines = [`${place(header, cell)} · ${owner ? header.seats[owner - 1].name : "free land"}${capital.length ? " · capital" : ""}`];
  const office = officesOf(header, frame).some(([, , at]) => at === cell);
  if (map.province[cell]) lines.push(`province ${map.province[cell] - 1}${office ? " · its seat of thought" : ""}`);
  // Of own land in another province it is told as of when a messenger left.
  const told = owner === 1 + seatOf(header, view);
  if (view && seen === 0) lines.push(told ? "no word of it yet" : "never seen");
  if (view && seen > 1) lines.push(told ? `as it was ${turns(ageOf(frame, cell))} ago` : `last seen ${turns(ageOf(frame, cell))} ago`);
  lines.push(`${view ? "expected to give" : "gives"} ${amount(map.value[cell])} a turn${map.rugged[cell] ? ` · rugged ${map.rugged[cell]} %` : ""}`);
  const stands = [];
  if (flags & site) stands.push(flags & low ? "rich site, in its low state" : "rich site");
  if (map.works[cell]) stands.push(`works ${amount(map.works[cell])}`);
  if (flags & begun) stands.push("a work under way");
  if (map.wall[cell]) stands.push(`wall ${amount(map.wall[cell])}`);
  if (flags & idle) stands.push("disrupted: gives nothing now");
  if (stands.length) lines.push(stands.join(" · "));
  if (view && map.rival[cell] < 255) lines.push(`a rival is expected here in ${turns(map.rival[cell])}`);
  for (const party of note.parties) {
    const [seat, target, due] = view ? [seatOf(header, view), ...party] : party;
    if (target === cell) lines.push(`party of ${header.seats[seat].name}, here in ${turns(due)}`);
  }
  for (const [at, strength, ago] of note.bands) {
    if (at !== cell) continue;
    lines.push(ago ? `raiders seen here ${turns(ago)} ago` : `raiders, strength ${number(strength)}`);
  }
  for (const event of note.events) if (event[1] === cell) lines.push(eventWords(header, event, view));
  return lines;
}
