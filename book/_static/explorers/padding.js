"use strict";
// Explorer: which sample each place of a padded row or image copies.

(() => {
  const box = document.getElementById("explorer-padding");
  const [SIGNAL, IMAGE] = ["a signal", "an image"];
  const chosen = { mode: "reflect", input: SIGNAL, value: 0, width: 4, height: 3 };
  const sides = { left: 3, right: 3, top: 1, bottom: 2 };
  const place = { column: -2, row: -1 };

  const minus = (number) => kit.number(number);
  const several = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;

  // For each mode: the sample that stands at place j of an axis of n samples, how it is reckoned, and how many samples the mode
  // can add on a side.
  const MODES = {
    constant: {
      source: (j, n) => (j < 0 || j >= n ? null : j),
      reckoning: (j) => minus(j),
      reach: () => Infinity,
    },
    reflect: {
      source: (j, n) => n - 1 - Math.abs(n - 1 - Math.abs(j)),
      reckoning: (j, n) => `${n - 1} \u2212 |${n - 1} \u2212 |${minus(j)}||`,
      reach: (n) => n - 1,
      refusal: (n) => `a mirror at the end of ${several(n, "sample")} shows only ${n - 1}`,
    },
    replicate: {
      source: (j, n) => Math.min(Math.max(j, 0), n - 1),
      reckoning: (j, n) => `min(max(${minus(j)}, 0), ${n - 1})`,
      reach: () => Infinity,
    },
    circular: {
      source: (j, n) => ((j % n) + n) % n,
      reckoning: (j, n) => `${minus(j)} mod ${n}`,
      reach: (n) => n,
      refusal: (n) => `a ring of ${several(n, "sample")} is walked round once at most`,
    },
  };

  /** Both axes as they are chosen; a signal is an image of one row that is padded at the left and right only. */
  function axes() {
    const image = chosen.input === IMAGE;
    const down = image ? [chosen.height, sides.top, sides.bottom] : [1, 0, 0];
    return [down, [chosen.width, sides.left, sides.right]].map(([n, before, after]) => ({ n, before, after }));
  }

  /** Why torch refuses the chosen sides, in words; "" where it does not. */
  function refusal() {
    const { reach, refusal } = MODES[chosen.mode];
    const named = chosen.input === IMAGE ? Object.keys(sides) : ["left", "right"];
    for (const side of named) {
      const n = side === "left" || side === "right" ? chosen.width : chosen.height;
      if (sides[side] > reach(n)) return `${refusal(n)}, and ${side} is ${sides[side]}.`;
    }
    return "";
  }

  const call = kit.element("code");
  const size = kit.element("p", { class: "explorer-formula" });
  const summary = kit.element("div", { "aria-live": "polite" }, kit.element("p", {}, call), size);
  const stage = kit.element("div", { class: "explorer-stage" });
  const result = kit.element("p", { class: "explorer-formula", "aria-live": "polite" });

  const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
  const places = ({ n, before, after }) => range(-before, n + after);
  const number = (row, column) => row * chosen.width + column + 1;

  /** The sample at a place, as [row, column]; null where a constant stands. */
  function sourceOf(row, column, [down, across]) {
    const { source } = MODES[chosen.mode];
    const sample = [source(row, down.n), source(column, across.n)];
    return sample.includes(null) ? null : sample;
  }

  const numberAt = (sample) => (sample === null ? chosen.value : number(...sample));
  const isSame = (a, b) => a !== null && b !== null && a[0] === b[0] && a[1] === b[1];

  /** An arrow that leads from a sample to its copy, in squares counted from the drawing's corner. */
  function arrow([fromRow, fromColumn], [row, column]) {
    const middle = (index) => (index + 0.5) * kit.side;
    const [x1, y1, x2, y2] = [fromColumn, fromRow, column, row].map(middle);
    const length = Math.hypot(x2 - x1, y2 - y1);
    const bend = Math.min(0.4 * length, 80) * (x2 < x1 ? 1 : -1); // upwards
    const [x, y] = [(x1 + x2) / 2 - (bend * (y2 - y1)) / length, (y1 + y2) / 2 + (bend * (x2 - x1)) / length];
    const towards = (x0, y0, by) => {
      const far = Math.hypot(x - x0, y - y0);
      return [x0 + (by * (x - x0)) / far, y0 + (by * (y - y0)) / far];
    };
    const [start, end] = [towards(x1, y1, 13), towards(x2, y2, 20)];
    const [tip, angle] = [towards(x2, y2, 12), (180 / Math.PI) * Math.atan2(y2 - y, x2 - x)];
    const head = kit.svg("path", { d: "M0 0l-9 -5v10z", class: "arc-end", transform: `translate(${tip}) rotate(${angle})` });
    return [kit.svg("path", { d: `M${start}Q${x},${y} ${end}`, class: "arc" }), head];
  }

  /** What stands round a drawing; a signal needs no numbers of rows, but room for the arrow. */
  function surroundings(rows, columns) {
    return chosen.input === IMAGE ? { rows, columns, above: 12 } : { columns, above: 44 };
  }

  function drawPadded(both) {
    const [down, across] = both;
    const [rows, columns] = both.map(places);
    const samples = rows.map((i) => columns.map((j) => sourceOf(i, j, both)));
    const source = sourceOf(place.row, place.column, both);
    const isAdded = (i, j) => rows[i] < 0 || rows[i] >= down.n || columns[j] < 0 || columns[j] >= across.n;
    const look = (i, j) => {
      if (rows[i] === place.row && columns[j] === place.column) return "chosen";
      return (isAdded(i, j) ? "padded" : "plain") + (isSame(samples[i][j], source) ? " read" : "");
    };
    const numbers = samples.map((row) => row.map(numberAt));
    const words = `The padded ${chosen.input === IMAGE ? "rows" : "signal"}: ${numbers.map((row) => row.join(" ")).join("; ")}.`;
    const drawing = kit.squares(numbers, words, look, surroundings(rows, columns));
    if (source !== null && !(source[0] === place.row && source[1] === place.column)) {
      const corner = ([row, column]) => [row + down.before, column + across.before];
      drawing.append(...arrow(corner(source), corner([place.row, place.column])));
    }
    return kit.pointAt(drawing, (i, j) => visit({ row: rows[i], column: columns[j] }));
  }

  /** How many places copy each sample. */
  function countReads(both) {
    const [rows, columns] = both.map(places);
    const counts = range(0, both[0].n).map(() => Array(both[1].n).fill(0));
    for (const i of rows)
      for (const j of columns) {
        const sample = sourceOf(i, j, both);
        if (sample !== null) counts[sample[0]][sample[1]]++;
      }
    return counts;
  }

  function drawReads(both, counts) {
    const source = sourceOf(place.row, place.column, both);
    const words = `How many places copy each sample: ${counts.map((row) => row.join(" ")).join("; ")}.`;
    const look = (i, j) => (isSame([i, j], source) ? "read" : "plain");
    return kit.squares(counts, words, look, surroundings(...both.map(({ n }) => range(0, n))));
  }

  /** The chosen place in words. */
  function describe(both, counts) {
    const [rows, columns] = both.map(places);
    const image = chosen.input === IMAGE;
    const named = (row, column) => (image ? `(${minus(row)}, ${minus(column)})` : minus(column));
    const here = `Place ${named(place.row, place.column)}`;
    const source = sourceOf(place.row, place.column, both);
    if (source === null) return `${here} copies no sample: it holds the value ${chosen.value}, and its gradient is lost.`;
    const { reckoning } = MODES[chosen.mode];
    const index = (j, n, sample) => (reckoning(j, n) === String(sample) ? `${sample}` : `${reckoning(j, n)} = ${sample}`);
    const [byRow, byColumn] = [index(place.row, both[0].n, source[0]), index(place.column, both[1].n, source[1])];
    const looked = image ? `row ${byRow}, column ${byColumn}` : byColumn;
    const copies = rows.flatMap((i) => columns.map((j) => [i, j])).filter((at) => isSame(sourceOf(...at, both), source));
    const count = counts[source[0]][source[1]];
    const where = image ? "" : `: ${copies.map((at) => named(...at)).join(", ")}`;
    return (
      `${here}: ${looked}. It shows sample ${named(...source)}, the number ${numberAt(source)}. ` +
      `That sample stands at ${several(count, "place")}${where}. So the gradient of the sum is ${count} at this sample.`
    );
  }

  function draw() {
    const both = axes();
    const [down, across] = both;
    const image = chosen.input === IMAGE;
    for (const row of [height.row, top.row, bottom.row, downwards.row]) row.hidden = !image;
    value.row.hidden = chosen.mode !== "constant";

    const pad = [sides.left, sides.right, ...(image ? [sides.top, sides.bottom] : [])].join(", ");
    const constant = chosen.mode === "constant" && chosen.value !== 0 ? `, value=${chosen.value}` : "";
    call.textContent = `F.pad(x, (${pad}), mode="${chosen.mode}"${constant})`;
    const refused = refusal();
    for (const { input } of [downwards, sideways]) input.disabled = refused !== "";
    if (refused) {
      size.textContent = `torch raises a RuntimeError: ${refused}`;
      const numbers = range(0, down.n).map((i) => range(0, across.n).map((j) => number(i, j)));
      stage.replaceChildren(kit.figure("Not padded", kit.squares(numbers, "The input, not padded.", () => "plain")));
      result.textContent = "";
      return;
    }
    for (const [slider, axis, name] of [[downwards, down, "row"], [sideways, across, "column"]]) {
      slider.input.min = -axis.before;
      slider.input.max = axis.n + axis.after - 1;
      place[name] = Math.min(Math.max(place[name], -axis.before), axis.n + axis.after - 1);
      slider.show(place[name]);
    }
    const sizes = both.map((axis) => [axis.n, places(axis).length]);
    size.textContent = image
      ? `${sizes[0][0]} \u00d7 ${sizes[1][0]} becomes ${sizes[0][1]} \u00d7 ${sizes[1][1]}.`
      : `${several(sizes[1][0], "sample")} become${sizes[1][0] === 1 ? "s" : ""} ${sizes[1][1]}.`;
    const counts = countReads(both);
    stage.replaceChildren(
      kit.figure("Padded; what was added is dashed", drawPadded(both)),
      kit.figure("Gradient of the sum", drawReads(both, counts)),
    );
    result.textContent = describe(both, counts);
  }

  function visit(at) {
    if (at.row === place.row && at.column === place.column) return;
    Object.assign(place, at);
    draw();
  }

  const change = (into, name) => (value) => {
    into[name] = value;
    draw();
  };
  const slider = (label, into, name, min, max) =>
    kit.slider(label, { name, min, max, value: into[name] }, change(into, name));
  const mode = kit.choice("mode", { name: "mode", options: Object.keys(MODES) }, change(chosen, "mode"));
  mode.input.value = chosen.mode;
  const input = kit.choice("x is", { name: "input", options: [SIGNAL, IMAGE] }, change(chosen, "input"));
  const value = slider("value", chosen, "value", 0, 9);
  const width = slider("x, width", chosen, "width", 1, 5);
  const height = slider("x, height", chosen, "height", 1, 4);
  const [left, right, top, bottom] = Object.keys(sides).map((side) => slider(side, sides, side, 0, 5));
  const sideways = slider("place, across", place, "column", -5, 9);
  const downwards = slider("place, down", place, "row", -5, 8);
  const rows = (...sliders) => kit.element("div", { class: "explorer-sliders" }, ...sliders.map(({ row }) => row));
  box.append(rows(mode, input, value, width, height, left, right, top, bottom), summary, stage, rows(sideways, downwards), result);
  draw();
})();
