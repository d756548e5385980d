"""scratch.module_traversal does what torch.nn.Module's methods do, on any graph of modules and with all options."""

import inspect
import itertools
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn

from scratch import module_traversal as ours

WALKS = (
    "modules",
    "named_modules",
    "children",
    "named_children",
    "parameters",
    "named_parameters",
    "buffers",
    "named_buffers",
)
KEYS = st.text("abc_1", min_size=1, max_size=3).filter(lambda key: not hasattr(nn.Module(), key))


@st.composite
def networks(draw: st.DrawFn) -> nn.Module:
    """A graph of modules without circles, in which modules, parameters and buffers repeat, and entries may be None."""
    nodes = [nn.Module() for _ in range(draw(st.integers(1, 7)))]
    weights = [nn.Parameter(torch.zeros(1), requires_grad=draw(st.booleans())) for _ in range(3)]
    numbers = [torch.zeros(2) for _ in range(2)]
    for place, node in enumerate(nodes):
        later = [None, *nodes[place + 1 :]]
        for key in draw(st.lists(KEYS, max_size=5, unique=True)):
            match draw(st.sampled_from(["module", "module", "parameter", "buffer"])):
                case "module":
                    node.register_module(key, draw(st.sampled_from(later)))
                case "parameter":
                    node.register_parameter(key, draw(st.sampled_from([None, *weights])))
                case "buffer":
                    number = draw(st.sampled_from([None, *numbers]))
                    node.register_buffer(key, number, persistent=draw(st.booleans()))
    return nodes[0]


def listed(walk: Iterable[Any]) -> list[Any]:
    """Names and identities."""
    return [(each[0], id(each[1])) if isinstance(each, tuple) else id(each) for each in walk]


prefixes = st.sampled_from(["", "net", "a.b"])


@given(networks(), prefixes, st.booleans(), st.booleans())
def test_the_same_names_and_objects_in_the_same_order(
    network: nn.Module, prefix: str, unique: bool, recurse: bool
) -> None:
    options: dict[str, dict[str, Any]] = {
        "named_modules": {"prefix": prefix, "remove_duplicate": unique},
        "parameters": {"recurse": recurse},
        "buffers": {"recurse": recurse},
        "named_parameters": {"prefix": prefix, "recurse": recurse, "remove_duplicate": unique},
        "named_buffers": {"prefix": prefix, "recurse": recurse, "remove_duplicate": unique},
    }
    for name in WALKS:
        chosen = options.get(name, {})
        assert listed(getattr(ours, name)(network, **chosen)) == listed(getattr(network, name)(**chosen)), name


@given(networks())
def test_modules_with_and_without_repetitions(network: nn.Module) -> None:
    for unique in (True, False):
        theirs = [module for _, module in network.named_modules(remove_duplicate=unique)]
        assert list(ours.modules(network, remove_duplicate=unique)) == theirs


@given(networks(), st.data())
def test_the_memo_is_read_and_filled(network: nn.Module, data: st.DataObject) -> None:
    known = set(data.draw(st.lists(st.sampled_from(list(network.modules())), max_size=3)))
    mine, theirs = set(known), set(known)
    assert listed(ours.named_modules(network, mine)) == listed(network.named_modules(theirs))
    assert mine == theirs


@given(networks())
def test_named_state_is_the_state_dict(network: nn.Module) -> None:
    state = network.state_dict()
    assert [(k, v.data_ptr()) for k, v in ours.named_state(network)] == [(k, v.data_ptr()) for k, v in state.items()]


@given(networks())
def test_walking_changes_nothing_and_torchs_own_methods_are_not_called(network: nn.Module) -> None:
    before = repr(network), [tensor.data_ptr() for tensor in network.state_dict().values()]

    def refuse(*_: object, **__: object) -> None:
        raise AssertionError("torch's own traversal was called")

    with pytest.MonkeyPatch.context() as patch:
        for name in (*WALKS, "_named_members", "apply", "state_dict"):
            patch.setattr(nn.Module, name, refuse)
        for name in (*WALKS, "named_state"):
            list(getattr(ours, name)(network))
    assert (repr(network), [tensor.data_ptr() for tensor in network.state_dict().values()]) == before


