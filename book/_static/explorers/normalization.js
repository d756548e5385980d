"use strict";
// Explorer: which numbers share a mean and a variance, for each way to normalize.

(() => {
  const box = document.getElementById("explorer-normalization");
  const SAMPLES = 3;
  const CHANNELS = 6;
  const PIXELS = 4;
  const EPS = 1e-5;
  const chosen = { kind: "BatchNorm", groups: 1, sample: 0, channel: 1, pixel: 2 };

  const value = (n, c, p) => {
    const i = (n * CHANNELS + c) * PIXELS + p;
    return ((7 * i * i + 3 * i) % 19) - 6;
  };
  const group = (c) => Math.floor(c / (CHANNELS / chosen.groups));

  // For each kind: whether a number shares its statistics with the chosen one.
  const KINDS = {
    BatchNorm: (n, c) => c === chosen.channel,
    "LayerNorm over (C, H, W)": (n) => n === chosen.sample,
    "LayerNorm over C, channels last": (n, c, p) => n === chosen.sample && p === chosen.pixel,
    InstanceNorm: (n, c) => n === chosen.sample && c === chosen.channel,
    GroupNorm: (n, c) => n === chosen.sample && group(c) === group(chosen.channel),
  };

  const everywhere = [];
  for (let n = 0; n < SAMPLES; n++)
    for (let c = 0; c < CHANNELS; c++) for (let p = 0; p < PIXELS; p++) everywhere.push([n, c, p]);

  const shares = (place) => KINDS[chosen.kind](...place);
  const isChosen = ([n, c, p]) => n === chosen.sample && c === chosen.channel && p === chosen.pixel;
  const look = (place) => (isChosen(place) ? "chosen" : shares(place) ? "read" : "plain");

  const stage = kit.element("div", { class: "explorer-stage" });
  const result = kit.element("p", { class: "explorer-formula", "aria-live": "polite" });

  /** All numbers as one block of small cubes, of which those in front hide those behind. */
  function cube() {
    const side = 22;
    const [right, up] = [0.62 * side, 0.42 * side]; // where the next sample lies
    const picture = kit.svg("svg", {
      viewBox: `-4 ${-SAMPLES * up - 4} ${CHANNELS * side + SAMPLES * right + 8} ${PIXELS * side + SAMPLES * up + 30}`,
      width: 1.4 * (CHANNELS * side + SAMPLES * right + 8),
      role: "img",
      "aria-label": "The block of numbers, sample behind sample; the marked ones are normalized together.",
    });
    const back = [...everywhere].sort((a, b) => b[0] - a[0] || a[1] - b[1] || b[2] - a[2]);
    for (const place of back) {
      const [n, c, p] = place;
      const [x, y] = [c * side + n * right, p * side - n * up];
      const faces = [
        `M${x} ${y}h${side}v${side}h${-side}z`,
        `M${x} ${y}l${right} ${-up}h${side}l${-right} ${up}z`,
        `M${x + side} ${y}l${right} ${-up}v${side}l${-right} ${up}z`,
      ];
      picture.append(kit.svg("g", { class: look(place) }, ...faces.map((d) => kit.svg("path", { d }))));
    }
    const below = PIXELS * side + 16;
    picture.append(kit.svg("text", { x: (CHANNELS * side) / 2, y: below, class: "small" }, "channels"));
    return picture;
  }

  function panel(n) {
    const numbers = Array.from({ length: PIXELS }, (_, p) => Array.from({ length: CHANNELS }, (_, c) => value(n, c, p)));
    const drawing = kit.squares(numbers, `Sample ${n}: a column for each channel.`, (p, c) => look([n, c, p]));
    drawing.addEventListener("click", (event) => {
      const { row, column } = event.target.closest("g")?.dataset ?? {};
      if (row === undefined) return;
      sliders.sample.set(n);
      sliders.channel.set(Number(column));
      sliders.pixel.set(Number(row));
    });
    return drawing;
  }

  function draw() {
    const together = everywhere.filter(shares).map((place) => value(...place));
    const mean = together.reduce((a, b) => a + b, 0) / together.length;
    const variance = together.reduce((a, b) => a + (b - mean) ** 2, 0) / together.length;
    const own = value(chosen.sample, chosen.channel, chosen.pixel);
    const normalized = (own - mean) / Math.sqrt(variance + EPS);
    const digits = (number) => kit.number(number.toFixed(3));
    result.textContent =
      `${together.length} numbers share a mean of ${digits(mean)} and a variance of ${digits(variance)}: ` +
      `${kit.number(own)} becomes ${digits(normalized)}.`;
    const panels = Array.from({ length: SAMPLES }, (_, n) => kit.figure(`Sample ${n}`, panel(n)));
    stage.replaceChildren(kit.figure("The block (N, C, H\u00b7W)", cube(), { class: "whole" }), ...panels);
    groups.input.disabled = chosen.kind !== "GroupNorm";
  }

  const choose = (name) => (value) => {
    chosen[name] = value;
    draw();
  };
  const slider = (name, count) => kit.slider(name, { name, min: 0, max: count - 1, value: chosen[name] }, choose(name));
  const groups = kit.choice("num_groups", { name: "groups", options: [1, 2, 3, 6] }, choose("groups"));
  const kind = kit.choice("normalization", { name: "kind", options: Object.keys(KINDS) }, choose("kind"));
  const sliders = {
    sample: slider("sample", SAMPLES),
    channel: slider("channel", CHANNELS),
    pixel: slider("pixel", PIXELS),
  };
  const rows = [kind, groups, ...Object.values(sliders)].map(({ row }) => row);
  box.append(kit.element("div", { class: "explorer-sliders" }, ...rows), result, stage);
  draw();
})();
