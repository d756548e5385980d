"use strict";
// Explorer: the parts into which DataParallel cuts a batch, and what each sample weighs in the loss.

(() => {
  const box = document.getElementById("explorer-data_parallel");
  const MEANS = "mean of the means";
  const WEIGHTED = "weighted by size";
  const ROW = 6; // squares side by side: more would be too small on a phone
  const chosen = { batch: 10, devices: 4, way: MEANS };

  /** The sizes of the parts, by the rule of torch.chunk. */
  function parts() {
    const size = Math.ceil(chosen.batch / chosen.devices);
    const sizes = [];
    for (let left = chosen.batch; left > 0; left -= size) sizes.push(Math.min(size, left));
    return sizes;
  }

  const result = kit.element("p", { class: "explorer-formula", "aria-live": "polite" });
  const stage = kit.element("div", { class: "explorer-stage" });

  function draw() {
    const sizes = parts();
    const weight = (size) => (chosen.way === MEANS ? 1 / sizes.length / size : 1 / chosen.batch);
    const busy = (100 * chosen.batch) / (chosen.devices * sizes[0]);
    const ratio = weight(sizes[sizes.length - 1]) / weight(sizes[0]);
    result.textContent =
      `Parts of ${sizes.join(", ")}; idle devices: ${chosen.devices - sizes.length}; ` +
      `busy ${busy.toFixed(0)} % of the time. The last sample weighs ${ratio.toFixed(2)} times as much as the first.`;
    const heaviest = Math.max(...sizes.map(weight));
    const panels = sizes.map((size, device) => {
      const percent = (100 * weight(size)).toFixed(1);
      const look = () => (ratio !== 1 && weight(size) === heaviest ? "chosen" : "read");
      const rows = [];
      for (let left = size; left > 0; left -= ROW) rows.push(Array(Math.min(left, ROW)).fill(percent));
      const picture = kit.squares(rows, `Device ${device}: ${size} samples, ${percent} % each.`, look);
      return kit.figure(`Device ${device}`, picture);
    });
    for (let device = sizes.length; device < chosen.devices; device++) {
      panels.push(kit.figure(`Device ${device}`, kit.element("p", {}, "idle")));
    }
    stage.replaceChildren(...panels);
  }

  const choose = (name) => (value) => {
    chosen[name] = value;
    draw();
  };
  const batch = kit.slider("samples", { name: "batch", min: 1, max: 24, value: chosen.batch }, choose("batch"));
  const devices = kit.slider("devices", { name: "devices", min: 1, max: 8, value: chosen.devices }, choose("devices"));
  const way = kit.choice("the loss is", { name: "way", options: [MEANS, WEIGHTED] }, choose("way"));
  const rows = [batch, devices, way].map(({ row }) => row);
  box.append(kit.element("div", { class: "explorer-sliders" }, ...rows), result, stage);
  draw();
})();