@pytest.mark.parametrize("name", ["alexnet", "vgg16", "resnet18", "googlenet", "mobilenet_v3_small", "swin_t"])
def test_real_networks(name: str) -> None:
    models = pytest.importorskip("torchvision.models")
    options = {"init_weights": False} if name == "googlenet" else {}
    with torch.device("meta"):
        network = getattr(models, name)(weights=None, **options)
    for walk in WALKS:
        assert listed(getattr(ours, walk)(network)) == listed(getattr(network, walk)())


def test_a_circle_ends() -> None:
    root = nn.Sequential(nn.ReLU(), nn.Sequential())
    root[1].parent = root
    assert listed(ours.named_modules(root)) == listed(root.named_modules())
    with pytest.raises(RecursionError):
        list(ours.named_modules(root, remove_duplicate=False))


@pytest.mark.parametrize("name", WALKS)
def test_signature(name: str) -> None:
    def arguments(function: Callable[..., Any]) -> list[tuple[str, Any]]:
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()][1:]

    mine, theirs = arguments(getattr(ours, name)), arguments(getattr(nn.Module, name))
    assert mine == theirs or (name == "modules" and not theirs)  # an older torch: no remove_duplicate there


NO_MODULES = {
    "a number": 42,
    "None": None,
    "a tensor": torch.zeros(1),
    "not initialised": nn.Module.__new__(nn.ReLU),
}


@pytest.mark.parametrize("wrong", NO_MODULES.values(), ids=NO_MODULES.keys())
@pytest.mark.parametrize("name", WALKS)
def test_what_is_no_module_is_refused_as_torch_does(name: str, wrong: object) -> None:
    with pytest.raises(AttributeError):
        list(getattr(nn.Module, name)(wrong))
    with pytest.raises(AttributeError):
        list(getattr(ours, name)(wrong))


def test_freeze_stops_gradients_and_running_estimates() -> None:
    network = nn.Sequential(nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3), nn.Linear(4, 2))
    ours.freeze(network[:2])
    before = {k: v.clone() for k, v in network.state_dict().items()}
    network(torch.randn(4, 2, 4, 4)).sum().backward()
    assert network[0].weight.grad is None and network[2].weight.grad is not None
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)
    assert network.training and network[2].training


def test_parameter_groups() -> None:
    network = nn.ModuleDict({"layer1": nn.Linear(2, 2), "layer10": nn.Linear(2, 2), "head": nn.Linear(2, 1)})
    network["layer1"].bias.requires_grad_(False)
    rules = {"": {"lr": 1.0}, "layer1": {"lr": 2.0}, "head.weight": {"lr": 3.0, "weight_decay": 0.1}}
    groups = ours.parameter_groups(network, rules)
    learned = {id(p): group["lr"] for group in groups for p in group["params"]}
    assert {n: learned.get(id(p)) for n, p in network.named_parameters()} == {
        "layer1.weight": 2.0,
        "layer1.bias": None,
        "layer10.weight": 1.0,
        "layer10.bias": 1.0,
        "head.weight": 3.0,
        "head.bias": 1.0,
    }
    assert groups[-1]["weight_decay"] == 0.1
    torch.optim.SGD(groups)
    with pytest.raises(ValueError, match="layer2"):
        ours.parameter_groups(network, {"": {}, "layer2": {}})
    with pytest.raises(ValueError, match=r"layer10\.weight"):
        ours.parameter_groups(network, {"layer1": {}, "head": {}})
    network.requires_grad_(False)
    assert ours.parameter_groups(network, rules) == []


def test_a_rule_goes_by_whole_keys_and_a_shared_parameter_by_its_first_name() -> None:
    layer = nn.Linear(2, 2)
    network = nn.ModuleDict({"a": layer, "ab": nn.Linear(2, 2), "b": layer})
    first, second, rest = ours.parameter_groups(network, {"b": {}, "a": {}, "ab.weight": {}, "": {}})
    assert [id(p) for p in first["params"]] == [id(p) for p in layer.parameters()]
    assert second["params"][0] is network["ab"].weight and rest["params"][0] is network["ab"].bias


