"""Metrics.

From book/chapters/16_metrics.md. Derived by `make notebooks`: do not edit.
"""

import copy
import itertools
import math
import warnings
from dataclasses import dataclass

import torch
from torch import distributed, nn


def _real(device):
    """The widest floating-point dtype of a device: Apple's GPUs have no float64."""
    return torch.float32 if device.type == "mps" else torch.float64


def _check_labels(y_true, y_pred):
    """Raise ValueError unless both hold labels, (N) or (N, C), of the same shape."""
    if y_true.shape != y_pred.shape or y_true.ndim not in (1, 2):
        raise ValueError(
            "y_true and y_pred should have the same shape, (N) or (N, C), but got "
            f"{tuple(y_true.shape)} and {tuple(y_pred.shape)}"
        )
    for name, y in (("y_true", y_true), ("y_pred", y_pred)):
        if y.is_floating_point() and (y != y.round()).any():
            raise ValueError(f"{name} holds scores: apply a threshold first")


def _weights(sample_weight, y):
    """The weight of each sample (N), as floating-point numbers; ones for None."""
    if sample_weight is None:
        return torch.ones(len(y), dtype=_real(y.device), device=y.device)
    if sample_weight.shape != y.shape[:1]:
        raise ValueError(
            f"sample_weight should have shape ({len(y)},), but got "
            f"{tuple(sample_weight.shape)}"
        )
    return sample_weight.to(_real(y.device))


def _classes(y_true, y_pred, labels):
    """The labels that count: those given, or all that occur, from small to large."""
    if labels is None:
        present = torch.unique(torch.cat([y_true, y_pred]))
        return present.int() if present.dtype == torch.bool else present
    classes = torch.as_tensor(labels, device=y_true.device)
    if classes.numel() == 0:
        raise ValueError("labels should hold at least one label, but it is empty")
    return classes


def _places(y, classes):
    """For each label of y, where it stands in `classes`; -1 where it does not."""
    if classes.numel() == 0 or y.numel() == 0:
        return torch.full_like(y, -1, dtype=torch.int64)
    ordered, order = classes.sort()
    place = torch.searchsorted(ordered, y.to(ordered.dtype).contiguous())
    place = place.clamp(max=len(classes) - 1)
    return torch.where(ordered[place] == y, order[place], -1)


def confusion_matrix(
    y_true, y_pred, *, labels=None, sample_weight=None, normalize=None
):
    """How many samples of class i were taken for class j: (N), (N) -> (C, C).

    labels: the classes, in the order of rows and columns; by default all that occur.
    normalize: None, or 'true' (rows sum to one), 'pred' (columns), 'all' (everything).
    Raises ValueError for other shapes, labels that are scores, or another normalize.
    Source: sklearn.metrics.confusion_matrix.
    """
    if normalize not in (None, "true", "pred", "all"):
        raise ValueError(f"normalize={normalize!r} is not true, pred, all or None")
    _check_labels(y_true, y_pred)
    if y_true.ndim != 1:
        raise ValueError("a confusion matrix needs one label a sample, not a table")
    classes = _classes(y_true, y_pred, labels)
    rows, columns = _places(y_true, classes), _places(y_pred, classes)
    if labels is not None and len(y_true) and (rows < 0).all():
        raise ValueError(f"none of labels={labels} occurs in y_true")
    known = (rows >= 0) & (columns >= 0)
    weight = None if sample_weight is None else _weights(sample_weight, y_true)[known]
    C = len(classes)
    cells = (rows * C + columns)[known]
    counts = torch.bincount(cells, weight, minlength=C * C).reshape(C, C)
    if normalize is None:
        return counts
    sums = {"true": (1, True), "pred": (0, True), "all": ((0, 1), True)}[normalize]
    return (counts.to(_real(counts.device)) / counts.sum(*sums)).nan_to_num(0.0)


