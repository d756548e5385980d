"use strict";
// What explorers are made of. Each is a script of its own in `explorers/`, which fills the element `explorer-<name>` of a page.

const kit = {
  /** An HTML element with attributes and children. */
  element(name, attributes = {}, ...children) {
    return kit.fill(document.createElement(name), attributes, children);
  },

  /** An SVG element with attributes and children. */
  svg(name, attributes = {}, ...children) {
    return kit.fill(document.createElementNS("http://www.w3.org/2000/svg", name), attributes, children);
  },

  fill(element, attributes, children) {
    for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
    element.append(...children);
    return element;
  },

  /** A labelled slider: its `row` on the page, its `input`, `set`, and `show`, which tells nobody. `change` is called with each new value. */
  slider(label, { name, min, max, value }, change) {
    const input = kit.element("input", { type: "range", name, min, max, value, id: `explore-${name}` });
    const shown = kit.element("output", { for: input.id, role: "presentation" }, kit.number(value)); // the slider says it
    const show = (number) => {
      input.value = number;
      shown.value = kit.number(number);
    };
    const set = (number) => {
      show(number);
      change(number);
    };
    input.addEventListener("input", () => set(Number(input.value)));
    return { row: kit.row(label, input, shown), input, set, show };
  },

  /** A labelled list to choose from: its `row` on the page and its `input`. `change` is called with each new choice. */
  choice(label, { name, options }, change) {
    const entries = options.map((option) => kit.element("option", {}, String(option)));
    const input = kit.element("select", { name, id: `explore-${name}` }, ...entries);
    input.addEventListener("change", () => change(options[input.selectedIndex]));
    return { row: kit.row(label, input), input };
  },

  row(label, input, ...more) {
    return kit.element("div", { class: "explorer-row" }, kit.element("label", { for: input.id }, label), input, ...more);
  },

  /** A button; `press` is called when it is pressed. */
  button(label, press) {
    const button = kit.element("button", { type: "button" }, label);
    button.addEventListener("click", press);
    return button;
  },

  /**
   * Buttons and a slider that walk over numbered places: their `row` on the page; `go` to a place; `reach`, which sets how many
   * there are and returns the present one; `say`, which names it; and `plays`. `change` is called when the place has changed.
   * Nothing plays for a reader who asked for less motion.
   */
  walk(label, change) {
    let timer = null;
    const place = kit.element("input", { type: "range", min: 0, value: 0, "aria-label": label });
    const at = () => Number(place.value);
    const go = (to) => {
      place.value = to; // the slider keeps it in its range
      change();
    };
    const advance = () => (at() < Number(place.max) ? go(at() + 1) : pause());
    const back = kit.button("Back", () => go(at() - 1));
    const step = kit.button("Step", () => go(at() + 1));
    const play = kit.button("Play", () => (timer ? pause() : start()));

    function start() {
      timer = setInterval(advance, 600);
      play.textContent = "Pause";
      go(at() === Number(place.max) ? 0 : at());
    }

    function stop() {
      clearInterval(timer);
      timer = null;
      play.textContent = "Play";
    }

    function pause() {
      stop();
      change();
    }

    function reach(count) {
      place.max = Math.max(count - 1, 0);
      for (const control of [back, step, play, place]) control.disabled = count === 0;
      if (count === 0) stop();
      return at();
    }

    function say(words) {
      place.setAttribute("aria-valuetext", words);
    }

    const lessMotion = matchMedia("(prefers-reduced-motion: reduce)");
    const obey = () => {
      play.hidden = lessMotion.matches;
      if (timer && lessMotion.matches) pause();
    };
    lessMotion.addEventListener("change", obey);
    obey();
    place.addEventListener("input", change);
    const row = kit.element("div", { class: "explorer-steps" }, back, step, play, place);
    return { row, go, reach, say, plays: () => timer !== null };
  },

  /** A drawing with its title above it. */
  figure(title, drawing, attributes = {}) {
    return kit.element("figure", attributes, kit.element("figcaption", {}, title), drawing);
  },

  /**
   * A table of numbers as squares, drawn; `look(row, column)` gives the class of a square. `rows` and `columns` are what stands
   * at its left and below it; `above` is the room left free above it.
   */
  squares(numbers, description, look, { rows = [], columns = [], above = 0 } = {}) {
    const side = kit.side;
    const [left, below] = [rows.length && 26, columns.length && 18];
    const width = numbers[0].length * side + 4 + left;
    const height = numbers.length * side + 4 + above + below;
    const picture = kit.svg("svg", {
      viewBox: `${-2 - left} ${-2 - above} ${width} ${height}`,
      width,
      class: "squares",
      role: "img",
      "aria-label": description,
    });
    const edge = (x, y, name) => kit.svg("text", { x, y, class: "small" }, kit.number(name));
    picture.append(
      ...rows.map((name, i) => edge(-14, (i + 0.5) * side + 4, name)),
      ...columns.map((name, j) => edge((j + 0.5) * side, numbers.length * side + 15, name)),
    );
    numbers.forEach((row, i) =>
      row.forEach((number, j) =>
        picture.append(
          kit.svg(
            "g",
            { class: look(i, j), transform: `translate(${j * side} ${i * side})`, "data-row": i, "data-column": j },
            kit.svg("rect", { width: side, height: side }),
            kit.svg("text", { x: side / 2, y: side / 2 + 5 }, kit.number(number)),
          ),
        ),
      ),
    );
    return picture;
  },

  side: 30, // of a square

  /** Calls `visit(row, column)` with the square that the pointer is over or that a finger touches. */
  pointAt(drawing, visit) {
    drawing.addEventListener("pointerover", (event) => {
      const { row, column } = event.target.closest("g")?.dataset ?? {};
      if (row !== undefined) visit(Number(row), Number(column));
    });
    return drawing;
  },

  /** A number with a minus sign that is as wide as a plus. */
  number(value) {
    return String(value).replace("-", "\u2212");
  },
};
