"""The page for teachers: its plans keep to what the chapters need and take, and what it says of live changes is so."""

import re
from pathlib import Path
from typing import Literal

import pytest
import torch
import torch.nn.functional as F
from einops import rearrange
from sklearn.metrics import accuracy_score, f1_score, precision_score, recall_score, roc_auc_score
from torch import nn

from book._ext.teaching import MISTAKE, hours, plan
from derive import exercise, lessons
from derive.config import Book
from derive.source import read

ROOT = Path(__file__).parents[2]
BOOK = Book.load(ROOT)
COURSE = lessons.read(BOOK)
PAGE = (ROOT / "book" / "teaching.md").read_text(encoding="utf-8")
SYLLABI = [content.split("\n") for content in re.findall(r"^:::\{syllabus\}\n(.*?)\n:::$", PAGE, re.M | re.S)]


def test_there_is_a_plan_for_four_eight_and_twelve_weeks() -> None:
    assert [len(weeks) for weeks in SYLLABI] == [4, 8, 12]


@pytest.mark.parametrize("weeks", SYLLABI, ids=len)
def test_a_chapter_comes_after_those_that_it_links_to_as_needed(weeks: list[str]) -> None:
    order = [int(number) for week in weeks for number in week.split()]
    assert len(order) == len(set(order))
    for place, number in enumerate(order):
        (path,) = (ROOT / "book" / "chapters").glob(f"{number:02}_*.md")
        opening = path.read_text(encoding="utf-8").split("```{code-cell}")[0]
        needed = {int(link) for link in re.findall(r"\((\d\d)_\w+\.md(?:#[\w-]+)?\)", opening)}
        assert needed <= set(order[:place]), f"chapter {number}"


def test_the_longest_plan_has_every_chapter() -> None:
    assert sorted(int(number) for week in SYLLABI[-1] for number in week.split()) == [one.number for one in COURSE]