def _divide(numerator, denominator, zero_division, name):
    """numerator / denominator, and `zero_division` where the denominator is 0."""
    nan = isinstance(zero_division, float) and math.isnan(zero_division)
    if not nan and zero_division not in ("warn", 0, 1):
        raise ValueError(
            f"zero_division should be 'warn', 0, 1 or nan, but got {zero_division!r}"
        )
    empty = denominator == 0
    if zero_division == "warn":
        if empty.any():
            warnings.warn(f"{name} is 0/0, set to 0; see zero_division", stacklevel=3)
        zero_division = 0
    ratio = numerator / denominator.masked_fill(empty, 1)
    return ratio.masked_fill(empty, float(zero_division))


def _mean(values, weights=None):
    """The weighted mean of those values that are not nan."""
    known = ~values.isnan()
    if not known.any():
        return values.new_tensor(math.nan)
    if weights is None or weights[known].sum() == 0:
        return values[known].mean()
    return (values * weights)[known].sum() / weights[known].sum()


@dataclass
class _Counts:
    """TP, FP, FN, TN of each class (or sample, or of all together), and the average."""

    tp: torch.Tensor
    fp: torch.Tensor
    fn: torch.Tensor
    tn: torch.Tensor
    average: str | None
    weights: torch.Tensor | None

    def score(self, numerator, denominator, zero_division, name):
        ratios = _divide(numerator, denominator, zero_division, name)
        return ratios if self.average is None else _mean(ratios, self.weights)


AVERAGES = (None, "binary", "micro", "macro", "weighted", "samples")


def _check_average(y_true, y_pred, labels, pos_label, average):
    """The labels to count; raises ValueError where `average` does not fit the data."""
    if average not in AVERAGES:
        raise ValueError(f"average should be one of {AVERAGES}, but got {average!r}")
    if average == "samples" and y_true.ndim == 1:
        raise ValueError("average='samples' needs several labels a sample: (N, C)")
    if average != "binary":
        return labels
    present = torch.unique(torch.cat([y_true, y_pred])).tolist()
    if y_true.ndim == 2 or len(present) > 2:
        raise ValueError("average='binary' needs two classes; choose another average")
    if pos_label not in present and len(present) == 2:
        raise ValueError(f"pos_label={pos_label} should be one of {present}")
    return [pos_label]


def _count(y_true, y_pred, labels, pos_label, average, sample_weight):
    """Count what all scores need; the arguments are those of `precision`."""
    _check_labels(y_true, y_pred)
    labels = _check_average(y_true, y_pred, labels, pos_label, average)
    weight = _weights(sample_weight, y_true)
    if y_true.ndim == 2:
        sums = _count_table(y_true, y_pred, labels, average, weight)
        tp, predicted, true, total = sums
    else:
        classes = _classes(y_true, y_pred, labels)
        rows, columns = _places(y_true, classes), _places(y_pred, classes)

        def sums(place):
            seen = place >= 0
            return torch.bincount(place[seen], weight[seen], minlength=len(classes))

        true, predicted = sums(rows), sums(columns)
        tp, total = sums(torch.where(rows == columns, rows, -1)), weight.sum()
    tn = total - predicted - true + tp
    counts = tp, predicted - tp, true - tp, tn
    if average == "micro":
        counts = [count.sum().reshape(1) for count in counts]
    weights = {"weighted": true, "samples": weight}.get(average)
    return _Counts(*counts, average, weights)


def _count_table(y_true, y_pred, labels, average, weight):
    """TP, predicted, true and all, of a table (N, C) with a column for each label."""
    truth, guess = y_true != 0, y_pred != 0
    if labels is not None:
        columns = torch.as_tensor(labels, device=y_true.device)
        if columns.min() < 0 or columns.max() >= truth.shape[1]:
            raise ValueError(f"labels={labels} are not columns of {tuple(truth.shape)}")
        truth, guess = truth[:, columns], guess[:, columns]
    tables = [t.to(weight.dtype) for t in (truth & guess, guess, truth)]
    if average == "samples":  # a score for each row
        return *(t.sum(dim=1) for t in tables), truth.shape[1]
    return *(weight @ t for t in tables), weight.sum()


