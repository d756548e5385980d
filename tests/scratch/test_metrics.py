"""scratch.metrics is scikit-learn's and torchmetrics': any labels, scores, weights and options, errors too."""

import inspect
import itertools
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sklearn.calibration
import sklearn.datasets
import sklearn.metrics as sk
import torch
import torchmetrics
import torchmetrics.functional.classification as tm
from hypothesis import given
from hypothesis import strategies as st
from torch import distributed, nn

from scratch import metrics

pytestmark = pytest.mark.filterwarnings("ignore")

TWINS: dict[str, Callable[..., Any]] = {
    "confusion_matrix": sk.confusion_matrix,
    "accuracy": sk.accuracy_score,
    "balanced_accuracy": sk.balanced_accuracy_score,
    "precision": sk.precision_score,
    "recall": sk.recall_score,
    "f1_score": sk.f1_score,
    "fbeta_score": sk.fbeta_score,
    "matthews_corrcoef": sk.matthews_corrcoef,
    "roc_curve": sk.roc_curve,
    "precision_recall_curve": sk.precision_recall_curve,
    "auc": sk.auc,
    "roc_auc_score": sk.roc_auc_score,
    "average_precision_score": sk.average_precision_score,
    "calibration_curve": sklearn.calibration.calibration_curve,
}
AVERAGES = [None, "binary", "micro", "macro", "weighted", "samples"]


def outcome(function: Callable[..., Any], *arguments: Any, **options: Any) -> list[np.ndarray] | type[Exception]:
    """What a function returns, or the kind of error that it raises."""
    try:
        result = function(*arguments, **options)
    except (ValueError, NotImplementedError) as error:
        return ValueError if isinstance(error, ValueError) else NotImplementedError
    return [np.asarray(each, dtype=float) for each in (result if isinstance(result, tuple) else (result,))]


def check(name: str, *arguments: np.ndarray, sample_weight: np.ndarray | None = None, **options: Any) -> None:
    """Both return the same, or raise alike."""
    weight = None if sample_weight is None else torch.from_numpy(sample_weight)
    tensors = [torch.from_numpy(argument) for argument in arguments]
    weights = {} if weight is None else {"sample_weight": weight}
    ours = outcome(getattr(metrics, name), *tensors, **weights, **options)
    weights = {} if sample_weight is None else {"sample_weight": sample_weight}
    theirs = outcome(TWINS[name], *arguments, **weights, **options)
    if isinstance(ours, type) or isinstance(theirs, type):
        assert ours == theirs, (name, options)
        return
    assert [a.shape for a in ours] == [b.shape for b in theirs]
    for a, b in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-9, equal_nan=True)


@st.composite
def samples(draw: st.DrawFn, kinds: str = "binary multiclass multilabel") -> dict[str, Any]:
    """Truth, answer, scores (with equal ones among them) and weights of a few samples."""
    kind = draw(st.sampled_from(kinds.split()))
    N, C = draw(st.integers(1, 12)), 2 if kind == "binary" else draw(st.integers(2, 4))
    seed = draw(st.integers(0, 2**32 - 1))
    random = np.random.default_rng(seed)
    shape = (N, C) if kind == "multilabel" else (N,)
    highest = 2 if kind == "multilabel" else C
    weight = random.integers(0, 4, N).astype(float)
    return {
        "kind": kind,
        "classes": C,
        "true": random.integers(0, highest, shape),
        "answer": random.integers(0, highest, shape),
        "score": random.integers(0, 6, shape) / 5,
        "probability": random.dirichlet(np.ones(C), N),
        "weight": weight if weight.sum() > 0 and draw(st.booleans()) else None,
    }


@pytest.mark.parametrize("name", TWINS)
def test_arguments_are_those_of_scikit_learn(name: str) -> None:
    ours, theirs = (inspect.signature(f).parameters.values() for f in (getattr(metrics, name), TWINS[name]))
    assert [(p.name, p.kind, p.default) for p in ours] == [(p.name, p.kind, p.default) for p in theirs]


