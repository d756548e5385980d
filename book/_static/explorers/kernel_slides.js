"use strict";
// The picture of the landing page, in motion: a kernel of three weights on a signal of eight samples. The numbers and the
// places are those of the drawing, which is a picture of its own without this script.

{
  const box = document.getElementById("explorer-kernel_slides");
  const drawing = box.querySelector("svg");
  const cells = (row) => [...drawing.querySelectorAll(`.${row} .cell`)];
  const numbers = (row) => cells(row).map((cell) => Number(cell.textContent.replace("\u2212", "-")));
  const place = (cell) => Number(cell.querySelector("rect").getAttribute("x"));
  const [signal, weights] = [numbers("signal"), numbers("kernel")];
  const [signalCells, outputCells] = [cells("signal"), cells("output")];
  const kernel = drawing.querySelector(".kernel");
  const sum = drawing.querySelector(".sum-at");
  const drawnAt = signalCells.findIndex((cell) => place(cell) === place(kernel.querySelector(".cell")));
  const step = place(signalCells[1]) - place(signalCells[0]);
  const last = signal.length - weights.length;
  const text = sum.querySelector("text");
  const SECONDS = 1.6;

  let position = drawnAt;
  let timer = null;
  let held = false;

  /** The products and their sum, as one writes them. */
  function formula() {
    const seen = signal.slice(position, position + weights.length);
    const total = weights.reduce((before, weight, i) => before + weight * seen[i], 0);
    return `${weights.map((weight, i) => `${kit.number(weight)}·${kit.number(seen[i])}`).join(" + ")} = ${kit.number(total)}`;
  }

  function show() {
    const shift = (position - drawnAt) * step;
    kernel.style.transform = sum.style.transform = `translate(${shift}px)`;
    text.textContent = formula();
    const right = Number(text.getAttribute("x")) + shift + text.getComputedTextLength() / 2;
    text.style.transform = `translate(${Math.min(0, drawing.viewBox.baseVal.width - right)}px)`; // not over the edge
    signalCells.forEach((cell, i) => cell.classList.toggle("seen", i >= position && i < position + weights.length));
    outputCells.forEach((cell, i) => {
      cell.classList.toggle("now", i === position);
      cell.classList.toggle("later", i > position);
    });
    kernel.setAttribute("aria-valuenow", position + 1);
    kernel.setAttribute("aria-valuetext", `samples ${position + 1} to ${position + weights.length}: ${formula()}`);
  }

  function go(to) {
    position = Math.min(Math.max(to, 0), last);
    show();
  }

  function play() {
    timer = setInterval(() => document.hidden || go(position === last ? 0 : position + 1), SECONDS * 1000);
    playing.textContent = "Pause";
  }

  function pause() {
    clearInterval(timer);
    timer = null;
    playing.textContent = "Play";
  }

  const stepBy = (by) => () => {
    pause();
    go(position + by);
  };
  const playing = kit.button("Play", () => (timer === null ? play() : pause()));
  const controls = [playing, kit.button("Back", stepBy(-1)), kit.button("Step", stepBy(1))];

  // A screen reader meets a slider, and not a heap of loose numbers.
  const list = (values) => values.map(kit.number).join(", ");
  const description = `A kernel, ${list(weights)}, on a signal, ${list(signal)}. Its sums: ${list(numbers("output"))}.`;
  drawing.querySelector("title").remove(); // it describes the picture that stood still
  drawing.removeAttribute("aria-labelledby");
  kit.fill(drawing, { role: "group", "aria-label": description }, []);
  for (const part of [...drawing.children, ...kernel.children]) if (part !== kernel) part.setAttribute("aria-hidden", "true");
  kit.fill(
    kernel,
    { role: "slider", tabindex: 0, "aria-label": "Place of the kernel", "aria-valuemin": 1, "aria-valuemax": last + 1 },
    [],
  );
  kernel.addEventListener("focus", pause);

  const KEYS = {
    ArrowRight: () => position + 1,
    ArrowUp: () => position + 1,
    ArrowLeft: () => position - 1,
    ArrowDown: () => position - 1,
    Home: () => 0,
    End: () => last,
  };
  kernel.addEventListener("keydown", (event) => {
    if (!KEYS[event.key]) return;
    event.preventDefault();
    pause();
    go(KEYS[event.key]());
  });

  /** The place where the middle of the kernel is nearest to the pointer. */
  function follow(event) {
    const { left, width } = drawing.getBoundingClientRect();
    const x = ((event.clientX - left) / width) * drawing.viewBox.baseVal.width;
    go(Math.round((x - place(signalCells[0]) - (weights.length * step) / 2) / step));
  }
  drawing.addEventListener("pointerdown", (event) => {
    held = true;
    drawing.setPointerCapture(event.pointerId);
    pause();
    follow(event);
  });
  drawing.addEventListener("pointermove", (event) => held && follow(event));
  for (const end of ["pointerup", "pointercancel"]) drawing.addEventListener(end, () => (held = false));

  box.append(kit.element("div", { class: "explorer-steps" }, ...controls));
  show();
  if (!matchMedia("(prefers-reduced-motion: reduce)").matches) play();
}