def precision(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary",
    sample_weight=None, zero_division="warn",
):
    """TP / (TP + FP): of those that were called positive, how many are.

    y_true, y_pred: labels (N), or a table of zeros and ones (N, C), many labels a
    sample. average: 'binary' scores pos_label; None gives a score for each label (C);
    'macro' is their mean, 'weighted' their mean weighted by how many there are,
    'micro' adds the counts up first, 'samples' is the mean over rows of a table.
    zero_division: what 0/0 is: 0, 1 or nan (left out of means); 'warn' is 0 and warns.
    Raises ValueError for an argument that does not fit. Source: sklearn.metrics.
    """
    n = _count(y_true, y_pred, labels, pos_label, average, sample_weight)
    return n.score(n.tp, n.tp + n.fp, zero_division, "precision")


def recall(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary",
    sample_weight=None, zero_division="warn",
):
    """TP / (TP + FN): of those that are positive, how many were found.

    Also called sensitivity, or true positive rate. Arguments as for `precision`.
    """
    n = _count(y_true, y_pred, labels, pos_label, average, sample_weight)
    return n.score(n.tp, n.tp + n.fn, zero_division, "recall")


def specificity(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary",
    sample_weight=None, zero_division="warn",
):
    """TN / (TN + FP): of those that are negative, how many were left alone.

    One minus the false positive rate. Arguments as for `precision`.
    """
    n = _count(y_true, y_pred, labels, pos_label, average, sample_weight)
    return n.score(n.tn, n.tn + n.fp, zero_division, "specificity")


def fbeta_score(
    y_true, y_pred, *, beta, labels=None, pos_label=1, average="binary",
    sample_weight=None, zero_division="warn",
):
    """Harmonic mean of precision and recall, in which recall counts beta times as much.

    Raises ValueError for a negative beta. Other arguments as for `precision`.
    """
    if beta < 0:
        raise ValueError(f"beta should not be negative, but got {beta}")
    n = _count(y_true, y_pred, labels, pos_label, average, sample_weight)
    if math.isinf(beta):
        return n.score(n.tp, n.tp + n.fn, zero_division, "F-score")
    b = beta**2
    top, bottom = (1 + b) * n.tp, b * (n.tp + n.fn) + n.tp + n.fp
    return n.score(top, bottom, zero_division, "F-score")


def f1_score(
    y_true, y_pred, *, labels=None, pos_label=1, average="binary",
    sample_weight=None, zero_division="warn",
):
    """2 TP / (2 TP + FP + FN), the harmonic mean of precision and recall.

    Arguments as for `precision`.
    """
    n = _count(y_true, y_pred, labels, pos_label, average, sample_weight)
    return n.score(2 * n.tp, 2 * n.tp + n.fp + n.fn, zero_division, "F-score")


def accuracy(y_true, y_pred, *, normalize=True, sample_weight=None):
    """The share of samples that are right; their number with normalize=False.

    A row of a table (N, C) is right if all its labels are.
    """
    _check_labels(y_true, y_pred)
    right = y_true == y_pred
    right = right.all(dim=1) if right.ndim == 2 else right
    weight = _weights(sample_weight, y_true)
    return (right * weight).sum() / (weight.sum() if normalize else 1)


def balanced_accuracy(y_true, y_pred, *, sample_weight=None, adjusted=False):
    """The mean of the recalls of all classes that occur in y_true.

    adjusted: rescale so that guessing scores 0 and perfection 1.
    """
    table = confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    table = table.to(_real(table.device))
    recalls = table.diagonal() / table.sum(dim=1)
    recalls = recalls[~recalls.isnan()]
    score, chance = recalls.mean(), 1 / max(len(recalls), 1)
    return (score - chance) / (1 - chance) if adjusted else score


def matthews_corrcoef(y_true, y_pred, *, sample_weight=None):
    """Correlation of truth and prediction, from -1 to 1; 0 where it is 0/0.

    For more than two classes it is the R_K of Gorodkin (2004).
    """
    table = confusion_matrix(y_true, y_pred, sample_weight=sample_weight)
    table = table.to(_real(table.device))
    true, predicted, total = table.sum(dim=1), table.sum(dim=0), table.sum()
    both = table.diagonal().sum() * total - true @ predicted
    spread = (total**2 - true @ true) * (total**2 - predicted @ predicted)
    return torch.where(spread > 0, both / spread.sqrt(), 0.0)


