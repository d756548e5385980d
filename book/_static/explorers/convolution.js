"use strict";
// Explorer: a kernel moves over a picture, one sum at a time.

(() => {
  const box = document.getElementById("explorer-convolution");
  const LIMITS = { size: [3, 10, 9], kernel: [1, 5, 3], stride: [1, 3, 1], padding: [0, 3, 0], dilation: [1, 3, 1] };
  const chosen = Object.fromEntries(Object.entries(LIMITS).map(([name, [, , value]]) => [name, value]));

  /** An X of ones on a ground of minus ones; from 5 pixels on with a margin. */
  function picture(size) {
    const margin = size < 5 ? 0 : 1;
    const drawn = (i, j) => (i === j || i + j === size - 1) && i >= margin && i < size - margin;
    return table(size, (i, j) => (drawn(i, j) ? 1 : -1));
  }

  /** The stroke from the upper left to the lower right. */
  function kernel(size) {
    return table(size, (i, j) => (i === j ? 1 : -1));
  }

  function table(size, entry) {
    return Array.from({ length: size }, (_, i) => Array.from({ length: size }, (_, j) => entry(i, j)));
  }

  function padded(numbers, padding) {
    const at = (i) => i - padding;
    return table(numbers.length + 2 * padding, (i, j) => numbers[at(i)]?.[at(j)] ?? 0);
  }

  function outputSize() {
    const span = chosen.dilation * (chosen.kernel - 1) + 1;
    return Math.floor((chosen.size + 2 * chosen.padding - span) / chosen.stride) + 1;
  }

  /** The taps of the kernel at one output: where they lie, their weight, and the number under them. */
  function taps(input, weights, row, column) {
    return weights.flatMap((line, k) =>
      line.map((weight, l) => {
        const [i, j] = [row * chosen.stride + k * chosen.dilation, column * chosen.stride + l * chosen.dilation];
        return { i, j, weight, number: input[i][j] };
      }),
    );
  }

  const sum = (terms) => terms.reduce((total, { weight, number }) => total + weight * number, 0);

  const stage = kit.element("div", { class: "explorer-stage" });
  const length = kit.element("p", { class: "explorer-formula", "aria-live": "polite" });
  const sumHere = kit.element("strong", { "aria-live": "polite" });
  const products = kit.element("span");
  const terms = kit.element("p", { class: "explorer-formula" }, sumHere, products);
  const steps = kit.walk("output position", draw);

  function draw() {
    const { size, kernel: K, stride, padding, dilation } = chosen;
    const input = padded(picture(size), padding);
    const weights = kernel(K);
    const n = outputSize();
    const fits = n > 0;
    const position = steps.reach(fits ? n * n : 0);

    const span = dilation * (K - 1) + 1;
    const reckoned = `\u230a(${size} + 2\u00b7${padding} \u2212 ${dilation}\u00b7(${K} \u2212 1) \u2212 1) / ${stride}\u230b + 1`;
    length.textContent = fits
      ? `Output size: ${reckoned} = ${n}`
      : `The kernel spans ${span} pixels, the padded input has ${input.length}: torch raises a RuntimeError.`;

    const [row, column] = fits ? [Math.floor(position / n), position % n] : [0, 0];
    const read = fits ? taps(input, weights, row, column) : [];
    const isRead = new Set(read.map(({ i, j }) => `${i},${j}`));
    const sign = (number) => (number > 0 ? "plus" : number < 0 ? "minus" : "zero");
    const outside = (i) => i < padding || i >= padding + size;
    const lookInput = (i, j) =>
      (outside(i) || outside(j) ? "padded" : sign(input[i][j])) + (isRead.has(`${i},${j}`) ? " read" : "");
    const figures = [
      kit.figure(`Input, ${size} \u00d7 ${size}`, kit.squares(input, "The input with its padding.", lookInput)),
      kit.figure(`Kernel, ${K} \u00d7 ${K}`, kit.squares(weights, "The kernel.", (i, j) => sign(weights[i][j]))),
    ];
    if (fits) {
      const output = table(n, (i, j) => sum(taps(input, weights, i, j)));
      const isMatch = (i, j) => output[i][j] === K * K; // every pixel under the kernel agrees
      const lookOutput = (i, j) => (isMatch(i, j) ? "match" : sign(output[i][j])) + (i === row && j === column ? " read" : "");
      const drawing = kit.squares(output, "The output.", lookOutput);
      drawing.addEventListener("click", (event) => {
        const { row: i, column: j } = event.target.closest("g")?.dataset ?? {};
        if (i !== undefined) steps.go(Number(i) * n + Number(j));
      });
      figures.push(kit.figure(`Output, ${n} \u00d7 ${n}`, drawing));
      const total = kit.number(sum(read));
      sumHere.setAttribute("aria-live", steps.plays() ? "off" : "polite"); // nobody could listen to a sum every 600 ms
      sumHere.textContent = `Output (${row}, ${column}) is ${total}`;
      products.textContent = ` = ${read.map(product).join(" + ")}`;
      steps.say(`row ${row}, column ${column}`);
    } else {
      sumHere.textContent = products.textContent = "";
      steps.say("none");
    }
    stage.replaceChildren(...figures);
  }

  const product = ({ weight, number }) => `${factor(weight)}\u00b7${factor(number)}`;
  const factor = (number) => (number < 0 ? `(${kit.number(number)})` : String(number));

  const labels = { size: "input size", kernel: "kernel_size", stride: "stride", padding: "padding", dilation: "dilation" };
  const sliders = Object.entries(LIMITS).map(([name, [min, max, value]]) => {
    const slider = kit.slider(labels[name], { name, min, max, value }, (number) => {
      chosen[name] = number;
      draw();
    });
    return slider.row;
  });
  box.append(kit.element("div", { class: "explorer-sliders" }, ...sliders), length, steps.row, stage, terms);
  draw();
})();
