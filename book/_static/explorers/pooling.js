"use strict";
// Explorer: a pooling window moves over a small image; who wins, or what the sum is divided by.

(() => {
  const box = document.getElementById("explorer-pooling");
  const [MAX, AVERAGE] = ["maximum", "average"];
  const [NO, YES] = ["False", "True"];
  const LIMITS = { size: [3, 6], kernel: [1, 4], stride: [1, 4], padding: [0, 2], dilation: [1, 3] };
  const chosen = {
    pool: MAX,
    content: "digits",
    size: 6,
    kernel: 3,
    stride: 2,
    padding: 1,
    dilation: 1,
    ceil: NO,
    include: YES,
  };

  const PI = ["314159", "265358", "979323", "846264", "338327", "950288"];
  const CONTENTS = {
    digits: (i, j) => Number(PI[i][j]),
    ones: () => 1,
    "below zero": (i, j) => PI[i][j] - 10,
  };

  const isMax = () => chosen.pool === MAX;
  const dilation = () => (isMax() ? chosen.dilation : 1);
  const span = () => dilation() * (chosen.kernel - 1) + 1;
  const range = (from, to) => Array.from({ length: to - from }, (_, i) => from + i);
  const table = (rows, columns, entry) => range(0, rows).map((i) => range(0, columns).map((j) => entry(i, j)));
  const several = (count, name) => `${count} ${name}${count === 1 ? "" : "s"}`;
  const rounded = (value) => Math.round(100 * value) / 100;

  /** How many windows stand along an axis, and how many would by rounding alone. */
  function windows() {
    const { size, padding, stride, ceil } = chosen;
    const steps = (size + 2 * padding - span()) / stride;
    const wanted = (ceil === YES ? Math.ceil(steps) : Math.floor(steps)) + 1;
    const isDropped = ceil === YES && (wanted - 1) * stride >= size + padding;
    return { wanted, count: wanted - isDropped };
  }

  /** Why torch refuses, in words; "" where it does not. */
  function refusal() {
    const { kernel, padding, size } = chosen;
    const half = Math.floor(kernel / 2);
    if (padding > half) return `padding is ${padding}, and half of kernel_size is the most it may be, here ${half}.`;
    if (windows().count < 1) return `a window spans ${span()} places, and the padded image has ${size + 2 * padding}.`;
    return "";
  }

  /** The places that a window reads along an axis. */
  const taps = (window) => range(0, chosen.kernel).map((k) => chosen.stride * window + dilation() * k - chosen.padding);
  const isSample = (i) => 0 <= i && i < chosen.size;
  const isPadded = (i) => -chosen.padding <= i && i < chosen.size + chosen.padding;

  /** What the window of output (row, column) reads, and what comes of it. */
  function pool(row, column) {
    const places = taps(row).flatMap((i) => taps(column).map((j) => ({ i, j })));
    const samples = places
      .filter(({ i, j }) => isSample(i) && isSample(j))
      .map((at) => ({ ...at, number: CONTENTS[chosen.content](at.i, at.j) }));
    const padded = places.filter(({ i, j }) => isPadded(i) && isPadded(j)).length;
    const sum = samples.reduce((total, { number }) => total + number, 0);
    const divisor = chosen.include === YES ? padded : samples.length;
    const winner = samples.reduce((best, sample) => (sample.number > best.number ? sample : best)); // of equals the first
    const value = isMax() ? winner.number : sum / divisor;
    return { places, samples, padded, sum, divisor, winner, value };
  }

  /** How much each sample adds to the sum of all outputs. */
  function gradient(pooled) {
    const result = table(chosen.size, chosen.size, () => 0);
    for (const { samples, divisor, winner } of pooled.flat()) {
      if (isMax()) result[winner.i][winner.j] += 1;
      else for (const { i, j } of samples) result[i][j] += 1 / divisor;
    }
    return result;
  }

  const call = kit.element("code");
  const size = kit.element("p", { class: "explorer-formula" });
  const summary = kit.element("div", { "aria-live": "polite" }, kit.element("p", {}, call), size);
  const stage = kit.element("div", { class: "explorer-stage" });
  const result = kit.element("p", { class: "explorer-formula" });
  const steps = kit.walk("output position", draw);

  function called() {
    const { kernel, stride, padding, ceil, include } = chosen;
    const own = isMax() ? `, dilation=${chosen.dilation}` : "";
    const counted = isMax() ? "" : `, count_include_pad=${include}`;
    return `F.${isMax() ? "max" : "avg"}_pool2d(x, ${kernel}, stride=${stride}, padding=${padding}${own}, ceil_mode=${ceil}${counted})`;
  }

  function reckoned({ wanted, count }) {
    const { size: n, kernel, stride, padding, ceil } = chosen;
    const [open, close] = ceil === YES ? ["\u2308", "\u2309"] : ["\u230a", "\u230b"];
    const length = `(${n} + 2\u00b7${padding} \u2212 ${dilation()}\u00b7(${kernel} \u2212 1) \u2212 1) / ${stride}`;
    const dropped = count < wanted ? `, less the last window, which would start in the padding on the right: ${count}` : "";
    return `Output size: ${open}${length}${close} + 1 = ${wanted}${dropped}`;
  }

  /** The image with its padding, and as much beyond it as the last window reaches. */
  function drawInput(count, { places, winner }) {
    const end = Math.max(chosen.size + chosen.padding, chosen.stride * (count - 1) - chosen.padding + span());
    const axis = range(-chosen.padding, end);
    const read = new Set(places.map(({ i, j }) => `${i},${j}`));
    const outside = (i, j) => (isPadded(i) && isPadded(j) && !isMax() && chosen.include === YES ? 0 : "");
    const numbers = axis.map((i) =>
      axis.map((j) => (isSample(i) && isSample(j) ? CONTENTS[chosen.content](i, j) : outside(i, j))),
    );
    const look = (r, c) => {
      const [i, j] = [axis[r], axis[c]];
      if (isMax() && i === winner.i && j === winner.j) return "chosen";
      const ground = isSample(i) && isSample(j) ? "plain" : isPadded(i) && isPadded(j) ? "padded" : "beyond";
      return ground + (read.has(`${i},${j}`) ? " read" : "");
    };
    const words = `The image, ${chosen.size} by ${chosen.size}, with its padding; the window is marked.`;
    const drawing = kit.squares(numbers, words, look, { rows: axis, columns: axis });
    const nearest = (i) =>
      Math.min(Math.max(Math.round((i + chosen.padding - (span() - 1) / 2) / chosen.stride), 0), count - 1);
    return kit.pointAt(drawing, (r, c) => visit(nearest(axis[r]), nearest(axis[c]), count));
  }

  const fine = (number) => (String(number).length > 2 ? " fine" : "");

  function drawOutput(pooled, row, column) {
    const count = pooled.length;
    const numbers = pooled.map((line) => line.map(({ value }) => rounded(value)));
    const words = `The output: ${numbers.map((line) => line.join(" ")).join("; ")}.`;
    const look = (i, j) => (i === row && j === column ? "read" : "plain") + fine(numbers[i][j]);
    const edges = { rows: range(0, count), columns: range(0, count) };
    return kit.pointAt(kit.squares(numbers, words, look, edges), (i, j) => visit(i, j, count));
  }

  function drawGradient(pooled) {
    const numbers = gradient(pooled).map((line) => line.map(rounded));
    const words = `The gradient of the sum of the outputs: ${numbers.map((line) => line.join(" ")).join("; ")}.`;
    const edges = { rows: range(0, chosen.size), columns: range(0, chosen.size) };
    return kit.squares(numbers, words, (i, j) => (numbers[i][j] === 0 ? "minus" : "plus") + fine(numbers[i][j]), edges);
  }

  /** The chosen window in words. */
  function describe(row, column, { places, samples, padded, sum, divisor, winner, value }) {
    const here = `Output (${row}, ${column})`;
    const [inPadding, beyond] = [padded - samples.length, places.length - padded];
    const of = `Of the ${several(places.length, "place")} in the window ${samples.length} hold${samples.length === 1 ? "s" : ""} a sample`;
    if (isMax()) {
      const equals = samples.filter(({ number }) => number === winner.number).length;
      const tie = equals > 1 ? ` It stands there ${equals} times, and the first of the equals wins.` : "";
      const ignored = places.length > samples.length ? ` ${of}; the others take no part.` : "";
      return (
        `${here}: ${kit.number(winner.number)} wins, at row ${winner.i}, column ${winner.j}, ` +
        `flat index ${winner.i}\u00b7${chosen.size} + ${winner.j} = ${winner.i * chosen.size + winner.j}.${tie}${ignored}`
      );
    }
    const padding = inPadding ? `, ${inPadding} lie${inPadding === 1 ? "s" : ""} in the padding` : "";
    const counts = inPadding ? (chosen.include === YES ? " and count as 0" : " and do not count") : "";
    const further = beyond ? `, ${beyond} beyond the padding, which never counts` : "";
    const equal = Number.isInteger(100 * value) ? "=" : "\u2248";
    return `${here}: ${kit.number(sum)} / ${divisor} ${equal} ${kit.number(rounded(value))}. ${of}${padding}${counts}${further}.`;
  }

  function visit(row, column, count) {
    if (steps.reach(count * count) !== row * count + column) steps.go(row * count + column);
  }

  function draw() {
    dilated.row.hidden = !isMax();
    include.row.hidden = isMax();
    const refused = refusal();
    const { count } = windows();
    const place = steps.reach(refused ? 0 : count * count);
    call.textContent = called();
    size.textContent = refused ? `torch raises a RuntimeError: ${refused}` : reckoned(windows());
    if (refused) {
      const { size: n, content } = chosen;
      const image = kit.squares(table(n, n, CONTENTS[content]), "The image.", () => "plain", { rows: range(0, n), columns: range(0, n) });
      stage.replaceChildren(kit.figure("Input", image));
      result.textContent = "";
      steps.say("no window");
      return;
    }
    const [row, column] = [Math.floor(place / count), place % count];
    const pooled = table(count, count, pool);
    const here = pooled[row][column];
    steps.say(`row ${row}, column ${column}`);
    result.setAttribute("aria-live", steps.plays() ? "off" : "polite");
    result.textContent = describe(row, column, here);
    stage.replaceChildren(
      kit.figure(`Input, ${chosen.size} \u00d7 ${chosen.size}`, drawInput(count, here)),
      kit.figure(`Output, ${count} \u00d7 ${count}`, drawOutput(pooled, row, column)),
      kit.figure("Gradient of the sum", drawGradient(pooled)),
    );
  }

  const choose = (name) => (value) => {
    chosen[name] = value;
    draw();
  };
  const list = (label, name, options) => {
    const choice = kit.choice(label, { name, options }, choose(name));
    choice.input.value = chosen[name];
    return choice;
  };
  const slider = (label, name) => {
    const [min, max] = LIMITS[name];
    return kit.slider(label, { name, min, max, value: chosen[name] }, choose(name));
  };
  const dilated = slider("dilation", "dilation");
  const include = list("count_include_pad", "include", [YES, NO]);
  const rows = [
    list("pool", "pool", [MAX, AVERAGE]),
    list("x holds", "content", Object.keys(CONTENTS)),
    slider("x, size", "size"),
    slider("kernel_size", "kernel"),
    slider("stride", "stride"),
    slider("padding", "padding"),
    dilated,
    list("ceil_mode", "ceil", [NO, YES]),
    include,
  ].map(({ row }) => row);
  box.append(kit.element("div", { class: "explorer-sliders" }, ...rows), summary, stage, steps.row, result);
  draw();
})();