def _positive(y_true, pos_label):
    """Which samples are positive (N), as bools; by default those with label 1."""
    if y_true.numel() == 0:
        raise ValueError("y_true is empty")
    present = torch.unique(y_true).tolist()
    if y_true.ndim != 1 or (pos_label is None and len(present) > 2):
        raise ValueError("a curve needs one label of two classes a sample")
    if pos_label is None:
        if not (set(present) <= {0, 1} or set(present) <= {-1, 1}):
            raise ValueError(f"name pos_label: y_true holds {present}")
        pos_label = 1
    return y_true == pos_label


def _count_at_thresholds(y_true, y_score, pos_label, sample_weight):
    """FP, TP and threshold, (T) each: a threshold for each distinct score, falling."""
    if y_score.shape != y_true.shape:
        raise ValueError(
            f"y_score should have the shape of y_true, {tuple(y_true.shape)}, "
            f"but got {tuple(y_score.shape)}"
        )
    if not torch.isfinite(y_score).all():
        raise ValueError("y_score holds nan or infinity")
    positive = _positive(y_true, pos_label)
    weight = _weights(sample_weight, y_true)
    used = weight != 0
    score, order = y_score[used].sort(descending=True)
    positive, weight = positive[used][order], weight[used][order]
    last = torch.ones_like(positive)  # the last sample of each run of equal scores
    last[:-1] = score[1:] != score[:-1]
    tp = (weight * positive).cumsum(0)[last]
    fp = (weight * ~positive).cumsum(0)[last]
    return fp, tp, score[last]


def _share(counts, name):
    """counts / counts[-1]; nan, and a warning, where there is nothing to share."""
    if counts[-1] <= 0:
        warnings.warn(f"{name}: there is no such sample in y_true", stacklevel=3)
        return torch.full_like(counts, math.nan)
    return counts / counts[-1]


def roc_curve(
    y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=True
):
    """False and true positive rate as the threshold falls: fpr, tpr, thresholds.

    A sample is called positive if its score is at least the threshold. The first
    threshold is infinite. drop_intermediate leaves out points on straight lines.
    Raises ValueError for more than two classes, other shapes, nan or infinity.
    Source: sklearn.metrics.roc_curve.
    """
    fp, tp, thresholds = _count_at_thresholds(y_true, y_score, pos_label, sample_weight)
    if drop_intermediate and len(fp) > 2:
        corner = torch.ones_like(fp, dtype=torch.bool)
        corner[1:-1] = (fp.diff(n=2) != 0) | (tp.diff(n=2) != 0)
        fp, tp, thresholds = fp[corner], tp[corner], thresholds[corner]
    zero = fp.new_zeros(1)
    fpr = _share(torch.cat([zero, fp]), "false positive rate")
    tpr = _share(torch.cat([zero, tp]), "true positive rate")
    return fpr, tpr, torch.cat([zero + math.inf, thresholds.to(fp.dtype)])


def precision_recall_curve(
    y_true, y_score, *, pos_label=None, sample_weight=None, drop_intermediate=False
):
    """Precision and recall as the threshold rises: precision, recall, thresholds.

    Precision and recall hold one value more than thresholds: the end, 1 and 0, where
    nothing is called positive. Errors as for `roc_curve`.
    """
    fp, tp, thresholds = _count_at_thresholds(y_true, y_score, pos_label, sample_weight)
    if drop_intermediate and len(fp) > 2:
        keep = torch.ones_like(fp, dtype=torch.bool)
        keep[1:-1] = (tp[:-1].diff() != 0) | (tp[1:].diff() != 0)
        fp, tp, thresholds = fp[keep], tp[keep], thresholds[keep]
    precisions = tp / (tp + fp)
    recalls = tp / tp[-1] if tp[-1] > 0 else torch.ones_like(tp)
    one, zero = tp.new_ones(1), tp.new_zeros(1)
    return (
        torch.cat([precisions.flip(0), one]),
        torch.cat([recalls.flip(0), zero]),
        thresholds.flip(0),
    )