@given(
    samples(),
    st.sampled_from(AVERAGES),
    st.sampled_from(["warn", 0, 1, math.nan]),
    st.none() | st.permutations(range(4)),
    st.integers(0, 2),
    st.sampled_from([0, 0.5, 2, math.inf]),
)
def test_scores_of_answers(
    data: dict[str, Any],
    average: str | None,
    zero_division: Any,
    labels: list[int] | None,
    pos_label: int,
    beta: float,
) -> None:
    if labels is not None:
        labels = [label for label in labels if label < data["classes"]][: 1 + pos_label]
    options = {"average": average, "zero_division": zero_division, "labels": labels, "pos_label": pos_label}
    arguments = data["true"], data["answer"]
    for name in ("precision", "recall", "f1_score"):
        check(name, *arguments, sample_weight=data["weight"], **options)
    check("fbeta_score", *arguments, sample_weight=data["weight"], beta=beta, **options)
    ours = outcome(metrics.specificity, *map(torch.from_numpy, arguments), **options)
    if data["kind"] == "binary" and average == "binary" and not isinstance(ours, type) and pos_label < 2:
        flipped = outcome(sk.recall_score, *arguments, pos_label=1 - pos_label, zero_division=zero_division)
        if not isinstance(flipped, type):
            np.testing.assert_allclose(ours[0], flipped[0], equal_nan=True)


@given(samples(), st.sampled_from([None, "true", "pred", "all"]), st.booleans(), st.booleans())
def test_scores_of_the_whole_table(data: dict[str, Any], normalize: str | None, some: bool, flag: bool) -> None:
    arguments, weight = (data["true"], data["answer"]), data["weight"]
    labels = [1, 0] if some else None
    check("confusion_matrix", *arguments, sample_weight=weight, labels=labels, normalize=normalize)
    check("accuracy", *arguments, sample_weight=weight, normalize=flag)
    check("matthews_corrcoef", *arguments, sample_weight=weight)
    if data["kind"] == "multilabel" or len(np.unique(data["true"])) > 1:  # else adjusted is 0/0 there
        check("balanced_accuracy", *arguments, sample_weight=weight, adjusted=flag)


@given(samples("binary multiclass"), st.booleans(), st.sampled_from([None, 0, 1]))
def test_curves(data: dict[str, Any], drop: bool, pos_label: int | None) -> None:
    for name in ("roc_curve", "precision_recall_curve"):
        options = {"drop_intermediate": drop, "pos_label": pos_label}
        if data["kind"] == "binary":
            check(name, data["true"], data["score"], sample_weight=data["weight"], **options)


@given(samples("binary multilabel"), st.sampled_from([None, "micro", "macro", "weighted"]), st.sampled_from([None, 1]))
def test_areas(data: dict[str, Any], average: str | None, max_fpr: float | None) -> None:
    options = {"average": average, "sample_weight": data["weight"]}
    check("roc_auc_score", data["true"], data["score"], max_fpr=max_fpr, **options)
    check("average_precision_score", data["true"], data["score"], **options)


@given(samples("multiclass"), st.sampled_from(AVERAGES), st.sampled_from(["raise", "ovr", "ovo"]), st.booleans())
def test_areas_of_many_classes(data: dict[str, Any], average: str | None, multi_class: str, listed: bool) -> None:
    if len(np.unique(data["true"])) < 3:
        return
    labels = list(range(data["classes"])) if listed else None
    options = {"average": average, "sample_weight": data["weight"]}
    check("roc_auc_score", data["true"], data["probability"], multi_class=multi_class, labels=labels, **options)
    check("average_precision_score", data["true"], data["probability"], **options)


