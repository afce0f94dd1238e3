// Where frames come from. A source has `header`, `first` and `last` (turns played at its first and last frame), `note(turn,
// view)`, which answers at once, and `frame(turn, view)`, a promise of {turn, view, map, note}. One that can get more
// turns has `more()`, a promise of whether there was one. A view that it does not offer is not in `views`.

const FORMAT = "civsim-replay";
const VERSION = 1;
const CHUNKS_KEPT = 24;
const PUSHED_BYTES = 1 << 26;

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let k = 0; k < text.length; k++) bytes[k] = text.charCodeAt(k);
  return bytes;
}

async function inflate(base64) {
  const stream = new Blob([bytesOf(base64)]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// The planes of a map by name, as views of the bytes; the header says which come in which order.
function planesOf(header, bytes, at) {
  const cells = header.width * header.height;
  const planes = {};
  for (const { name, dtype } of header.planes) {
    const wide = dtype === "u2";
    planes[name] = wide ? new Uint16Array(bytes.buffer, at, cells) : new Uint8Array(bytes.buffer, at, cells);
    at += wide ? 2 * cells : cells;
  }
  return planes;
}

function mapBytes(header) {
  return header.planes.reduce((sum, plane) => sum + (plane.dtype === "u2" ? 2 : 1), 0) * header.width * header.height;
}

// A whole game in memory: notes unpacked, maps unpacked chunk by chunk when they are asked for.
class ReplaySource {
  static async open(parts) {
    if (parts.format !== FORMAT || parts.version !== VERSION) {
      throw new Error(`this page shows ${FORMAT} ${VERSION}, not ${parts.format} ${parts.version}`);
    }
    const texts = await Promise.all(parts.notes.map(inflate));
    const notes = texts.map((bytes) => JSON.parse(new TextDecoder().decode(bytes)));
    return new ReplaySource(parts, notes);
  }

  constructor(parts, notes) {
    this.header = parts.header;
    this.first = parts.first;
    this.last = parts.first + parts.frames - 1;
    this.views = parts.header.views.map((_, view) => view);
    this._notes = notes;
    this._parts = parts;
    this._chunks = new Map();
  }

  note(turn, view) {
    return this._notes[view][turn - this.first];
  }

  async frame(turn, view) {
    const place = turn - this.first;
    const length = this._parts.chunk;
    const number = Math.floor(place / length);
    const bytes = await this._chunk(view, number);
    if (place % length > length / 2) this._chunk(view, number + 1);
    const map = planesOf(this.header, bytes, (place % length) * mapBytes(this.header));
    return { turn, view, map, note: this.note(turn, view) };
  }

  // A chunk's maps, each XORed back; the ones used last are kept.
  _chunk(view, number) {
    const packed = this._parts.planes[view][number];
    if (packed === undefined) return null;
    const key = `${view}.${number}`;
    const found = this._chunks.get(key) || this._unpack(packed);
    this._chunks.delete(key);
    this._chunks.set(key, found);
    if (this._chunks.size > CHUNKS_KEPT) this._chunks.delete(this._chunks.keys().next().value);
    return found;
  }

  async _unpack(packed) {
    const bytes = await inflate(packed);
    const length = mapBytes(this.header);
    for (let k = length; k < bytes.length; k++) bytes[k] ^= bytes[k - length];
    return bytes;
  }
}

// Frames that are handed over one after the other, as a server or a notebook makes them: {turn, views: {view: {planes,
// note}}}, planes in base64. `push` takes one; a turn that is not the next begins anew. What was pushed first is let go
// where it would take too much memory.
class PushSource {
  constructor(header, views) {
    this.header = header;
    this.views = views || header.views.map((_, view) => view);
    this.first = this.last = 0;
    this._turns = new Map();
    this._kept = 0;
    this._watchers = [];
  }

  push({ turn, views }) {
    if (this._turns.size === 0 || turn < this.first || turn > this.last + 1) {
      this._turns.clear();
      this._kept = 0;
      this.first = turn;
      this.last = turn;
    }
    // A turn that was there already is played anew from here.
    for (let later = turn; later <= this.last; later++) this._forget(later);
    const frames = {};
    for (const [view, { planes, note }] of Object.entries(views)) {
      const bytes = bytesOf(planes);
      this._kept += bytes.length;
      frames[view] = { turn, view: Number(view), map: planesOf(this.header, bytes, 0), note, bytes: bytes.length };
    }
    this._turns.set(turn, frames);
    this.last = turn;
    while (this._kept > PUSHED_BYTES && this.first < this.last) this._forget(this.first++);
    for (const watcher of this._watchers) watcher();
  }

  _forget(turn) {
    for (const frame of Object.values(this._turns.get(turn) || {})) this._kept -= frame.bytes;
    this._turns.delete(turn);
  }

  onChange(watcher) {
    this._watchers.push(watcher);
  }

  note(turn, view) {
    const frames = this._turns.get(turn);
    return frames && frames[view] && frames[view].note;
  }

  async frame(turn, view) {
    return this._turns.get(turn)[view];
  }
}