def auc(x, y):
    """Area under the line through the points (x, y), by trapezoids.

    Raises ValueError for fewer than two points, or an x that goes to and fro.
    """
    if x.ndim != 1 or x.shape != y.shape or len(x) < 2:
        raise ValueError(
            f"x and y should be two or more points, but got {tuple(x.shape)} and "
            f"{tuple(y.shape)}"
        )
    steps = x.diff()
    if (steps < 0).any() and (steps > 0).any():
        raise ValueError("x should only rise or only fall")
    return torch.trapezoid(y, x).abs() if (steps < 0).any() else torch.trapezoid(y, x)


def _binary_roc_auc(positive, score, weight=None, max_fpr=None):
    """Area under the ROC curve of bools (N) and scores (N)."""
    if positive.all() or not positive.any():
        warnings.warn("one class only: the ROC curve has no area", stacklevel=3)
        return score.new_tensor(math.nan, dtype=_real(score.device))
    fpr, tpr, _ = roc_curve(positive.int(), score, sample_weight=weight)
    if max_fpr is None or max_fpr == 1:
        return auc(fpr, tpr)
    if not 0 < max_fpr < 1:
        raise ValueError(f"max_fpr should lie in (0, 1], but got {max_fpr}")
    stop = int((fpr <= max_fpr).sum())  # the first point beyond
    part = (max_fpr - fpr[stop - 1]) / (fpr[stop] - fpr[stop - 1])
    end = tpr[stop - 1] + part * (tpr[stop] - tpr[stop - 1])
    x = torch.cat([fpr[:stop], fpr.new_tensor([max_fpr])])
    area = auc(x, torch.cat([tpr[:stop], end.reshape(1)]))
    least = max_fpr**2 / 2  # what guessing gets; McClish (1989) rescales by it
    return (1 + (area - least) / (max_fpr - least)) / 2


def _check_mean(average):
    """Raise ValueError unless scores of columns can be averaged so."""
    if average not in (None, "micro", "macro", "weighted", "samples"):
        raise ValueError(f"average={average!r} cannot be had of scores")


def _average_columns(score_of, truth, score, average, weight):
    """Average score_of(bools, scores, weights) over the columns of tables (N, C)."""
    if truth.shape != score.shape:
        raise ValueError(
            f"y_score should have shape {tuple(truth.shape)}, a column for each label, "
            f"but got {tuple(score.shape)}"
        )
    if average == "micro":
        repeated = None if weight is None else weight.repeat_interleave(truth.shape[1])
        return score_of(truth.flatten(), score.flatten(), repeated)
    if average == "samples":
        rows = [score_of(t, s, None) for t, s in zip(truth, score)]
        return _weighted(torch.stack(rows), weight)
    scores = torch.stack([score_of(t, s, weight) for t, s in zip(truth.T, score.T)])
    if average is None:
        return scores
    if average == "macro":
        return scores.mean()
    return _weighted(scores, _weights(weight, truth) @ truth.to(scores.dtype))


def _weighted(values, weights):
    """Mean of values, those of weight 0 left out; 0 if there are no others."""
    if weights is None:
        return values.mean()
    total = weights.sum()
    values = values.masked_fill(weights == 0, 0.0)
    return values @ weights.to(values.dtype) / total if total > 0 else values.sum() * 0


def _check_classes(y_true, y_score, classes, labels, multi_class, average):
    """Which class each sample has (N, C), as bools; ValueError where nothing fits."""
    if multi_class not in ("ovr", "ovo"):
        raise ValueError(f"multi_class should be 'ovr' or 'ovo', not {multi_class!r}")
    if multi_class == "ovo" and average is None:
        raise NotImplementedError("average=None is not defined for multi_class='ovo'")
    classes = classes if labels is None else torch.as_tensor(labels).to(classes)
    if y_score.ndim != 2 or y_score.shape[1] != len(classes):
        raise ValueError(
            f"y_score should have a column for each of {len(classes)} classes, but has "
            f"shape {tuple(y_score.shape)}"
        )
    if not torch.allclose(y_score.sum(dim=1), y_score.new_ones(()), atol=1e-5):
        raise ValueError("y_score should hold probabilities that sum to 1 in each row")
    truth = y_true[:, None] == classes
    if not truth.any(dim=1).all():
        raise ValueError(f"y_true holds labels that are not in {classes.tolist()}")
    if multi_class == "ovr" and average == "samples":
        raise ValueError("average='samples' needs several labels a sample")
    return truth


