"use strict";
// Explorer: where every number of a small tensor goes under a pattern of einops, in which steps, and why a pattern is refused.

(() => {
  const box = document.getElementById("explorer-einops");
  const LARGEST = 128; // so many numbers can still be drawn
  const OWN = "your own";
  const DOTS = "\u2026"; // what einops makes of three dots
  const EXAMPLES = {
    "swap two axes": ["rearrange", "2, 3", "h w -> w h", ""],
    "merge two axes": ["rearrange", "2, 3", "h w -> (h w)", ""],
    "pixels to tokens": ["rearrange", "2, 3, 2, 2", "b c h w -> b (h w) c", ""],
    "split into heads": ["rearrange", "3, 8", "t (h d) -> h t d", "h=2"],
    "four pictures in one": ["rearrange", "4, 2, 3", "(b1 b2) h w -> (b1 h) (b2 w)", "b1=2"],
    patches: ["rearrange", "4, 6", "(h p) (w q) -> (h w) (p q)", "p=2, q=2"],
    "pixel shuffle": ["rearrange", "8, 2, 2", "(c r s) h w -> c (h r) (w s)", "r=2, s=2"],
    "last axis first": ["rearrange", "2, 2, 3", "... c -> c ...", ""],
    "max pooling": ["reduce, max", "4, 6", "(h 2) (w 2) -> h w", ""],
    "mean of each channel": ["reduce, mean", "2, 3, 2, 2", "b c h w -> b c", ""],
    "every pixel four times": ["repeat", "2, 3", "h w -> (h 2) (w 2)", ""],
    "grey to colour": ["repeat", "2, 3", "h w -> c h w", "c=3"],
    "one that is refused": ["rearrange", "5, 4", "(h r) w -> h r w", "r=2"],
  };
  const KEYWORDS = new Set(
    ("False None True and as assert async await break class continue def del elif else except finally for from global " +
      "if import in is lambda nonlocal not or pass raise return try while with yield").split(" "),
  );

  // Reading a pattern, check by check in the order of einops, so that of two mistakes the same one is reported.

  /** What is wrong: in which field, what einops says (nothing, if it is not asked), and what that means. */
  class Refusal extends Error {
    constructor(field, said, words) {
      super(words);
      Object.assign(this, { field, said });
    }
  }

  const refuse = (said, words, field = "pattern") => {
    throw new Refusal(field, `EinopsError: ${said}`, words);
  };
  const complain = (field, words, said = "") => {
    throw new Refusal(field, said, words);
  };

  const product = (numbers) => numbers.reduce((a, b) => a * b, 1);
  const tuple = (numbers) => (numbers.length === 1 ? `(${numbers[0]},)` : `(${numbers.join(", ")})`);
  const label = (axis) => axis.split("#")[0].replace(DOTS, "...");
  const listed = (axes) => axes.map(label).join(" and ");
  const inside = (group) => group.map(label).join(" ");
  const written = (group) => (group.length === 0 ? "1" : group.length === 1 ? label(group[0]) : `(${inside(group)})`);
  /** A set as Python prints it; a number on its own is an axis without a name. */
  const printed = (axes) => `{${axes.map((axis) => (axis.includes("#") ? `${label(axis)}-axis` : `'${axis}'`)).join(", ")}}`;

  /** Side 0 or 1: its groups of names, all names, and whether its dots stand in brackets. A number gets a name of its own. */
  function readSide(text, side) {
    const groups = [];
    const names = new Set();
    let [group, word, dotsInside] = [null, "", false];
    if (text.includes(".")) {
      const only = "Expression may contain dots only inside ellipsis (...)";
      if (!text.includes("...")) refuse(only, "Dots come in threes: ... stands for all axes that are not named.");
      if (text.split(".").length !== 4)
        refuse(`${only}; only one ellipsis for tensor`, "Three dots may stand once on each side, and no other dot.");
      text = text.replace("...", DOTS);
    }
    const add = () => {
      if (names.has(word))
        refuse(`Indexing expression contains duplicate dimension "${word}"`, `${label(word)} stands twice on one side; each axis needs a name of its own.`);
      const number = /^\d+$/.test(word) ? Number(word) : null;
      if (number === 0)
        refuse("Anonymous axis should have positive length, not 0", "A number in a pattern is the length of an axis: 1 or more.");
      if (number === 1) {
        if (!group) groups.push([]);
        return;
      }
      if (number === null && word !== DOTS) checkName(word);
      const axis = number === null ? word : `${number}#${side}${names.size}`;
      names.add(axis);
      if (group) group.push(axis);
      else groups.push(axis === DOTS ? DOTS : [axis]);
      if (axis === DOTS) dotsInside = group !== null;
    };
    for (const character of text) {
      if ("() ".includes(character)) {
        if (word) add();
        word = "";
        if (character === "(") {
          if (group) refuse("Axis composition is one-level (brackets inside brackets not allowed)", "Brackets may not stand in brackets.");
          group = [];
        } else if (character === ")") {
          if (!group) refuse("Brackets are not balanced", "A bracket closes that was not opened.");
          groups.push(group);
          group = null;
        }
      } else if (/[\p{L}\p{N}_\u2026]/u.test(character)) word += character;
      else refuse(`Unknown character '${character}'`, "A pattern holds names, numbers, spaces, brackets, three dots and one arrow.");
    }
    if (group) refuse(`Imbalanced parentheses in expression: "${text}"`, "A bracket was opened and not closed.");
    if (word) add();
    return { groups, names, dotsInside };
  }

  function checkName(word) {
    const invalid = (reason, words) => refuse(`Invalid axis identifier: ${word}\n${reason}`, words);
    if (!/^[\p{ID_Start}_]\p{ID_Continue}*$/u.test(word))
      invalid("not a valid python identifier", "A name is a name as in Python: letters, digits and underscores, no digit first.");
    if (word.startsWith("_") || word.endsWith("_"))
      invalid("axis name should should not start or end with underscore", "A name may neither start nor end with an underscore.");
  }

  const without = (names, others) => [...names].filter((name) => !others.has(name)).sort();

  /** Both sides, checked against each other, with the dots replaced by as many names as they stand for. */
  function readPattern(pattern, operation, given, count) {
    const sides = pattern.split("->");
    if (sides.length !== 2) complain("pattern", "A pattern has one arrow, written ->, between its two sides.", "ValueError");
    const [left, right] = sides.map(readSide);
    const [dotsLeft, dotsRight] = [left, right].map(({ names }) => names.has(DOTS));
    const [gone, added] = [without(left.names, right.names), without(right.names, left.names)];
    const nameless = [...left.names, ...right.names].some((axis) => axis.includes("#"));

    if (dotsRight && !dotsLeft)
      refuse(`Ellipsis found in right side, but not left side of a pattern ${pattern}`, "The dots on the right have no dots on the left to stand for.");
    if (dotsLeft && left.dotsInside)
      refuse(`Ellipsis inside parenthesis in the left side is not allowed: ${pattern}`, "On the left, dots stand for whole axes of x and not for parts of one.");
    if (operation === "rearrange") {
      if (nameless)
        refuse(
          "Non-unitary anonymous axes are not supported in rearrange (exception is length 1)",
          "rearrange must find every axis on both sides again, and a number has no name to find it by. Write a name, and its length below.",
        );
      const lonely = [...gone, ...added].sort();
      if (lonely.length)
        refuse(
          `Identifiers only on one side of expression (should be on both): ${printed(lonely)}`,
          `rearrange neither drops nor makes axes: ${listed(lonely)} must stand on both sides. To drop one use reduce, to make one use repeat.`,
        );
    } else if (operation === "repeat") {
      if (gone.length)
        refuse(`Unexpected identifiers on the left side of repeat: ${printed(gone)}`, `repeat drops no axis: ${listed(gone)} must stand on the right as well.`);
      const unsized = added.filter((axis) => !axis.includes("#") && !given.has(axis));
      if (unsized.length)
        refuse(`Specify sizes for new axes in repeat: ${printed(unsized)}`, `How long shall ${listed(unsized)} be? Write it below, as in ${label(unsized[0])}=2.`, "lengths");
    } else if (added.length)
      refuse(`Unexpected identifiers on the right side of reduce ${operation}: ${printed(added)}`, `reduce makes no new axis: ${listed(added)} must stand on the left as well.`);

    const spelled = left.groups.length - (dotsLeft ? 1 : 0);
    const counted = `The left side names ${spelled} ${spelled === 1 ? "axis" : "axes"}, x has ${count}.`;
    if (dotsLeft && count < spelled) refuse(`Wrong shape: expected >=${spelled} dims. Received ${count}-dim tensor.`, counted);
    if (!dotsLeft && count !== spelled) refuse(`Wrong shape: expected ${spelled} dims. Received ${count}-dim tensor.`, counted);
    const dots = Array.from({ length: count - spelled }, (_, i) => DOTS + i);
    const spell = (groups) =>
      groups.flatMap((group) => (group === DOTS ? dots.map((dot) => [dot]) : [group.flatMap((axis) => (axis === DOTS ? dots : [axis]))]));
    const [from, to] = [spell(left.groups), spell(right.groups)];

    const known = new Set([...from, ...to].flat());
    for (const name of given.keys()) {
      if (/^_|_$/.test(name)) refuse(`('Invalid name for an axis', '${name}')`, "A name may neither start nor end with an underscore.", "lengths");
      if (!known.has(name)) refuse(`Axis ${name} is not used in transform`, `There is a length for ${name}, but no such axis in the pattern.`, "lengths");
    }
    for (const group of from) {
      const unknown = group.filter((axis) => !axis.includes("#") && !given.has(axis)).sort();
      if (unknown.length > 1)
        refuse(
          `Could not infer sizes for ${printed(unknown)}`,
          `${written(group)} can be split in many ways: write the length of all its axes but one below.`,
          "lengths",
        );
    }
    return { from, to };
  }

  /** The length of every axis, where the pattern fits the shape. */
  function fit({ from, to }, shape, given) {
    const sizes = new Map();
    for (const axis of [...from, ...to].flat()) if (axis.includes("#")) sizes.set(axis, Number(label(axis)));
    for (const [axis, size] of given) sizes.set(axis, size);
    from.forEach((group, i) => {
      const [length, unknown] = [shape[i], group.filter((axis) => !sizes.has(axis))];
      const part = product(group.filter((axis) => sizes.has(axis)).map((axis) => sizes.get(axis)));
      if (unknown.length === 0 && length !== part)
        refuse(`Shape mismatch, ${length} != ${part}`, `Axis ${i} of x, ${written(group)}, is ${length} long, and the pattern makes it ${part}.`);
      if (length % part !== 0)
        refuse(
          `Shape mismatch, can't divide axis of length ${length} in chunks of ${part}`,
          `Axis ${i} of x is ${length} long, which ${part} does not divide: no length of ${label(unknown[0])} makes ${written(group)} fit.`,
        );
      if (unknown.length) sizes.set(unknown[0], length / part);
    });
    return sizes;
  }

  function readShape(text) {
    const words = text.split(/[\s,()]+/).filter(Boolean);
    const shape = words.map(Number);
    if (words.some((word) => !/^\d+$/.test(word)) || shape.includes(0))
      complain("shape", "The shape of x is a list of whole numbers, each at least 1, such as 2, 3, 4.");
    if (product(shape) > LARGEST) complain("shape", `x would hold ${product(shape)} numbers. Choose a shape with at most ${LARGEST}.`);
    return shape;
  }

  function readLengths(text) {
    const given = new Map();
    for (const word of text.split(/[\s,]+(?![\s,]*=)/).filter(Boolean)) {
      const [, name, size] = /^([\p{ID_Start}_]\p{ID_Continue}*)\s*=\s*(\d+)$/u.exec(word) ?? [];
      if (name === undefined || Number(size) < 1)
        complain("lengths", "Lengths are written as h=2, w=3: a name and a whole number of at least 1.");
      if (KEYWORDS.has(name)) complain("lengths", `${name} is a word of Python's own: give the axis another name.`, "SyntaxError");
      if (given.has(name)) complain("lengths", `There are two lengths for ${name}.`, "SyntaxError");
      given.set(name, Number(size));
    }
    return given;
  }

  // What einops computes.

  /** All places of a shape in order, as lists of indices. */
  const places = (shape) => shape.reduce((all, size) => all.flatMap((place) => Array.from({ length: size }, (_, i) => [...place, i])), [[]]);

  /** The move that a pattern describes: for each number of y its sources in x, and the steps that lead there. */
  function move(fields) {
    const shape = readShape(fields.shape);
    const given = readLengths(fields.lengths);
    const operation = fields.way.split(", ").pop();
    const { from, to } = readPattern(fields.pattern, operation, given, shape.length);
    const sizes = fit({ from, to }, shape, given);
    const size = (axis) => sizes.get(axis);
    const [before, after] = [from.flat(), to.flat()];
    const added = after.filter((axis) => !before.includes(axis));
    const gone = before.filter((axis) => !after.includes(axis));
    const outShape = to.map((group) => product(group.map(size)));
    const result = { operation, shape, from, to, sizes, added, gone, outShape, ...steps() };
    if (product(outShape) > LARGEST) return { ...result, tooLarge: true };

    /** Where a group stands: its last name counts fastest. */
    const at = (groups, index) => groups.flat().reduce((place, axis) => place * size(axis) + index.get(axis), 0);
    const loops = [...after, ...gone];
    const sources = Array.from({ length: product(outShape) }, () => []);
    for (const place of places(loops.map(size))) {
      const index = new Map(loops.map((axis, i) => [axis, place[i]]));
      sources[at(to, index)].push(at(from, index));
    }
    for (const numbers of sources) numbers.sort((a, b) => a - b);
    return { ...result, sources };

    function steps() {
      const list = [{ code: "x", shape, axes: from.map(written) }];
      const call = (method, numbers) => `.${method}(${numbers.join(", ") || "()"})`;
      const step = (code, axes) => list.push({ code, shape: axes.map(size), axes: axes.map(label) });
      if (from.some((group) => group.length !== 1)) step(call("view", before.map(size)), before);
      const kept = after.filter((axis) => before.includes(axis));
      const order = [...kept, ...gone].map((axis) => before.indexOf(axis));
      if (order.some((axis, i) => axis !== i)) step(call("permute", order), [...kept, ...gone]);
      if (gone.length) {
        const method = { max: "amax", min: "amin" }[operation] ?? operation;
        const dims = gone.map((_, i) => kept.length + i);
        step(`.${method}(dim=${dims.length === 1 ? dims[0] : tuple(dims)})`, kept);
      }
      if (added.length) {
        const unsqueezed = after.map((axis, i) => (added.includes(axis) ? `.unsqueeze(${i})` : "")).join("");
        step(unsqueezed + call("expand", after.map(size)), after);
      }
      const strides = before.map((_, i) => product(before.slice(i + 1).map(size)));
      const stride = (axis) => (added.includes(axis) ? 0 : strides[before.indexOf(axis)]);
      /** Whether one stride describes the merged axis. */
      const neighbours = (group) => {
        const long = group.filter((axis) => size(axis) > 1);
        return long.slice(1).every((axis, i) => stride(long[i]) === stride(axis) * size(axis));
      };
      const reduces = gone.length > 0;
      const copies = !reduces && !to.every(neighbours);
      if (to.some((group) => group.length !== 1)) {
        list.push({ code: call(copies || reduces ? "reshape" : "view", outShape), shape: outShape, axes: to.map(written) });
      }
      return { steps: list, copies, reduces };
    }
  }

  // What is shown.

  const SIDE = 28;
  const WIDE = 10; // squares beside each other that a telephone has room for

  /** Where the squares of a tensor stand: blocks of blocks of rows. Says the size, the corner of each square, and labels. */
  function layout(shape, groups) {
    if (shape.length === 0) return { width: SIDE, height: SIDE, corners: [[0, 0]], labels: [] };
    const depth = shape.length - 1;
    const inner = layout(shape.slice(1), groups.slice(1));
    const isBlock = depth > 1;
    const name = isBlock ? groups[0] : "";
    const width = Math.max(inner.width, isBlock ? 7 * `${name}=${shape[0] - 1}`.length : 0);
    const top = isBlock ? 17 : 0;
    const gap = isBlock ? 7 * depth - 6 : 0;
    const [right, down] = [width + gap, inner.height + top + gap];
    // Columns stand side by side, blocks of two axes as long as there is room, all else one below the other.
    const room = depth === 0 ? shape[0] : depth === 2 ? Math.floor((WIDE * SIDE + 40 + gap) / right) : 1;
    const abreast = Math.min(Math.max(room, 1), shape[0]);
    const [corners, labels] = [[], []];
    for (let i = 0; i < shape[0]; i++) {
      const [x, y] = [(i % abreast) * right, Math.floor(i / abreast) * down];
      if (isBlock) labels.push([x, y + 12, `${name}=${i}`]);
      for (const [a, b] of inner.corners) corners.push([x + a, y + top + b]);
      for (const [a, b, words] of inner.labels) labels.push([x + a, y + top + b, words]);
    }
    return { width: abreast * right - gap, height: Math.ceil(shape[0] / abreast) * down - gap, corners, labels };
  }

  /** A tensor as squares in a box that scrolls where it must; `look(i)` gives the attributes of square i. */
  function tensor(side, shape, groups, numbers, look) {
    const { width, height, corners, labels } = layout(shape, groups);
    const picture = kit.svg("svg", {
      viewBox: `-2 -2 ${width + 4} ${height + 4}`,
      width: width + 4,
      height: height + 4,
      role: "img",
      "aria-label": `${side}, shape ${tuple(shape)}, in order: ${numbers.join(", ")}`,
    });
    for (const [x, y, words] of labels) picture.append(kit.svg("text", { x, y, class: "axis-name" }, words));
    corners.forEach(([x, y], i) => {
      const small = numbers[i].length > 3 ? { class: "small" } : {};
      picture.append(
        kit.svg(
          "g",
          { transform: `translate(${x} ${y})`, "data-place": i, ...look(i) },
          kit.svg("rect", { width: SIDE, height: SIDE }),
          kit.svg("text", { x: SIDE / 2, y: SIDE / 2 + 5, ...small }, numbers[i]),
        ),
      );
    });
    picture.addEventListener("click", (event) => {
      const place = event.target.closest("g")?.dataset.place;
      if (place !== undefined) select(side, Number(place));
    });
    const parts = groups.map((group, i) => [["columns", "rows"][groups.length - 1 - i] ?? "blocks", group]);
    const legend = parts.map(([part, group]) => `${part} ${group}`).join(", ") || "one number";
    const scroll = kit.element("div", { class: "explorer-scroll", role: "group", "aria-label": `Drawing of ${side}` }, picture);
    const code = kit.element("code", {}, `${side} ${tuple(shape)}`);
    return kit.element("figure", { "data-tensor": side }, kit.element("figcaption", {}, code, ` ${legend}`), scroll);
  }

  const number = (value) => String(Number(value.toFixed(2)));

  /** What becomes of the numbers that meet in one place, and how that is written. */
  const REDUCTIONS = {
    sum: [(all) => all.reduce((a, b) => a + b, 0), (terms) => terms.join(" + ")],
    mean: [(all) => all.reduce((a, b) => a + b, 0) / all.length, (terms) => `(${terms.join(" + ")}) / ${terms.length}`],
    max: [(all) => Math.max(...all), (terms) => `max(${terms.join(", ")})`],
    min: [(all) => Math.min(...all), (terms) => `min(${terms.join(", ")})`],
  };

  const fields = { way: "", shape: "", pattern: "", lengths: "" };
  const chosen = { side: "x", place: 0, colour: "" };
  let moved = null; // the last move, null where there was none

  const result = kit.element("p", { class: "explorer-formula", id: "einops-result", "aria-live": "polite" });
  const call = kit.element("code", { class: "explorer-call" });
  const table = kit.element("div", {});
  const stage = kit.element("div", { class: "explorer-stage" });
  const path = kit.element("p", { class: "explorer-formula" });

  /** A labelled line to type in. It is read when the typing pauses, and at once with Enter. */
  function line(title, name) {
    const input = kit.element("input", { type: "text", name, id: `explore-${name}`, autocomplete: "off", autocapitalize: "off", spellcheck: "false" });
    let timer = null;
    const read = () => {
      clearTimeout(timer);
      if (input.value === fields[name]) return;
      fields[name] = input.value.replaceAll(DOTS, "..."); // which some keyboards make of three dots
      example.input.value = OWN;
      draw();
    };
    input.addEventListener("input", () => {
      clearTimeout(timer);
      timer = setTimeout(read, 500);
    });
    input.addEventListener("change", read);
    return { row: kit.row(title, input), input };
  }

  function load(name) {
    if (!(name in EXAMPLES)) return;
    [fields.way, fields.shape, fields.pattern, fields.lengths] = EXAMPLES[name];
    way.input.value = fields.way;
    for (const [key, { input }] of Object.entries(lines)) input.value = fields[key];
    Object.assign(chosen, { side: "x", place: 0, colour: "" });
    draw();
  }

  function select(side, place) {
    Object.assign(chosen, { side, place });
    drawTensors();
  }

  function draw() {
    const lengths = fields.lengths.trim() && `, ${fields.lengths.trim()}`;
    const [name, reduction] = fields.way.split(", ");
    call.textContent = `y = ${name}(x, "${fields.pattern}"${reduction ? `, "${reduction}"` : ""}${lengths})`;
    let wrong = null;
    try {
      moved = move(fields);
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      [moved, wrong] = [null, error];
    }
    for (const [key, { input }] of Object.entries(lines)) {
      if (wrong?.field === key) kit.fill(input, { "aria-invalid": "true", "aria-describedby": result.id }, []);
      else for (const attribute of ["aria-invalid", "aria-describedby"]) input.removeAttribute(attribute);
    }
    if (wrong) {
      result.replaceChildren(...(wrong.said ? [kit.element("code", { class: "said" }, wrong.said), " "] : []), wrong.message);
      table.replaceChildren();
    } else {
      const { shape, outShape, copies, reduces, tooLarge } = moved;
      const memory = reduces ? "" : copies ? " The last step copies: no strides describe the merged axes." : " No number is copied: y is a view of x.";
      const many = tooLarge ? ` y holds ${product(outShape)} numbers, too many to draw.` : "";
      result.textContent = `x ${tuple(shape)} becomes y ${tuple(outShape)}.${memory}${many}`;
      table.replaceChildren(stepTable());
    }
    offerColours();
    drawTensors();
  }

  function stepTable() {
    const cells = (kind, ...words) => words.map((word) => kit.element(kind, {}, word));
    const head = kit.element("tr", {}, ...cells("th", "Step", "Shape", "Axes"));
    const rows = moved.steps.map(({ code, shape, axes }) =>
      kit.element("tr", {}, ...cells("td", kit.element("code", {}, code), tuple(shape), axes.join(" "))),
    );
    for (const cell of head.children) cell.setAttribute("scope", "col");
    const caption = kit.element("caption", {}, "The steps that einops takes");
    return kit.element("table", { class: "explorer-table" }, caption, kit.element("thead", {}, head), kit.element("tbody", {}, ...rows));
  }

  /** The axes by which the squares can be coloured; the choice stays while its name does. */
  function offerColours() {
    const axes = moved ? [...moved.from.flat(), ...moved.added] : [];
    colour.replaceChildren(...axes.map((axis) => kit.element("option", { value: axis }, label(axis))));
    if (!axes.includes(chosen.colour)) chosen.colour = axes[0] ?? "";
    colour.value = chosen.colour;
    colour.disabled = axes.length === 0;
  }

  /** A flat place as indices, for axes of these lengths. */
  function unravel(place, shape) {
    return shape.map((size, i) => Math.floor(place / product(shape.slice(i + 1))) % size);
  }

  function drawTensors() {
    const drawable = moved && !moved.tooLarge;
    for (const { input } of [inX, inY]) input.disabled = !drawable;
    if (!moved) {
      path.textContent = "";
      stage.replaceChildren(...untouched());
      return;
    }
    const { shape, outShape, from, to, sizes, sources, operation, reduces } = moved;
    const count = product(shape);
    const shade = (groups, isMarked) => (place) => {
      if (isMarked(place)) return { class: "chosen" };
      const axes = groups.flat();
      const found = axes.indexOf(chosen.colour);
      if (found < 0) return { class: "plain" };
      const lengths = axes.map((axis) => sizes.get(axis));
      const share = unravel(place, lengths)[found] / Math.max(lengths[found] - 1, 1);
      return { class: "shade", style: `--share: ${Math.round(100 * share)}%` };
    };
    const numbers = Array.from({ length: count }, (_, i) => String(i));
    if (!drawable) {
      path.textContent = "";
      stage.replaceChildren(tensor("x", shape, from.map(written), numbers, shade(from, () => false)));
      return;
    }
    if (chosen.place >= (chosen.side === "x" ? count : sources.length)) chosen.place = 0;
    const targets = sources.flatMap((all, place) => (all.includes(chosen.place) ? [place] : []));
    const marks = chosen.side === "x" ? { x: [chosen.place], y: targets } : { x: sources[chosen.place], y: [chosen.place] };
    const [reckon, write] = REDUCTIONS[operation] ?? [([value]) => value, ([value]) => String(value)];
    const outcome = sources.map((all) => number(reckon(all)));
    stage.replaceChildren(
      tensor("x", shape, from.map(written), numbers, shade(from, (place) => marks.x.includes(place))),
      tensor("y", outShape, to.map(written), outcome, shade(to, (place) => marks.y.includes(place))),
    );
    for (const scroll of stage.querySelectorAll(".explorer-scroll")) keepInSight(scroll);

    const named = (side, place, lengths) => (lengths.length ? `${side}[${unravel(place, lengths).join(", ")}]` : side);
    const where = (groups, place) => {
      const axes = groups.flat();
      const indices = unravel(place, axes.map((axis) => sizes.get(axis)));
      return axes.map((axis, i) => `${label(axis)}=${indices[i]}`).join(", ");
    };
    const [first] = marks.y;
    const sum = reduces ? ` ${named("y", first, outShape)} = ${write(sources[first])} = ${outcome[first]}.` : "";
    const goals = marks.y.map((place) => named("y", place, outShape)).join(", ");
    const [own, groups] = chosen.side === "x" ? [shape, from] : [outShape, to];
    const names = where(groups, chosen.place);
    const here = named(chosen.side, chosen.place, own) + (names && ` (${names})`);
    const origin = marks.x.length === 1 ? named("x", marks.x[0], shape) : `${marks.x.length} numbers`;
    path.textContent =
      chosen.side === "x" ? `${here} is ${chosen.place} and goes to ${goals}.${sum}` : `${here} is ${outcome[first]} and comes from ${origin}.${sum}`;
    place(inX, marks.x[0], count);
    place(inY, first, sources.length);
  }

  /** x alone, with its axes numbered, where the pattern says nothing. */
  function untouched() {
    try {
      const shape = readShape(fields.shape);
      const numbers = Array.from({ length: product(shape) }, (_, i) => String(i));
      return [tensor("x", shape, shape.map((_, i) => `axis ${i}`), numbers, () => ({ class: "plain" }))];
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return [];
    }
  }

  function place({ row, input }, value, count) {
    input.max = count - 1;
    input.value = row.querySelector("output").value = value;
    input.setAttribute("aria-valuetext", path.textContent);
  }

  /** Scroll a wide drawing to its first marked square, and let the keyboard scroll it. */
  function keepInSight(scroll) {
    if (scroll.scrollWidth <= scroll.clientWidth) return;
    scroll.tabIndex = 0;
    const marked = scroll.querySelector(".chosen").getBoundingClientRect();
    scroll.scrollLeft = marked.left - scroll.getBoundingClientRect().left - scroll.clientWidth / 2;
  }

  const example = kit.choice("example", { name: "example", options: [...Object.keys(EXAMPLES), OWN] }, load);
  const ways = ["rearrange", "repeat", ...Object.keys(REDUCTIONS).map((name) => `reduce, ${name}`)];
  const way = kit.choice("function", { name: "way", options: ways }, (value) => {
    fields.way = value;
    example.input.value = OWN;
    draw();
  });
  const lines = { shape: line("shape of x", "shape"), pattern: line("pattern", "pattern"), lengths: line("lengths", "lengths") };
  const colour = kit.element("select", { id: "explore-colour" });
  colour.addEventListener("change", () => {
    chosen.colour = colour.value;
    drawTensors();
  });
  const inX = kit.slider("number in x", { name: "x", min: 0, max: 1, value: 0 }, (value) => select("x", value));
  const inY = kit.slider("place in y", { name: "y", min: 0, max: 1, value: 0 }, (value) => select("y", value));

  lines.pattern.row.classList.add("whole");
  const rows = [example.row, way.row, lines.pattern.row, lines.shape.row, lines.lengths.row];
  const pointers = [inX.row, inY.row, kit.row("colour by axis", colour)];
  box.append(
    kit.element("div", { class: "explorer-sliders" }, ...rows),
    kit.element("p", {}, call),
    result,
    kit.element("div", { class: "explorer-sliders" }, ...pointers),
    path,
    stage,
    table,
  );
  load("patches");
  example.input.value = "patches";
})();