def test_replace_modules_keeps_sharing_and_mode() -> None:
    relu = nn.ReLU()
    block = nn.Sequential(relu, nn.Linear(1, 1), relu)
    network = nn.Sequential(block, nn.Sequential(block, nn.ReLU())).eval()
    made: list[nn.Module] = []

    def wrap(old: nn.Module) -> nn.Module:
        made.append(nn.Sequential(old, nn.Dropout()))
        return made[-1]

    assert ours.replace_modules(network, nn.ReLU, wrap) == ["0.0", "0.2", "1.1"]
    assert len(made) == 2 and block[0] is block[2] is made[0] and made[0][0] is relu
    assert not any(module.training for module in network.modules())
    with pytest.raises(ValueError, match="root"):
        ours.replace_modules(relu, nn.ReLU, wrap)
    with pytest.raises(TypeError, match=r"None.*'0\.1'"):
        ours.replace_modules(network, nn.Linear, lambda old: None)


class TwoCalls(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1))
        self.layer = nn.Linear(3, 3)
        self.norm = nn.BatchNorm1d(3).eval()
        self.lstm = nn.LSTM(3, 2)

    def forward(self, x: torch.Tensor) -> Any:
        assert not torch.is_grad_enabled() or self.training
        return self.lstm(self.norm(self.layer(self.layer(x * self.scale))))


def test_layer_summary_notes_calls_and_leaves_no_trace() -> None:
    network = TwoCalls()
    modes = [module.training for module in network.modules()]
    before = {k: v.clone() for k, v in network.state_dict().items()}
    rows = ours.layer_summary(network, torch.randn(5, 3))
    assert [tuple(row) for row in rows] == [
        ("layer", "Linear", (5, 3), 12),
        ("layer", "Linear", (5, 3), 0),
        ("norm", "BatchNorm1d", (5, 3), 6),
        ("lstm", "LSTM", None, sum(p.numel() for p in network.lstm.parameters())),
        ("", "TwoCalls", None, 1),
    ]
    assert sum(row.parameters for row in rows) == sum(p.numel() for p in network.parameters())
    with pytest.raises(RuntimeError):
        ours.layer_summary(network, torch.randn(5, 7))
    assert [module.training for module in network.modules()] == modes
    assert not any(module._forward_hooks for module in network.modules())
    torch.testing.assert_close(network.state_dict(), before, rtol=0, atol=0)


def test_capture_copies_and_takes_its_hooks_away() -> None:
    network = nn.Sequential(nn.Linear(2, 2), nn.ReLU(inplace=True), nn.LSTM(2, 2))
    x = -torch.rand(4, 2)
    with ours.capture(network, ["0", "1", "2"]) as seen:
        network(x)
        output = network(x)
    assert [len(calls) for calls in seen.values()] == [2, 2, 2]
    torch.testing.assert_close(seen["0"][0], network[0](x).detach())
    assert not seen["0"][0].requires_grad and seen["2"][1] is output
    with pytest.raises(KeyError), ours.capture(network, ["0"]):
        raise KeyError
    with pytest.raises(ValueError, match="'3'"), ours.capture(network, ["3"]):
        pass
    assert not any(module._forward_hooks for module in network.modules())


def test_load_matching_loads_what_fits_and_says_what_does_not() -> None:
    old, new = (nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, n)) for n in (4, 5))
    nn.init.normal_(old[1].running_mean)
    state = old.state_dict()
    del state["1.bias"]
    state["extra"] = torch.zeros(1)
    report = ours.load_matching(new, state)
    assert report == {"missing": ["1.bias"], "unexpected": ["extra"], "mismatched": ["2.weight", "2.bias"]}
    for name, (a, b) in {n: (new.state_dict()[n], state[n]) for n in state if n[0] in "01"}.items():
        assert torch.equal(a, b), name
    assert new[0].weight.requires_grad
    assert ours.load_matching(new, new.state_dict()) == {"missing": [], "unexpected": [], "mismatched": []}


@pytest.mark.parametrize(("unique", "recurse"), list(itertools.product([True, False], repeat=2)))
def test_lazy_and_parametrized_layers(unique: bool, recurse: bool) -> None:
    normed = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
    network = nn.ModuleList([nn.LazyLinear(3), normed, nn.LSTM(2, 2), nn.TransformerEncoderLayer(4, 2, 8)])
    for module in (network, *network):
        options = {"remove_duplicate": unique, "recurse": recurse}
        assert listed(ours.named_parameters(module, **options)) == listed(module.named_parameters(**options))
        assert listed(ours.named_buffers(module, **options)) == listed(module.named_buffers(**options))