def roc_auc_score(
    y_true, y_score, *, average="macro", sample_weight=None, max_fpr=None,
    multi_class="raise", labels=None,
):
    """Area under the ROC curve: how often a positive scores above a negative.

    Two classes: y_true (N), y_score (N), the larger label being positive. Several
    labels a sample: two tables (N, C). Several classes: y_true (N), probabilities
    (N, C), and multi_class='ovr' (each class against the rest) or 'ovo' (each pair).
    max_fpr: the part of the curve up to there, rescaled. Raises ValueError for what
    does not fit, NotImplementedError for 'ovo' with average=None.
    Source: sklearn.metrics.roc_auc_score.
    """
    _check_mean(average)
    if y_true.numel() == 0:
        raise ValueError("y_true is empty")

    def area(positive, score, weight):
        return _binary_roc_auc(positive, score, weight, max_fpr)

    if y_true.ndim == 2:
        return _average_columns(area, y_true != 0, y_score, average, sample_weight)
    classes = torch.unique(y_true)
    if len(classes) <= 2 and (y_score.ndim == 1 or y_score.shape[1] <= 2):
        return area(y_true == max(classes.max(), 1), y_score, sample_weight)

    if max_fpr not in (None, 1):
        raise ValueError(f"max_fpr={max_fpr} needs two classes")
    truth = _check_classes(y_true, y_score, classes, labels, multi_class, average)
    if multi_class == "ovr":
        return _average_columns(area, truth, y_score, average, sample_weight)
    return _one_against_one(area, truth, y_score, average, sample_weight)


def _one_against_one(area, truth, score, average, weight):
    """Mean over all pairs of classes of the area between the two, both ways."""
    if average not in ("macro", "weighted") or weight is not None:
        raise ValueError(
            f"'ovo' takes average='macro' or 'weighted' and no sample_weight, but got "
            f"average={average!r}"
        )
    areas, shares = [], []
    occur = truth.any(dim=0).nonzero().flatten().tolist()
    for a, b in itertools.combinations(occur, 2):
        pair = truth[:, a] | truth[:, b]
        both = [area(truth[pair, c], score[pair, c], None) for c in (a, b)]
        areas.append(sum(both) / 2)
        shares.append(pair.sum())
    shares = torch.stack(shares).to(areas[0].dtype)
    shares = shares if average == "weighted" else torch.ones_like(shares)
    return torch.stack(areas) @ shares / shares.sum()


def average_precision_score(
    y_true, y_score, *, average="macro", pos_label=1, sample_weight=None
):
    """Area under the precision-recall curve as a sum of steps, without interpolation.

    Two classes: (N), (N); several labels or classes: y_score (N, C), and `average`.
    Raises ValueError for what does not fit. Source: sklearn.metrics.
    """
    _check_mean(average)

    def steps(positive, score, weight):
        curve = precision_recall_curve(positive.int(), score, sample_weight=weight)
        return (-curve[1].diff() * curve[0][:-1]).sum().clamp(min=0)

    present = torch.unique(y_true)
    if y_true.ndim == 1 and len(present) <= 2:
        if len(present) == 2 and pos_label not in present:
            raise ValueError(f"pos_label={pos_label} is not one of {present.tolist()}")
        return steps(y_true == pos_label, y_score, sample_weight)
    if pos_label != 1:
        raise ValueError(f"pos_label={pos_label} needs two classes")
    truth = y_true != 0 if y_true.ndim == 2 else y_true[:, None] == present
    return _average_columns(steps, truth, y_score, average, sample_weight)


def expected_cost(y_true, y_pred, *, cost_fp=1.0, cost_fn=1.0, pos_label=1):
    """What the mistakes cost, a sample on the average: (N), (N) -> a number."""
    _check_labels(y_true, y_pred)
    true, predicted = y_true == pos_label, y_pred == pos_label
    costs = cost_fp * (predicted & ~true) + cost_fn * (true & ~predicted)
    return costs.to(_real(costs.device)).mean()