@pytest.mark.parametrize("max_fpr", [0.05, 0.3, 0.9])
@pytest.mark.parametrize("seed", range(20))
def test_a_part_of_the_area(max_fpr: float, seed: int) -> None:
    random = np.random.default_rng(seed)
    true, score = random.integers(0, 2, 40), random.integers(0, 15, 40) / 15
    check("roc_auc_score", true, score, max_fpr=max_fpr)


@given(st.integers(2, 60), st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_calibration(N: int, bins: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    true, p = random.integers(0, 2, N), random.random(N)
    check("calibration_curve", true, p, n_bins=bins)
    if all((N - 1) * k % bins for k in range(1, bins)):  # else a score lies on an edge, and rounding decides
        check("calibration_curve", true, p, n_bins=bins, strategy="quantile")
    target, preds = torch.from_numpy(true), torch.from_numpy(p)
    theirs = tm.binary_calibration_error(preds, target, n_bins=bins)
    torch.testing.assert_close(metrics.expected_calibration_error(target, preds, n_bins=bins), theirs.double())


@given(st.integers(1, 40), st.integers(2, 5), st.integers(0, 2**32 - 1))
def test_torchmetrics(N: int, C: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    true = torch.randint(0, C, (N,), generator=generator)
    score = torch.rand(N, C, generator=generator).softmax(dim=1)
    answer = score.argmax(dim=1)
    close = {"rtol": 1e-5, "atol": 1e-5, "check_dtype": False}
    torch.testing.assert_close(
        metrics.confusion_matrix(true, answer, labels=list(range(C))), tm.multiclass_confusion_matrix(answer, true, C)
    )
    error = metrics.expected_calibration_error(true, score)
    torch.testing.assert_close(error, tm.multiclass_calibration_error(score, true, C), **close)
    for average in ("micro", "macro", "weighted"):
        ours = metrics.specificity(true, answer, average=average, zero_division=0)
        present = len(torch.unique(torch.cat([true, answer])))
        if average != "macro" or present == C:  # torchmetrics leaves absent classes out in its own way
            torch.testing.assert_close(
                ours, tm.multiclass_specificity(answer, true, present, average) if present == C else ours, **close
            )


def test_breast_cancer() -> None:
    data = sklearn.datasets.load_breast_cancer()
    true, score = 1 - data.target, data.data[:, 1] / data.data[:, 1].max()
    answer = (score >= 0.5).astype(int)
    for name in ("confusion_matrix", "accuracy", "balanced_accuracy", "matthews_corrcoef"):
        check(name, true, answer)
    for name, average in itertools.product(("precision", "recall", "f1_score"), AVERAGES):
        check(name, true, answer, average=average)
    for name in ("roc_curve", "precision_recall_curve", "roc_auc_score", "average_precision_score"):
        check(name, true, score)
    check("calibration_curve", true, score)


@pytest.mark.parametrize(
    ("x", "y"),
    [([0, 0.5, 1], [0, 1, 1]), ([1, 0.5, 0], [0, 1, 1]), ([0, 1, 0.5], [0, 0, 1]), ([0], [1]), ([1, 1], [0, 1])],
)
def test_auc(x: list[float], y: list[float]) -> None:
    check("auc", np.array(x, dtype=float), np.array(y, dtype=float))


def test_bad_arguments() -> None:
    y, s = torch.tensor([0, 1, 1]), torch.tensor([0.1, 0.5, 0.7])
    cases: list[tuple[str, Callable[[], Any]]] = [
        ("same shape", lambda: metrics.precision(y, y[:2])),
        ("apply a threshold", lambda: metrics.accuracy(y, s)),
        ("sample_weight should have shape", lambda: metrics.recall(y, y, sample_weight=s[:2])),
        ("labels should hold", lambda: metrics.confusion_matrix(y, y, labels=[])),
        ("none of labels", lambda: metrics.confusion_matrix(y, y, labels=[5])),
        ("normalize='rows'", lambda: metrics.confusion_matrix(y, y, normalize="rows")),
        ("not a table", lambda: metrics.confusion_matrix(y.expand(2, 3), y.expand(2, 3))),
        ("zero_division", lambda: metrics.f1_score(y, y, zero_division=0.5)),
        ("beta should", lambda: metrics.fbeta_score(y, y, beta=-1)),
        ("average should", lambda: metrics.recall(y, y, average="mean")),
        ("several labels", lambda: metrics.recall(y, y, average="samples")),
        ("pos_label=7", lambda: metrics.recall(y, y, pos_label=7)),
        ("not columns", lambda: metrics.recall(y.expand(2, 3), y.expand(2, 3), average="macro", labels=[3])),
        ("name pos_label", lambda: metrics.roc_curve(y + 1, s)),
        ("nan or infinity", lambda: metrics.roc_curve(y, s / 0)),
        ("shape of y_true", lambda: metrics.roc_curve(y, s[:2])),
        ("max_fpr", lambda: metrics.roc_auc_score(y, s, max_fpr=1.5)),
        ("strategy='even'", lambda: metrics.calibration_curve(y, s, strategy="even")),
        ("lie in", lambda: metrics.expected_calibration_error(y, s * 2)),
        ("y_pred should lie", lambda: metrics.ConfusionMatrix(2).update(y, y + 1)),
        ("y_score should lie", lambda: metrics.ScoreHistogram().update(y, s * 2)),
        ("cannot merge", lambda: metrics.ConfusionMatrix(2).merge_state(metrics.ConfusionMatrix(3))),
    ]
    for message, call in cases:
        with pytest.raises(ValueError, match=message):
            call()


def test_bools_are_labels_too() -> None:
    true, said = torch.tensor([0, 1, 1, 0, 1]), torch.tensor([0, 1, 0, 1, 1])
    for function in (
        metrics.confusion_matrix,
        metrics.accuracy,
        metrics.balanced_accuracy,
        metrics.matthews_corrcoef,
        metrics.f1_score,
        lambda t, p: metrics.precision(t, p, average=None),
    ):
        torch.testing.assert_close(function(true.bool(), said.bool()), function(true, said))
        torch.testing.assert_close(function(true, said.bool()), function(true, said))


def test_without_samples_there_is_no_curve() -> None:
    true, score = torch.zeros(0, dtype=torch.int64), torch.zeros(0)
    for name in (
        "roc_curve",
        "precision_recall_curve",
        "roc_auc_score",
        "average_precision_score",
        "cheapest_threshold",
        "calibration_curve",
        "expected_calibration_error",
    ):
        with pytest.raises(ValueError, match="empty"):
            getattr(metrics, name)(true, score)


def test_a_histogram_counts_two_classes() -> None:
    with pytest.raises(ValueError, match="zeros and ones"):
        metrics.ScoreHistogram().update(torch.tensor([1, 2]), torch.tensor([0.5, 0.5]))
    with pytest.raises(ValueError, match=r"\(3, 3\).*\(2, 2\)"):
        metrics.ConfusionMatrix(2).merge_state(metrics.ConfusionMatrix(3))


def test_zero_by_zero_warns_and_is_zero() -> None:
    with pytest.warns(UserWarning, match="precision is 0/0"):
        assert metrics.precision(torch.tensor([1, 1]), torch.tensor([0, 0])) == 0


@given(st.integers(1, 30), st.sampled_from([(1, 1), (1, 10), (7, 2)]), st.integers(0, 2**32 - 1))
def test_the_cheapest_threshold_is_the_cheapest(N: int, costs: tuple[int, int], seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    true = torch.randint(0, 2, (N,), generator=generator)
    score = torch.randint(0, 9, (N,), generator=generator) / 8
    options = {"cost_fp": costs[0], "cost_fn": costs[1]}
    threshold, cost = metrics.cheapest_threshold(true, score, **options)
    tried = {t: metrics.expected_cost(true, (score >= t).int(), **options) for t in (*score.tolist(), math.inf)}
    torch.testing.assert_close(cost, min(tried.values()))
    best = [t for t, c in tried.items() if abs(c - cost) < 1e-12]
    assert threshold == max(best)


@given(st.lists(st.integers(0, 9), min_size=1, max_size=6), st.integers(2, 4), st.integers(0, 2**32 - 1))
def test_streams_are_the_whole(sizes: list[int], C: int, seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    N = sum(sizes)
    if N == 0:
        return
    true, answer = torch.randint(0, C, (2, N), generator=generator)
    score = torch.randint(0, 8, (N,), generator=generator) / 8
    loss = torch.rand(N, generator=generator, dtype=torch.float64)
    halves = [(metrics.ConfusionMatrix(C), metrics.ScoreHistogram(8), metrics.Mean()) for _ in range(2)]
    parts = zip(true.split(sizes), answer.split(sizes), score.split(sizes), loss.split(sizes), strict=True)
    for i, (t, a, s, part) in enumerate(parts):
        table, histogram, mean = halves[i % 2]
        table.update(t, a)
        histogram.update((t > 0).int(), s)
        if len(part):
            mean.update(part.mean(), weight=len(part))
    for ours, other in zip(*halves, strict=True):
        ours.merge_state(other)
    table, histogram, mean = halves[0]
    torch.testing.assert_close(table.compute(), metrics.confusion_matrix(true, answer, labels=list(range(C))))
    for function in (metrics.precision, metrics.recall, metrics.specificity, metrics.f1_score):
        for average in (None, "macro", "micro", "weighted"):
            options: dict[str, Any] = {"average": average, "zero_division": 0}
            torch.testing.assert_close(table.score(function, **options), function(true, answer, **options))
    torch.testing.assert_close(table.score(metrics.matthews_corrcoef), metrics.matthews_corrcoef(true, answer))
    if len(torch.unique(true > 0)) == 2:
        torch.testing.assert_close(histogram.compute(), metrics.roc_auc_score((true > 0).int(), score))
    torch.testing.assert_close(mean.compute(), loss.mean())
    table.reset()
    assert table.counts.sum() == 0 and not table.state_dict()


def test_streams_as_torchmetrics() -> None:
    ours, theirs = metrics.ConfusionMatrix(3), torchmetrics.ConfusionMatrix(task="multiclass", num_classes=3)
    model = nn.ModuleDict({"metric": ours})
    assert not list(model.parameters()) and not model.state_dict()
    for _ in range(3):
        true, answer = torch.randint(0, 3, (2, 20))
        ours.update(true, answer)
        theirs.update(answer, true)
    torch.testing.assert_close(ours.compute(), theirs.compute())


def one_process(rank: int, folder: str) -> None:
    store = distributed.FileStore(f"{folder}/store", 2)
    distributed.init_process_group("gloo", store=store, rank=rank, world_size=2)
    metric = metrics.ConfusionMatrix(2)
    metric.update(torch.tensor([0, 1, 1]), torch.tensor([0, 1, rank]))
    for _ in range(2):  # a second time counts nothing twice
        total = metric.all_reduce().compute()
    torch.save(total, f"{folder}/{rank}.pt")
    distributed.destroy_process_group()


def test_two_processes_add_up(tmp_path: Path) -> None:
    torch.multiprocessing.spawn(one_process, (str(tmp_path),), nprocs=2)
    for rank in range(2):
        assert torch.load(tmp_path / f"{rank}.pt").tolist() == [[2, 0], [1, 3]]


def test_the_soft_score_is_f1_at_the_corners_and_its_gradient_is_right() -> None:
    true = torch.randint(0, 2, (4, 5)).double()
    p = torch.rand(4, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda p: metrics.soft_f1_score(true, p), p)
    sure = torch.randint(0, 2, (4, 5)).double()
    hard = metrics.f1_score(true.flatten(), sure.flatten())
    torch.testing.assert_close(metrics.soft_f1_score(true, sure), hard)