@pytest.mark.parametrize(
    ("weeks", "says"),
    [
        (["1", "3"], "week 2: 03_linear_layers needs 02_rearranging before it"),
        (["99"], "week 1: there is no chapter 99"),
    ],
)
def test_a_plan_that_cannot_be_is_refused(weeks: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        plan(weeks, COURSE)


@pytest.mark.parametrize("lesson", COURSE, ids=lambda lesson: lesson.slug)
def test_a_lesson_says_what_its_pages_say(lesson: lessons.Lesson) -> None:
    chapter = read(BOOK, ROOT / "book" / "chapters" / f"{lesson.slug}.md")
    practice = exercise.read(ROOT / "book" / "exercises" / f"{lesson.slug}.md")
    assert (lesson.title, lesson.minutes) == (chapter.title, chapter.minutes)
    assert lesson.exercise_minutes == practice.source.minutes
    assert (lesson.tasks, lesson.points) == (len(practice.tasks), sum(task.points for task in practice.tasks))
    assert lesson.goal[0].islower() and lesson.goal.endswith(".")


def test_every_chapter_has_its_lesson_under_its_own_heading() -> None:
    assert re.findall(r"^### (\d+) · (.+)\n\n:::\{lesson\} (\w+)$", PAGE, re.MULTILINE) == [
        (str(lesson.number), lesson.title, lesson.slug) for lesson in COURSE
    ]


def test_the_lesson_of_ninety_minutes_has_ninety() -> None:
    table = PAGE.partition("## A lesson")[2].partition("## Chapter by chapter")[0]
    assert sum(int(minutes) for minutes in re.findall(r"^\| (\d+) \|", table, re.MULTILINE)) == 90


def test_the_mistakes_that_have_a_name_are_found() -> None:
    labels = {
        label
        for path in BOOK.chapters()
        for label in re.findall(r"^\((wrong-[a-z0-9-]+)\)=$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    shown = [label for path in BOOK.chapters() for label, _ in MISTAKE.findall(path.read_text(encoding="utf-8"))]
    assert len(shown) == len(set(shown)) and set(shown) <= labels
    assert len(labels) - len(shown) == 1, "two names may stand before one mistake, and do once"


def test_minutes_are_said_as_hours() -> None:
    assert [hours(minutes) for minutes in (45, 60, 125)] == ["0 h 45", "1 h 00", "2 h 05"]


class TestWhatChangesLive:
    """One test for each chapter whose change can be made without the chapter."""

    def test_1_a_contiguous_copy_is_a_copy(self) -> None:
        x = torch.arange(12).reshape(3, 4)
        x.T.contiguous()[0, 1] = 100
        assert 100 not in x

    def test_2_two_ways_to_flatten(self) -> None:
        x = torch.arange(6).reshape(2, 3)
        assert rearrange(x, "h w -> (h w)").tolist() == list(range(6))
        assert rearrange(x, "h w -> (w h)").tolist() == [0, 3, 1, 4, 2, 5]

    def test_3_a_softmax_that_overflows(self) -> None:
        scores = torch.tensor([1.0, 2.0, 3.0])
        large = scores + 1000
        assert (large.exp() / large.exp().sum()).isnan().all()
        torch.testing.assert_close(large.softmax(0), scores.softmax(0))

    def test_4_the_kernel_turned_round(self) -> None:
        x = torch.tensor([[0.0, 0, 1, 3, 3, 3, 1, 0]])
        there, back = (F.conv1d(x, torch.tensor([[kernel]])) for kernel in ([-1.0, 0, 1], [1.0, 0, -1]))
        assert torch.equal(there, -back) and there.count_nonzero() == there.numel() - 1

    def test_5_the_height(self) -> None:
        sizes = [
            nn.Conv2d(3, 8, kernel_size=5, stride=stride, padding=padding)(torch.zeros(1, 3, 28, 28)).shape[2]
            for stride, padding in ((2, 1), (2, 2), (1, 2))
        ]
        assert sizes == [13, 14, 28]

    @pytest.mark.parametrize("mode", ["reflect", "replicate", "circular"])
    def test_6_the_border_of_a_white_image(self, mode: Literal["reflect", "replicate", "circular"]) -> None:
        layer = nn.Conv2d(1, 1, 3, padding=1, bias=False, padding_mode=mode)
        nn.init.constant_(layer.weight, 1 / 9)
        torch.testing.assert_close(layer(torch.ones(1, 1, 28, 28)), torch.ones(1, 1, 28, 28))

    def test_7_what_was_padded_is_not_counted(self) -> None:
        layer = nn.AvgPool1d(kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False)
        assert layer(torch.ones(1, 6)).unique().tolist() == [1.0]

    def test_9_the_running_mean(self) -> None:
        x = torch.tensor([[2.0], [4.0], [6.0], [8.0]])
        layer, average = nn.BatchNorm1d(1), nn.BatchNorm1d(1, momentum=None)
        for _ in range(20):
            layer(x)
        average(x)
        assert round(layer.state_dict()["running_mean"].item(), 1) == 4.4
        assert average.state_dict()["running_mean"].item() == 5

    def test_10_one_group_and_six(self) -> None:
        x = torch.randn(4, 6, 8, 8)
        torch.testing.assert_close(nn.GroupNorm(1, 6)(x), nn.LayerNorm((6, 8, 8))(x))
        torch.testing.assert_close(nn.GroupNorm(6, 6)(x), nn.InstanceNorm2d(6)(x))

    def test_11_a_list_of_modules(self) -> None:
        hidden = nn.ModuleList(nn.Linear(8, 8) for _ in range(3))
        ends = nn.ModuleList([nn.Linear(4, 8), nn.Linear(8, 2)])
        assert sum(parameter.numel() for part in (ends, hidden) for parameter in part.parameters()) == 274
        assert len(hidden.state_dict()) == 6

    def test_12_a_relu_of_its_own(self) -> None:
        def model(first: nn.ReLU, second: nn.ReLU) -> nn.Sequential:
            block = nn.Sequential(nn.Linear(4, 4), first, nn.Linear(4, 4), second)
            return nn.Sequential(block, block, nn.Linear(4, 2))

        relu = nn.ReLU()
        shared, own = model(relu, relu), model(nn.ReLU(), nn.ReLU())
        assert len([*own.modules()]) == len([*shared.modules()]) + 1
        assert own.state_dict().keys() == shared.state_dict().keys()

    def test_13_a_larger_picture(self) -> None:
        first, pool = nn.Conv2d(3, 64, kernel_size=11, stride=4, padding=2), nn.MaxPool2d(3, stride=2)
        maps = [first(torch.zeros(1, 3, size, size)) for size in (224, 227)]
        assert [one.shape[-1] for one in maps] == [55, 56]
        assert [pool(one).shape[-1] for one in maps] == [27, 27]

    def test_14_the_slope_of_twenty_layers(self) -> None:
        assert f"{0.2**20:.0e}" == "1e-14"
        assert round(1.2**20) == 38

    def test_15_steps_of_an_epoch(self) -> None:
        batches = torch.arange(1437).split(100)
        assert (len(batches), len(batches[-1])) == (15, 37)

    def test_16_ten_times_as_many_healthy(self) -> None:
        generator = torch.Generator().manual_seed(0)
        truth = torch.randint(2, (200,), generator=generator)
        scores = truth + torch.randn(200, generator=generator)
        often = torch.cat([truth, truth[truth == 0].repeat(9)]), torch.cat([scores, scores[truth == 0].repeat(9)])

        def found(truth: torch.Tensor, scores: torch.Tensor) -> tuple[list[float], list[float]]:
            answers = scores > 0.5
            change = [metric(truth, answers) for metric in (precision_score, f1_score, accuracy_score)]
            stay = [recall_score(truth, answers), recall_score(1 - truth, ~answers), roc_auc_score(truth, scores)]
            return change, stay

        (changed_from, stayed_from), (changed_to, stayed_to) = found(truth, scores), found(*often)
        assert all(abs(old - new) > 0.01 for old, new in zip(changed_from, changed_to, strict=True))
        assert stayed_to == pytest.approx(stayed_from)

    def test_17_nine_samples(self) -> None:
        assert [len(part) for part in torch.arange(9).chunk(4)] == [3, 3, 3]

    def test_18_another_learning_rate(self) -> None:
        losses = []
        for rate in (0.1, 0.101):
            torch.manual_seed(0)
            layer, x = nn.Linear(3, 2), torch.randn(8, 3)
            optimizer = torch.optim.SGD(layer.parameters(), lr=rate)
            for _ in range(2):
                loss = layer(x).square().mean()
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
                losses.append(loss.item())
        assert losses[0] == losses[2] and losses[1] != losses[3]