def cheapest_threshold(y_true, y_score, *, cost_fp=1.0, cost_fn=1.0, pos_label=None):
    """The threshold with the smallest expected cost, and that cost.

    Of several the highest; infinity where it is cheapest to call nobody positive.
    Errors as for `roc_curve`.
    """
    fp, tp, thresholds = _count_at_thresholds(y_true, y_score, pos_label, None)
    zero = fp.new_zeros(1)
    fp, tp = torch.cat([zero, fp]), torch.cat([zero, tp])
    costs = (cost_fp * fp + cost_fn * (tp[-1] - tp)) / len(y_true)
    best = int(costs.argmin())
    return torch.cat([zero + math.inf, thresholds.to(fp.dtype)])[best], costs[best]


def _calibration_bins(positive, prob, inner_edges, n_bins):
    """In each bin: how many samples, the share of positives, the mean of prob."""
    if prob.numel() == 0 or prob.min() < 0 or prob.max() > 1:
        raise ValueError("y_prob should not be empty, and lie in [0, 1]")
    place = torch.searchsorted(inner_edges, prob.contiguous())
    count = torch.bincount(place, minlength=n_bins)
    share = torch.bincount(place, positive.to(prob.dtype), minlength=n_bins) / count
    mean = torch.bincount(place, prob, minlength=n_bins) / count
    return count[count > 0], share[count > 0], mean[count > 0]


def calibration_curve(y_true, y_prob, *, pos_label=None, n_bins=5, strategy="uniform"):
    """Share of positives and mean probability in each bin that holds samples.

    strategy: 'uniform' (bins of equal width) or 'quantile' (of equal numbers).
    Raises ValueError for probabilities outside [0, 1] or another strategy.
    Source: sklearn.calibration.calibration_curve.
    """
    positive, prob = _positive(y_true, pos_label), y_prob.to(_real(y_prob.device))
    edges = torch.linspace(0, 1, n_bins + 1, dtype=prob.dtype, device=prob.device)
    if strategy == "quantile":
        edges = torch.quantile(prob, edges)
    elif strategy != "uniform":
        raise ValueError(f"strategy={strategy!r} is neither 'uniform' nor 'quantile'")
    return _calibration_bins(positive, prob, edges[1:-1].contiguous(), n_bins)[1:]


def expected_calibration_error(y_true, y_prob, *, pos_label=None, n_bins=15):
    """Mean distance of probability and share of positives, over bins of equal width.

    y_prob (N): the probability of the positive class. y_prob (N, C): the highest of
    each row is compared with how often it is right, as in Guo et al. (2017).
    """
    prob = y_prob.to(_real(y_prob.device))
    if prob.ndim == 2:
        prob, guess = prob.max(dim=1)
        positive = guess == y_true
    else:
        positive = _positive(y_true, pos_label)
    edges = torch.linspace(0, 1, n_bins + 1, dtype=prob.dtype, device=prob.device)
    bins = _calibration_bins(positive, prob, edges[1:-1].contiguous(), n_bins)
    count, share, mean = bins
    return (count * (share - mean).abs()).sum() / len(prob)


class Metric(nn.Module):
    """State that a batch adds to: the base of the metrics that see data in batches.

    A subclass calls `add_state` in `__init__`, adds to its state in `update`, and makes
    a result of it in `compute`. State is a buffer, so it moves with `to(device)`; it is
    not part of `state_dict`, as in torchmetrics.
    """

    def add_state(self, name, zero):
        self.register_buffer(name, zero, persistent=False)

    def reset(self):
        """Forget all batches."""
        for state in self.buffers():
            state.zero_()

    def merge_state(self, other):
        """Add what `other` has seen. Raises ValueError if it counts something else."""
        mine, its = ([tuple(b.shape) for b in m.buffers()] for m in (self, other))
        if type(self) is not type(other) or mine != its:
            raise ValueError(f"cannot merge {other} {its} into {self} {mine}")
        for state, more in zip(self.buffers(), other.buffers()):
            state += more.to(state.device)

    def all_reduce(self, group=None):
        """A copy that has seen what all processes saw; without processes, a copy.

        A copy, because to add the sums up once more would count everything twice.
        """
        total = copy.deepcopy(self)
        if distributed.is_available() and distributed.is_initialized():
            for state in total.buffers():
                distributed.all_reduce(state, group=group)
        return total


