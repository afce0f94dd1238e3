// The table beside the map. In the truth it compares the seats; in a civilization's view it shows what that one knows.

function swatch(seat) {
  return element("i", { class: "cv-swatch", style: { background: `var(--map-${seat})` } });
}

function seatName(header, seat) {
  return element("span", { class: "cv-seat" }, swatch(seat), header.seats[seat].name);
}

function card(title, ...children) {
  return element("section", { class: "cv-card" }, element("h2", {}, title), ...children);
}

function table(heads, rows) {
  const line = (cells, tag) => element("tr", {}, ...cells.map((cell) => element(tag, {}, cell)));
  return element("div", { class: "cv-scroll" }, element("table", {}, element("thead", {}, line(heads, "th")), element("tbody", {}, ...rows.map((row) => line(row, "td")))));
}

function pairs(items) {
  return element("dl", { class: "cv-pairs" }, ...items.map(([name, value, unit]) => element("div", {}, element("dt", {}, name), element("dd", {}, value, unit ? element("small", {}, ` ${unit}`) : null))));
}

class Side {
  constructor(root, source) {
    this.root = root;
    this.source = source;
    this.header = source.header;
    this.index = new Map(this.header.figures.map((figure, k) => [figure.name, k]));
  }

  show(frame) {
    const cards = (frame.view ? this._belief(frame) : this._truth(frame)).filter((one) => one);
    // A card that would say the same stays as it is: it is not painted again, and keeps its place where it scrolls.
    const old = [...this.root.children];
    cards.forEach((one, k) => {
      if (!old[k]) this.root.append(one);
      else if (!old[k].isEqualNode(one)) old[k].replaceWith(one);
    });
    for (const one of old.slice(cards.length)) one.remove();
  }

  _truth({ turn, note }) {
    const { header, source } = this;
    const names = ["cells", "output", "consumption", "army", "level_horizon", "level_sight", "level_attention"];
    const rows = header.seats.map((seat, k) => {
      const own = source.views.includes(k + 1) && note.alive[k] ? source.note(turn, k + 1).own : null;
      const name = element("span", {}, seatName(header, k), element("small", {}, ` ${seat.policy}`));
      return [name, ...names.map((figure) => (own ? number(own[this.index.get(figure)]) : note.alive[k] ? "·" : "–"))];
    });
    const heads = ["seat", "cells", "output", "consumed", "army", "h", "r", "k"];
    return [card("The civilizations", table(heads, rows)), this._spenders(turn, note), this._events(note.events, 0)];
  }

  // What each seat spends its output on, side by side.
  _spenders(turn, note) {
    const { header, source } = this;
    if (!source.views.some((view) => view > 0)) return null;
    const lines = header.seats.map((_, k) => {
      const own = source.views.includes(k + 1) && note.alive[k] ? source.note(turn, k + 1).own : null;
      return element("div", { class: "cv-spender" }, seatName(header, k), own ? this._bar(own) : null);
    });
    return card("What they spend on", ...lines, categoryKey(header));
  }

  // Shares of output by category as one bar; nothing where there was no output.
  _bar(own) {
    const { header, index } = this;
    const spent = header.spending.map((figure) => own[index.get(figure)]);
    const whole = spent.reduce((sum, value) => sum + value, 0);
    const bar = element("div", { class: "cv-bar", role: "img", "aria-label": "spending by category" });
    spent.forEach((value, k) => {
      if (value > 0) bar.append(element("span", { style: { background: header.categories[k].colour, flexGrow: String(value / whole) }, title: `${header.categories[k].name} ${percent(value / whole)}` }));
    });
    return bar;
  }

  _belief(frame) {
    const { note, view } = frame;
    const seat = seatOf(this.header, view);
    if (!note.alive) return [card("Out of the game", element("p", {}, `${this.header.seats[seat].name} holds no cell any more. The map shows what it knew at the end.`))];
    return [this._why(frame), this._own(note), this._thought(frame), this._others(note, seat), this._expects(note), this._events(note.events, view)];
  }

  _why({ note, turn }) {
    const { header } = this;
    const plan = planOf(header, note);
    const horizon = note.own[this.index.get("level_horizon")];
    const thinks = horizon ? `It thinks ${turns(horizon)} ahead.` : "It does not think ahead: it follows the rule of thumb.";
    if (!plan) return card("The plan", element("p", { class: "cv-quiet" }, thinks), this._orders(note));
    const [, simulated, compared, chosen, second, rule] = plan.decision;
    const parts = [element("p", { class: "cv-plan" }, capitalised(planWords(header, chosen, chosen[5])), ".")];
    if (compared > 0) {
      const gaps = [second && second[4], rule].filter((gap) => gap !== null && gap > 0);
      const finest = gaps.length ? Math.min(...gaps) : 0;
      const rows = [["this plan", valued(chosen[4], finest), ""]];
      if (second) rows.push([`next best: ${planWords(header, second)}`, valued(chosen[4] - second[4], finest), gapWords(second[4])]);
      if (rule !== null) rows.push(["the rule of thumb", valued(chosen[4] - rule, finest), gapWords(rule)]);
      parts.push(element("table", { class: "cv-why" }, ...rows.map((row, k) => element("tr", k ? {} : { class: "cv-chosen" }, ...row.map((cell) => element("td", {}, cell))))));
    }
    const made = plan.made === null ? "" : ` Made ${turns(turn - plan.made)} ago.`;
    const basis = !compared ? "No plan was compared." : simulated ? `Believed value over ${turns(simulated)} simulated and what follows; ${compared} plans compared.` : `Average rate, nothing simulated; ${compared} plans compared.`;
    parts.push(element("p", { class: "cv-quiet" }, `${thinks} ${basis}${made}`));
    const shown = card("The plan, and why", ...parts, this._orders(note));
    shown.classList.add("cv-whycard");
    return shown;
  }

