"use strict";
// Explorer: what a threshold on the scores makes of 190 patients, and where it lies on the ROC and precision-recall curves.

(() => {
  const box = document.getElementById("explorer-threshold");

  // The probabilities of the chapter's model on its validation set, in hundredths.
  const MALIGNANT = [
    8, 10, 13, 13, 14, 15, 17, 19, 20, 21, 21, 22, 27, 29, 30, 32, 34, 35, 40, 40, 40, 40, 40, 46, 47, 47, 48, 49,
    50, 51, 58, 60, 61, 61, 61, 64, 66, 68, 68, 72, 74, 76, 77, 78, 79, 86, 87, 87, 87, 93, 94, 95, 95, 96, 96,
    96, 97, 97, 98, 98, 99, 99, 99, 99, 99, 99, 100, 100, 100, 100
  ];
  const BENIGN = [
    1, 1, 1, 1, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 5, 5, 5, 5, 6,
    6, 6, 6, 6, 6, 6, 6, 6, 7, 7, 7, 7, 7, 7, 8, 8, 8, 8, 8, 8, 8, 9, 9, 10, 10, 11, 11, 12, 12, 12, 13, 13, 13,
    14, 15, 15, 15, 16, 16, 17, 18, 18, 18, 18, 20, 20, 21, 21, 22, 22, 26, 27, 28, 29, 30, 31, 32, 32, 33, 35,
    38, 40, 40, 44, 44, 45, 46, 49, 50, 51, 53, 55, 55, 56, 60, 63, 69, 78, 78, 89, 89, 91, 93
  ];
  const chosen = { threshold: 50 };

  const atLeast = (scores, threshold) => scores.filter((score) => score >= threshold).length;

  /** The four counts when every score of at least `threshold` is called malignant. */
  function count(threshold) {
    const [tp, fp] = [atLeast(MALIGNANT, threshold), atLeast(BENIGN, threshold)];
    return { tp, fp, fn: MALIGNANT.length - tp, tn: BENIGN.length - fp };
  }

  // Each of these may be 0/0, which is null here.
  const ratio = (top, bottom) => (bottom === 0 ? null : top / bottom);
  const SCORES = {
    precision: ({ tp, fp }) => ratio(tp, tp + fp),
    recall: ({ tp, fn }) => ratio(tp, tp + fn),
    specificity: ({ tn, fp }) => ratio(tn, tn + fp),
    F1: ({ tp, fp, fn }) => ratio(2 * tp, 2 * tp + fp + fn),
    accuracy: ({ tp, tn, fp, fn }) => ratio(tp + tn, tp + tn + fp + fn),
  };
  const digits = (value) => (value === null ? "0/0" : value.toFixed(3));

  const picture = (width, height, description, ...children) =>
    kit.svg("svg", { viewBox: `0 0 ${width} ${height}`, width, role: "img", "aria-label": description }, ...children);
  const text = (x, y, words, attributes = {}) => kit.svg("text", { x, y, class: "small", ...attributes }, words);

  /** Both groups as heaps of dots over the score: malignant upwards, benign downwards, filled where called malignant. */
  function heaps() {
    const [left, step, middle, dot] = [8, 6.7, 96, 3.15]; // a column for two hundredths
    const drawing = picture(
      360,
      250,
      `Scores of ${MALIGNANT.length} malignant patients above the axis and of ${BENIGN.length} benign ones below it.`,
    );
    const groups = [
      { scores: MALIGNANT, up: -1, hit: "tp", miss: "fn" },
      { scores: BENIGN, up: 1, hit: "fp", miss: "tn" },
    ];
    for (const { scores, up, hit, miss } of groups) {
      const height = Array(51).fill(0);
      for (const score of scores) {
        const column = Math.floor(score / 2);
        const said = score >= chosen.threshold;
        drawing.append(
          kit.svg("circle", {
            cx: left + (column + 0.5) * step,
            cy: middle + up * (6 + 2 * dot * height[column]++),
            r: dot - 0.6,
            class: `${said ? hit : miss} ${up < 0 ? "malignant" : "benign"} ${said ? "said" : "unsaid"}`,
          }),
        );
      }
    }
    const x = left + (Math.min(chosen.threshold, 100) / 2 + (chosen.threshold > 100)) * step; // 101: behind the last dot
    drawing.append(
      kit.svg("line", { x1: left, x2: 352, y1: middle, y2: middle, class: "axis" }),
      kit.svg("line", { x1: x, x2: x, y1: 4, y2: 226, class: "cut" }),
      text(230, 20, "malignant"),
      text(230, 200, "benign"),
      ...[0, 25, 50, 75, 100].map((score) => text(left + (score / 2 + 0.5) * step, 244, String(score))),
    );
    return drawing;
  }

  /** The four counts as a table, each square as dark as its count is large. */
  function counts(four) {
    const drawing = picture(250, 150, `TP ${four.tp}, FN ${four.fn}, FP ${four.fp}, TN ${four.tn}`);
    const cells = [
      ["tp", "TP", 0, 0],
      ["fn", "FN", 0, 1],
      ["fp", "FP", 1, 0],
      ["tn", "TN", 1, 1],
    ];
    for (const [key, name, row, column] of cells) {
      const right = key === "tp" || key === "tn";
      drawing.append(
        kit.svg(
          "g",
          { class: right ? "plus" : "read", transform: `translate(${70 + 88 * column} ${24 + 60 * row})`, "data-count": key },
          kit.svg("rect", { width: 84, height: 56 }),
          kit.svg("text", { x: 42, y: 26, class: "number" }, String(four[key])),
          text(42, 44, name),
        ),
      );
    }
    drawing.append(
      text(112, 14, "called malignant"),
      text(204, 14, "called benign"),
      text(36, 56, "malignant"),
      text(36, 116, "benign"),
    );
    return drawing;
  }

  const everywhere = Array.from({ length: 102 }, (_, threshold) => count(101 - threshold)); // from nobody to everybody

  /** A curve through all thresholds, with the chosen one as a dot. */
  function curve(description, [xName, yName], x, y, four) {
    const [left, bottom, side] = [40, 178, 160];
    const place = (value) => `${(left + side * x(value)).toFixed(1)} ${(bottom - side * y(value)).toFixed(1)}`;
    const points = everywhere.filter((value) => y(value) !== null).map(place);
    const drawing = picture(
      220,
      214,
      description,
      kit.svg("rect", { x: left, y: bottom - side, width: side, height: side }),
      kit.svg("path", { d: `M${points.join("L")}`, class: "curve" }),
      text(left + side / 2, bottom + 30, xName),
      text(14, bottom - side / 2, yName, { transform: `rotate(-90 14 ${bottom - side / 2})` }),
    );
    for (const end of [0, 1])
      drawing.append(text(left + side * end, bottom + 14, String(end)), text(left - 9, bottom - side * end + 4, String(end)));
    if (y(four) !== null)
      drawing.append(
        kit.svg("circle", {
          cx: left + side * x(four),
          cy: bottom - side * y(four),
          r: 6,
          class: "point",
          "data-x": x(four),
          "data-y": y(four),
        }),
      );
    return drawing;
  }

  const stage = kit.element("div", { class: "explorer-stage" });
  const result = kit.element("p", { class: "explorer-formula", "aria-live": "polite" });

  function draw() {
    const four = count(chosen.threshold);
    const { precision, recall, specificity } = SCORES;
    const shown = Object.entries(SCORES).map(([name, score]) => `${name} ${digits(score(four))}`);
    const counted = `TP ${four.tp}, FP ${four.fp}, FN ${four.fn}, TN ${four.tn}`;
    result.textContent = `Threshold ${(chosen.threshold / 100).toFixed(2)}: ${counted}; ${shown.join(", ")}.`;
    const fpr = (value) => 1 - specificity(value);
    const roc = `ROC curve; the threshold lies at ${digits(fpr(four))}, ${digits(recall(four))}.`;
    const pr = `Precision-recall curve; the threshold lies at ${digits(recall(four))}, ${digits(precision(four))}.`;
    stage.replaceChildren(
      kit.figure("Scores, filled where called malignant", heaps()),
      kit.figure("The four counts", counts(four)),
      kit.figure("ROC", curve(roc, ["false positive rate", "recall"], fpr, recall, four)),
      kit.figure("Precision-recall", curve(pr, ["recall", "precision"], recall, precision, four)),
    );
  }

  const slider = kit.slider("threshold, %", { name: "threshold", min: 0, max: 101, value: chosen.threshold }, (value) => {
    chosen.threshold = value;
    draw();
  });
  box.append(kit.element("div", { class: "explorer-sliders" }, slider.row), result, stage);
  draw();
})();
