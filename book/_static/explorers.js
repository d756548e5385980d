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

  /** A labelled slider: its `row` on the page, its `input`, and `set`. `change` is called with each new value. */
  slider(label, { name, min, max, value }, change) {
    const input = kit.element("input", { type: "range", name, min, max, value, id: `explore-${name}` });
    const shown = kit.element("output", { for: input.id, role: "presentation" }, String(value)); // the slider says it
    const set = (number) => {
      input.value = shown.value = number;
      change(number);
    };
    input.addEventListener("input", () => set(Number(input.value)));
    return { row: kit.row(label, input, shown), input, set };
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

  /** A drawing with its title above it. */
  figure(title, drawing, attributes = {}) {
    return kit.element("figure", attributes, kit.element("figcaption", {}, title), drawing);
  },

  /** A table of numbers as squares, drawn; `look(row, column)` gives the class of a square. */
  squares(numbers, description, look) {
    const side = 30;
    const [rows, columns] = [numbers.length, numbers[0].length];
    const picture = kit.svg("svg", {
      viewBox: `-2 -2 ${columns * side + 4} ${rows * side + 4}`,
      width: columns * side + 4,
      role: "img",
      "aria-label": description,
    });
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

  /** A number with a minus sign that is as wide as a plus. */
  number(value) {
    return String(value).replace("-", "\u2212");
  },
};