  _orders(note) {
    if (!note.orders.length) return element("p", { class: "cv-quiet" }, "No order this turn.");
    const { header } = this;
    const rows = note.orders.map(([kind, cell, choice, done]) => {
      const decision = note.decisions.find((one) => one[3][1] === kind && one[3][2] === cell);
      const lead = decision && decision[4] ? `${gapWords(-decision[4][4])} on the next best` : "";
      return element("li", done ? {} : { class: "cv-void" }, planWords(header, [0, kind, cell, choice]), done ? "" : " – void", lead ? element("small", {}, lead) : null);
    });
    return element("div", {}, element("h3", {}, "Orders of this turn"), element("ul", { class: "cv-list" }, ...rows));
  }

  _own(note) {
    const own = (name) => number(note.own[this.index.get(name)]);
    return card(
      "Itself",
      pairs([
        ["cells", own("cells")],
        ["output", own("output")],
        ["consumption", own("consumption")],
        ["army", own("army")],
        ["under way", own("muster"), "force"],
        ["horizon", own("level_horizon"), "turns"],
        ["sight", own("level_sight"), "cells"],
        ["attention", own("level_attention"), "variables"],
        ["settlement", own("stock_settlement"), "saved"],
        ["works", own("stock_works"), "saved"],
        ["walls", own("stock_walls"), "saved"],
      ]),
      this._bar(note.own),
      categoryKey(this.header),
    );
  }

  // How the realm's thought is housed, a row a province: what its seat holds and commands, and how old its news is here.
  _thought({ note, view }) {
    if (!note.thought || note.thought.length < 2) return null;
    const looks = note.there === 0 ? 0 : provinceOf(this.header, view);
    const rows = note.thought.map(([cell, cells, share, output, purses, road], province) => [
      element(province === looks ? "b" : "span", {}, province ? province : "capital"),
      cell < 0 ? "fallen" : place(this.header, cell),
      number(cells),
      number(output),
      percent(share),
      number(purses),
      province === looks ? "" : road === null ? "–" : road ? turns(road) : "at once",
    ]);
    return card("Seats of thought", table(["province", "at", "cells", "output", "staff", "may order", "news"], rows));
  }

  _others(note, seat) {
    const { header } = this;
    const met = note.rivals.map((rival, other) => [rival, other]).filter(([rival]) => rival && (rival[0] || rival[1] !== null));
    if (!met.length) return card("Others", element("p", { class: "cv-quiet" }, header.seats.length > 1 ? "It has met nobody." : "There is nobody else."));
    const rows = met.map(([[cells, army, ago, , levels], other]) => [
      seatName(header, other),
      number(cells),
      army === null ? "never seen" : number(army),
      army === null ? "" : ago ? `${turns(ago)} ago` : "now",
      levels ? levels.join(" · ") : "hidden",
    ]);
    return card("Others, as last seen", table(["seat", "cells", "army", "seen", "h · r · k"], rows));
  }

  _expects(note) {
    const [unseen, attack, force, raid, advance] = note.expects;
    const items = [];
    if (unseen !== null) items.push(["land never seen", number(unseen), "a turn"]);
    if (attack > 0) items.push(["attack on a cell", percent(attack), "a turn"], ["with a force of", number(force)]);
    if (raid > 0) items.push(["raid on a cell", percent(raid), "a turn"]);
    if (advance > 0 && this.header.seats.length > 1) items.push(["rivals advance", number(advance), "cells a turn"]);
    return items.length ? card("What it expects", pairs(items)) : null;
  }

  _events(events, view) {
    if (!events.length) return card("This turn", element("p", { class: "cv-quiet" }, "Nothing happened that it knows of.".replace(view ? "" : " that it knows of", "")));
    const rows = events.map((event) => element("li", {}, element("i", { class: "cv-swatch", style: { background: this.header.events[event[0]].colour } }), eventWords(this.header, event, view)));
    return card("This turn", element("ul", { class: "cv-list cv-events" }, ...rows));
  }
}

function categoryKey(header) {
  const key = element("div", { class: "cv-key" });
  for (const { name, colour } of header.categories) key.append(element("span", {}, element("i", { style: { background: colour } }), name));
  return key;
}

function capitalised(text) {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

function gapWords(gap) {
  if (Math.abs(gap) < 1e-9) return "±0";
  return `${gap > 0 ? "−" : "+"}${number(Math.abs(gap))}`;
}