class Mean(Metric):
    """The mean of all values, each batch weighted by its size: the loss of an epoch."""

    def __init__(self):
        super().__init__()
        self.add_state("total", torch.zeros((), dtype=torch.float64))
        self.add_state("weight", torch.zeros((), dtype=torch.float64))

    def update(self, value, weight=1):
        """value: the mean of a batch, or a tensor of values; weight: of how many."""
        value = torch.as_tensor(value).detach().to(self.total)
        weight = torch.as_tensor(weight).to(self.total).expand(value.shape)
        self.total += (value * weight).sum()
        self.weight += weight.sum()

    def compute(self):
        return self.total / self.weight


class ConfusionMatrix(Metric):
    """The confusion matrix of all batches, and every score that follows from it."""

    def __init__(self, num_classes):
        super().__init__()
        self.num_classes = num_classes
        zero = torch.zeros(num_classes, num_classes, dtype=torch.int64)
        self.add_state("counts", zero)

    def update(self, y_true, y_pred):
        """Add a batch of labels from 0 to num_classes - 1: (N), (N)."""
        for name, y in (("y_true", y_true), ("y_pred", y_pred)):
            if y.numel() and not (0 <= y.min() and y.max() < self.num_classes):
                raise ValueError(f"{name} should lie in 0..{self.num_classes - 1}")
        labels = list(range(self.num_classes))
        self.counts += confusion_matrix(y_true, y_pred, labels=labels)

    def compute(self):
        return self.counts.clone()

    def score(self, function, **options):
        """function(y_true, y_pred, **options), as if on all samples at once."""
        y_true, y_pred = self.counts.nonzero(as_tuple=True)
        weight = self.counts[y_true, y_pred]
        return function(y_true, y_pred, sample_weight=weight, **options)


class ScoreHistogram(Metric):
    """Scores in [0, 1] counted in bins, by class: a ROC curve in constant memory.

    Scores that share a bin count as equal.
    """

    def __init__(self, bins=1000):
        super().__init__()
        self.bins = bins
        self.add_state("counts", torch.zeros(2, bins, dtype=torch.int64))

    def update(self, y_true, y_score):
        """Add a batch of labels 0 or 1 and of scores: (N), (N)."""
        if y_score.numel() and not (0 <= y_score.min() and y_score.max() <= 1):
            raise ValueError("y_score should lie in [0, 1]")
        if not ((y_true == 0) | (y_true == 1)).all():
            raise ValueError("y_true should hold zeros and ones")
        place = (y_score * self.bins).long().clamp(max=self.bins - 1)
        cells = y_true.long() * self.bins + place
        self.counts += torch.bincount(cells, minlength=2 * self.bins).view(2, -1)

    def compute(self):
        """The area under the ROC curve."""
        return self.score(roc_auc_score)

    def score(self, function, **options):
        """function(y_true, y_score, **options), as if on all binned samples at once."""
        y_true, place = self.counts.nonzero(as_tuple=True)
        score = (place + 0.5) / self.bins
        weight = self.counts[y_true, place]
        return function(y_true, score, sample_weight=weight, **options)


def soft_f1_score(y_true, y_prob):
    """F1 with probabilities in the place of decisions: 2 sum(pt) / (sum(p) + sum(t)).

    Any shape, both the same; 1 minus it is the Dice loss of Milletari et al. (2016).
    It has a gradient. Without positives and with all probabilities 0 it is nan.
    """
    return 2 * (y_prob * y_true).sum() / (y_prob.sum() + y_true.sum())


def soft_f1_backward(grad_output, y_true, y_prob):
    """Gradient of the loss with respect to y_prob, where grad_output is dL/dF."""
    total = y_prob.sum() + y_true.sum()
    return grad_output * (2 * y_true - soft_f1_score(y_true, y_prob)) / total
