"use strict";
// Explorer: how DataParallel scatters a batch and gathers the outputs, and what each sample weighs in the loss.

(() => {
  const box = document.getElementById("explorer-data_parallel");
  const MEANS = "mean of the means";
  const WEIGHTED = "weighted by size";
  const ROW = 10; // squares side by side: more would be too small on a phone
  const SIDE = 30; // of a square of the kit
  const chosen = { batch: 10, devices: 4, way: MEANS, sample: 9 };

  /** The samples of each part, by the rule of torch.chunk. */
  function scatter() {
    const size = Math.ceil(chosen.batch / chosen.devices);
    const samples = Array.from({ length: chosen.batch }, (_, sample) => sample);
    return rows(samples, size);
  }

  function rows(all, length) {
    const found = [];
    for (let start = 0; start < all.length; start += length) found.push(all.slice(start, start + length));
    return found;
  }

  const result = kit.element("p", { class: "explorer-formula", "aria-live": "polite" });
  const path = kit.element("p", { class: "explorer-formula" });
  const stage = kit.element("div", { class: "explorer-stage" });

  /** Numbered samples as squares; a click chooses one. `look` gives the class of a sample. */
  function squares(samples, description, look) {
    const table = rows(samples, ROW);
    const at = (row, column) => table[row][column];
    const picture = kit.squares(table, description, (row, column) => (at(row, column) === chosen.sample ? "chosen" : look));
    picture.addEventListener("click", (event) => {
      const { row, column } = event.target.closest("g")?.dataset ?? {};
      if (row !== undefined) sample.set(at(row, column));
    });
    return picture;
  }

  function draw() {
    const parts = scatter();
    const all = parts.flat();
    chosen.sample = Math.min(chosen.sample, chosen.batch - 1);
    const weight = (part) => (chosen.way === MEANS ? 1 / parts.length / part.length : 1 / chosen.batch);
    const busy = (100 * chosen.batch) / (chosen.devices * parts[0].length);
    const ratio = weight(parts.at(-1)) / weight(parts[0]);
    const percent = (part) => (100 * weight(part)).toFixed(1);
    result.textContent =
      `Parts of ${parts.map((part) => part.length).join(", ")}; idle devices: ${chosen.devices - parts.length}; ` +
      `busy ${busy.toFixed(0)} % of the time. The last sample weighs ${ratio.toFixed(2)} times as much as the first.`;

    /** The batch or its outputs, shaded by device. */
    const whole = (description) => {
      const picture = squares(all, description, "shade");
      const device = (i) => parts.findIndex((part) => part.includes(i));
      picture.querySelectorAll("g").forEach((square, i) => {
        square.style.setProperty("--share", `${Math.round((100 * device(i)) / Math.max(parts.length - 1, 1))}%`);
      });
      return picture;
    };
    const heaviest = Math.max(...parts.map(weight));
    const panels = parts.map((part, device) => {
      const description = `Device ${device}: samples ${part.join(", ")}, ${percent(part)} % each.`;
      const picture = squares(part, description, "plain");
      const height = (SIDE * weight(part)) / heaviest;
      for (const square of picture.querySelectorAll("g")) {
        square.querySelector("rect").after(kit.svg("rect", { class: "weight", y: SIDE - height, width: SIDE, height }));
      }
      return kit.figure(`Device ${device}: ${percent(part)} % each`, picture, { class: "device" });
    });
    for (let device = parts.length; device < chosen.devices; device++) {
      panels.push(kit.figure(`Device ${device}`, kit.element("p", {}, "idle"), { class: "device" }));
    }
    stage.replaceChildren(
      kit.figure("Scatter: the batch, cut into parts", whole("The batch, shaded by device."), { class: "whole" }),
      ...panels,
      kit.figure("Gather: the outputs, on one device", whole("The outputs, shaded by device."), { class: "whole" }),
    );

    const device = parts.findIndex((part) => part.includes(chosen.sample));
    const row = parts[device].indexOf(chosen.sample);
    path.textContent =
      `Sample ${chosen.sample} goes to device ${device}, row ${row}, and its output back to row ${chosen.sample}. ` +
      `It weighs ${percent(parts[device])} % in the loss.`;
    sample.input.max = chosen.batch - 1;
    sample.input.value = sample.row.querySelector("output").value = chosen.sample;
    sample.input.setAttribute("aria-valuetext", path.textContent);
  }

  const choose = (name) => (value) => {
    chosen[name] = value;
    draw();
  };
  const slider = (label, name, min, max) => kit.slider(label, { name, min, max, value: chosen[name] }, choose(name));
  const batch = slider("samples", "batch", 1, 24);
  const devices = slider("devices", "devices", 1, 8);
  const sample = slider("follow sample", "sample", 0, 23);
  const way = kit.choice("the loss is", { name: "way", options: [MEANS, WEIGHTED] }, choose("way"));
  const controls = [batch, devices, way, sample].map(({ row }) => row);
  box.append(kit.element("div", { class: "explorer-sliders" }, ...controls), result, path, stage);
  draw();
})();
