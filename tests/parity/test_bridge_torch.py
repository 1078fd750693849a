"""PyTorch: every rule as a torch optimizer, and a module's loss as an objective."""

from __future__ import annotations

import copy
import dataclasses
import functools
import io
import pickle
from typing import Any

import numpy as np
import pytest
import torch
from tests.parity.networks import CHAOTIC, INPUTS, RULES, STEPS, TARGETS, assert_equal

import fallline
from fallline.arrays import FloatArray
from fallline.bridges.torch import ModuleObjective, as_torch_optimizer, from_torch
from fallline.errors import FalllineError

DATA = (torch.tensor(INPUTS), torch.tensor(TARGETS))
mse = torch.nn.functional.mse_loss


def network() -> torch.nn.Module:
    torch.manual_seed(0)
    return torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Tanh(), torch.nn.Linear(3, 1)).double()


def flat(module: torch.nn.Module) -> FloatArray:
    numbers: FloatArray = torch.nn.utils.parameters_to_vector(module.parameters()).detach().numpy().copy()
    return numbers


def train(module: torch.nn.Module, optimizer: Any, steps: int) -> None:
    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        loss: torch.Tensor = mse(module(DATA[0]), DATA[1])
        loss.backward()
        return loss

    for _ in range(steps):
        optimizer.step(closure)


def parameter(*numbers: float, dtype: torch.dtype = torch.float64) -> torch.nn.Parameter:
    made = torch.nn.Parameter(torch.tensor(numbers, dtype=dtype))
    made.grad = torch.ones_like(made)
    return made


def reference(rule: Any, steps: int = STEPS) -> fallline.Trajectory:
    objective = from_torch(network(), mse, DATA)
    return fallline.minimize(objective, objective.start, rule, max_steps=steps, stop=fallline.NotFinite())


@pytest.mark.parametrize("name", [name for name in RULES if name not in CHAOTIC])
def test_a_rule_in_torch_equals_its_reference_run(name: str) -> None:
    module = network()
    optimizer = as_torch_optimizer(RULES[name])(module.parameters())
    train(module, optimizer, STEPS)
    optimizer.eval()
    run = reference(RULES[name])
    assert run.step_count == STEPS
    assert_equal(flat(module), run.final.x)


@pytest.mark.parametrize("name", CHAOTIC)
def test_a_chaotic_rule_in_torch_equals_its_reference_run_on_the_same_gradients(name: str) -> None:
    run = reference(RULES[name])
    point = torch.nn.Parameter(torch.tensor(run.start.x))
    optimizer = as_torch_optimizer(RULES[name])([point])
    for gradient in run.gradient[:-1]:
        point.grad = torch.tensor(gradient)
        optimizer.step()
    assert_equal(point.detach().numpy(), run.final.x)


@pytest.mark.parametrize("search", [fallline.Backtracking(), fallline.StrongWolfe(), fallline.ExactQuadratic()])
def test_a_line_search_in_torch_takes_the_reference_runs_rates(search: fallline.LineSearch) -> None:
    rule = fallline.GradientDescent(search)
    module = network()
    optimizer = as_torch_optimizer(rule)(module.parameters())
    rates = []
    for _ in range(10):
        train(module, optimizer, 1)
        rates.append(optimizer.param_groups[0]["lr"])
    run = reference(rule, steps=10)
    # Ten steps, before rounding errors have grown: a search compares values that are nearly equal.
    assert rates == pytest.approx(run.rate[:-1].tolist(), rel=1e-9)
    assert flat(module) == pytest.approx(run.final.x, rel=1e-9)


def test_lbfgs_with_its_line_search_fits_the_network() -> None:
    module = network()
    train(module, as_torch_optimizer(fallline.LBFGS())(module.parameters()), 120)
    assert mse(module(DATA[0]), DATA[1]) < 1e-10


def test_groups_have_rates_and_hyperparameters_of_their_own() -> None:
    a, b, c = parameter(1.0), parameter(1.0), parameter(1.0)
    groups = [{"params": [a]}, {"params": [b], "lr": 0.5}, {"params": [c], "momentum": 0.0}]
    optimizer = as_torch_optimizer(fallline.Momentum(0.125, momentum=0.5))(groups)
    optimizer.step()
    optimizer.step()
    # By hand: two steps of rate (1 + 1.5), or rate (1 + 1) without momentum.
    assert (a.item(), b.item(), c.item()) == (1 - 0.125 * 2.5, 1 - 0.5 * 2.5, 1 - 0.125 * 2)
    with pytest.raises(FalllineError, match="momentum is 2"):
        optimizer.add_param_group({"params": [parameter(1.0)], "momentum": 2.0})
    assert len(optimizer.param_groups) == 3


def test_torch_schedulers_set_the_rate() -> None:
    ours, theirs = parameter(1.0), parameter(1.0)
    pairs = []
    for point, optimizer in (
        (ours, as_torch_optimizer(fallline.Momentum(0.1))([ours])),
        (theirs, torch.optim.SGD([theirs], lr=0.1, momentum=0.9)),
    ):
        scheduler = torch.optim.lr_scheduler.OneCycleLR(optimizer, 0.3, total_steps=20, cycle_momentum=False)
        path = []
        for _ in range(20):
            optimizer.step()
            scheduler.step() if scheduler.last_epoch < 19 else None
            path.append(point.item())
        pairs.append(path)
    # Fallline's momentum holds the rate inside its sum, torch's outside: they differ when the rate changes.
    assert pairs[0][0] == pairs[1][0]
    assert pairs[0] != pairs[1]
    plain, sgd = parameter(1.0), parameter(1.0)
    for optimizer in (
        as_torch_optimizer(fallline.Momentum(0.1, convention="torch"))([plain]),
        torch.optim.SGD([sgd], lr=0.1, momentum=0.9),
    ):
        scheduler = torch.optim.lr_scheduler.ExponentialLR(optimizer, 0.9)
        for _ in range(20):
            optimizer.step()
            scheduler.step()
    assert plain.item() == pytest.approx(sgd.item(), rel=1e-14)  # twenty steps of a few roundings


def one_cycle(optimizer: Any, **settings: Any) -> Any:
    return torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=0.05, total_steps=40, **settings)


def cyclic(optimizer: Any, **settings: Any) -> Any:
    return torch.optim.lr_scheduler.CyclicLR(optimizer, base_lr=0.001, max_lr=0.05, step_size_up=7, **settings)


TORCHS: dict[str, tuple[Any, Any]] = {
    "momentum": (fallline.Momentum(convention="torch"), lambda p: torch.optim.SGD(p, lr=0.001, momentum=0.9)),
    "adam": (fallline.Adam(convention="torch"), torch.optim.Adam),
    "adamax": (fallline.AdaMax(convention="torch"), torch.optim.Adamax),
    "rmsprop": (
        fallline.RMSProp(0.01, convention="torch", momentum=0.5),
        lambda p: torch.optim.RMSprop(p, lr=0.01, momentum=0.5),
    ),
    "adam in a wrapper": (fallline.ClipNorm(fallline.Adam(convention="torch"), limit=1e9), torch.optim.Adam),
}


@pytest.mark.parametrize("scheduler", [one_cycle, cyclic])
@pytest.mark.parametrize("name", TORCHS)
def test_torch_schedulers_cycle_the_momentum(name: str, scheduler: Any) -> None:
    rule, torchs = TORCHS[name]
    modules = network(), network()
    optimizers = as_torch_optimizer(rule)(modules[0].parameters()), torchs(modules[1].parameters())
    schedulers = [scheduler(optimizer) for optimizer in optimizers]
    for _ in range(30):
        for module, optimizer, each in zip(modules, optimizers, schedulers, strict=True):
            train(module, optimizer, 1)
            each.step()
    # The same operations in another order; errors grow a little over 30 steps.
    np.testing.assert_allclose(flat(modules[0]), flat(modules[1]), rtol=1e-11, atol=1e-13)
    for key in ("lr", "momentum", "betas"):
        ours, theirs = (optimizer.param_groups[0].get(key) for optimizer in optimizers)
        assert ours is None or ours == theirs


@pytest.mark.parametrize("scheduler", [one_cycle, cyclic])
@pytest.mark.parametrize("rule", [fallline.GradientDescent(0.01), fallline.AdaGrad(), fallline.SignDescent(0.01)])
def test_a_rule_without_momentum_is_told_how_to_cycle_the_rate_alone(rule: Any, scheduler: Any) -> None:
    ours, theirs = parameter(1.0), parameter(1.0)
    optimizer = as_torch_optimizer(rule)([ours])
    for each in (optimizer, copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        with pytest.raises(FalllineError, match=r", which has no momentum to cycle; .*cycle_momentum=False") as raised:
            scheduler(each)
        assert "\n" not in str(raised.value)
    sgd = torch.optim.SGD([theirs], lr=0.01)
    schedulers = [scheduler(each, cycle_momentum=False) for each in (optimizer, sgd)]
    for _ in range(10):
        for each in (optimizer, sgd, *schedulers):
            each.step()
        assert optimizer.param_groups[0]["lr"] == sgd.param_groups[0]["lr"]
    assert type(rule) is not fallline.GradientDescent or ours.item() == theirs.item()


def test_betas_are_read_from_the_group_however_they_are_written() -> None:
    kind = as_torch_optimizer(fallline.Adam(0.1, convention="torch"))
    ours, torchs = [parameter(1.0), parameter(1.0)], [parameter(1.0), parameter(1.0)]
    optimizer = kind([{"params": ours[:1], "beta1": 0.5}, {"params": ours[1:], "betas": (0.8, 0.9)}])
    other = torch.optim.Adam(
        [{"params": torchs[:1], "betas": (0.5, 0.999)}, {"params": torchs[1:], "betas": (0.8, 0.9)}], lr=0.1
    )
    assert [group["betas"] for group in optimizer.param_groups] == [(0.5, 0.999), (0.8, 0.9)]
    for point in (*ours, *torchs):
        point.grad = None
    for step in range(5):
        for point in (*ours, *torchs):
            point.grad = torch.full_like(point, 1.0 / (step + 1))
        optimizer.step()
        other.step()
    np.testing.assert_allclose([p.item() for p in ours], [p.item() for p in torchs], rtol=1e-13)
    with pytest.raises(FalllineError, match=r"betas is \(0\.9,\); it must be 2 numbers, beta1, beta2"):
        kind([{"params": [parameter(1.0)], "betas": (0.9,)}])
    with pytest.raises(FalllineError, match=r"Adam: beta1 is 1\.5; it must be a number at least 0 and below 1"):
        kind([{"params": [parameter(1.0)], "betas": (1.5, 0.9)}])


def test_named_parameters_are_taken() -> None:
    module = network()
    optimizer = as_torch_optimizer(fallline.Adam(0.1))(module.named_parameters())
    train(module, optimizer, 1)
    assert optimizer.param_groups[0]["param_names"][0] == "0.weight"


OTHERS = [
    (fallline.Nesterov(0.1), fallline.Momentum(0.1), "Nesterov", "Momentum"),
    (fallline.Adam(0.1), fallline.Yogi(0.1), "Adam", "Yogi"),
    (fallline.Adam(0.1), fallline.Adam(0.1, convention="keras"), "Adam", "Adam@keras"),
    (fallline.Adam(0.1), fallline.GradientDescent(0.1), "Adam", "GradientDescent"),
    (fallline.Lion(0.1), fallline.Cautious(fallline.Lion(0.1)), "Lion", r"Cautious\(Lion\)"),
    (fallline.Momentum(0.1), fallline.Momentum(0.1, convention="optax"), "Momentum", "Momentum@optax"),
]


@pytest.mark.parametrize(("saved", "loads", "one", "other"), OTHERS)
@pytest.mark.parametrize("steps", [0, 2])
def test_the_state_of_another_rule_is_refused(saved: Any, loads: Any, one: str, other: str, steps: int) -> None:
    module = network()
    first, second = (as_torch_optimizer(rule)(module.parameters()) for rule in (saved, loads))
    train(module, first, steps)
    before = copy.deepcopy(second.state_dict())
    with pytest.raises(FalllineError, match=f"^state_dict is of {one}; give one of {other}$"):
        second.load_state_dict(first.state_dict())
    assert second.state_dict() == before


def test_the_state_of_torchs_own_optimizer_or_of_another_memory_is_refused() -> None:
    module = network()
    adam = torch.optim.Adam(module.parameters())
    train(module, adam, 1)
    with pytest.raises(FalllineError, match=r"state_dict is of no update rule of Fallline; give one of Adam$"):
        as_torch_optimizer(fallline.Adam())(module.parameters()).load_state_dict(adam.state_dict())
    long, short = (as_torch_optimizer(fallline.LBFGS(0.1, memory=m))(module.parameters()) for m in (5, 3))
    train(module, long, 2)
    with pytest.raises(FalllineError, match="state_dict has 13 parts for a parameter where LBFGS has 9; give the"):
        short.load_state_dict(long.state_dict())


@pytest.mark.parametrize(
    "rule", [fallline.Momentum(0.1), fallline.Adam(0.1), fallline.LBFGS(0.1), fallline.LAMB(0.1), fallline.FISTA(0.1)]
)
@pytest.mark.parametrize(("saved", "loads"), [((2, 3), (3, 2)), ((1,), (3,)), ((4,), (2,)), ((2,), (2, 1))])
def test_the_state_of_parameters_of_other_shapes_is_refused(rule: Any, saved: Any, loads: Any) -> None:
    first, second = ([parameter(1.0), torch.nn.Parameter(torch.ones(shape))] for shape in (saved, loads))
    first[1].grad, second[1].grad = torch.ones(saved), torch.ones(loads)
    # In groups of their own, for some rules take a group as one vector, whatever its shapes.
    optimizers = [as_torch_optimizer(rule)([{"params": [p]} for p in of]) for of in (first, second)]
    for _ in range(2):
        optimizers[0].step()
    before = copy.deepcopy(optimizers[1].state_dict())
    said = rf"^state_dict is of a parameter of shape \({saved[0]}.* where the optimizer has one of shape \({loads[0]}"
    with pytest.raises(FalllineError, match=said):
        optimizers[1].load_state_dict(optimizers[0].state_dict())
    assert optimizers[1].state_dict() == before
    optimizers[1].step()


@pytest.mark.parametrize("wrong", [{}, None, [], {"state": {}}, "state.pt"])
def test_what_is_no_state_is_refused(wrong: Any) -> None:
    with pytest.raises(FalllineError, match=r"^state_dict is .*; it must be what state_dict\(\) of such an optimizer"):
        as_torch_optimizer(fallline.Adam())([parameter(1.0)]).load_state_dict(wrong)


def test_another_rate_or_beta_of_the_same_rule_is_no_other_rule() -> None:
    module = network()
    first, second = (
        as_torch_optimizer(rule)(module.parameters())
        for rule in (fallline.Adam(0.1, beta1=0.8), fallline.Adam(fallline.Cosine(0.1, steps=9)))
    )
    train(module, first, 2)
    second.load_state_dict(first.state_dict())
    # As with torch's own, the groups are those that were saved.
    assert second.param_groups[0]["betas"] == (0.8, 0.999)
    train(module, second, 1)


def test_a_schedule_of_the_rule_sets_the_rate_and_shows_it() -> None:
    point = parameter(1.0)
    optimizer = as_torch_optimizer(fallline.GradientDescent(fallline.StepDecay(0.5, factor=0.5, every=1)))([point])
    shown = []
    for _ in range(3):
        optimizer.step()
        shown.append(optimizer.param_groups[0]["lr"])
    assert shown == [0.5, 0.25, 0.125]
    assert point.item() == 1 - 0.875


SAVED = {
    **{
        name: RULES[name]
        for name in ("adam", "lbfgs", "nesterov", "schedule_free_adamw", "lookahead", "gradient_noise")
    },
    "cosine": fallline.Momentum(fallline.Cosine(0.1, steps=20)),
    "warm-up": fallline.Adam(fallline.WarmUp(fallline.Constant(0.1), steps=15)),
}


@pytest.mark.parametrize("name", SAVED)
def test_a_saved_state_goes_on_to_the_same_bits(name: str) -> None:
    kind = as_torch_optimizer(SAVED[name])
    whole, first = network(), network()
    train(whole, kind(whole.parameters()), 20)
    optimizer = kind(first.parameters())
    train(first, optimizer, 12)
    file = io.BytesIO()
    torch.save({"module": first.state_dict(), "optimizer": optimizer.state_dict()}, file)
    file.seek(0)
    saved = torch.load(file)  # weights only, torch's default: no classes of ours
    second = network()
    second.load_state_dict(saved["module"])
    optimizer = kind(second.parameters())
    optimizer.load_state_dict(saved["optimizer"])
    train(second, optimizer, 8)
    assert np.array_equal(flat(second), flat(whole))


def test_copies_and_pickles_go_on_alike() -> None:
    point = parameter(1.0, 2.0)
    optimizer = as_torch_optimizer(fallline.Adam(0.1))([point])
    optimizer.step()
    for other in (copy.deepcopy(optimizer), pickle.loads(pickle.dumps(optimizer))):
        assert isinstance(other, torch.optim.Optimizer)
        (copied,) = other.param_groups[0]["params"]
        copied.grad = torch.ones_like(copied)
        other.step()
        assert other.state[copied]["step"] == 2
    assert optimizer.state[point]["step"] == 1


def test_a_rule_that_looks_ahead_keeps_the_parameters_there_until_eval() -> None:
    point = parameter(1.0)
    optimizer = as_torch_optimizer(fallline.Nesterov(0.125, momentum=0.5))([point])
    optimizer.step()
    # By hand: velocity 0.125, x = 0.875, and the next gradient is wanted half a velocity on.
    assert point.item() == 0.8125
    optimizer.eval()
    optimizer.eval()
    assert point.item() == 0.875
    with pytest.raises(FalllineError, match=r"step after eval\(\); call the optimizer's train\(\) first"):
        optimizer.step()
    optimizer.train()
    assert point.item() == 0.8125


def test_types_stay_and_parameters_without_gradient_are_passed_over() -> None:
    single, double, frozen = parameter(1.0, dtype=torch.float32), parameter(1.0), parameter(5.0)
    frozen.grad = None
    optimizer = as_torch_optimizer(fallline.AdamW(0.1))([single, double, frozen])
    optimizer.step()
    assert {leaf.dtype for name, leaf in optimizer.state[single].items() if name != "step"} == {torch.float32}
    assert {leaf.dtype for name, leaf in optimizer.state[double].items() if name != "step"} == {torch.float64}
    assert (frozen.item(), frozen in optimizer.state) == (5.0, False)
    half = parameter(1.0, dtype=torch.bfloat16)
    as_torch_optimizer(fallline.Lion(0.5))([half]).step()
    assert (half.dtype, half.item()) == (torch.bfloat16, 0.5)


@pytest.mark.parametrize("name", [name for name in RULES if RULES[name].elementwise])
def test_small_tensors_together_move_as_each_by_itself_to_the_bit(name: str) -> None:
    random = np.random.default_rng(0)
    shapes = [(3, 4), (4,), (), (2, 0), (5,), (2, 2)]
    starts = [random.normal(size=shape) for shape in shapes]
    together = [torch.nn.Parameter(torch.tensor(start)) for start in starts[:-1]]
    # In memory the other way round, and in another type.
    together[0] = torch.nn.Parameter(torch.tensor(starts[0].T.copy()).T)
    together.append(torch.nn.Parameter(torch.tensor(starts[-1], dtype=torch.float32)))
    apart = [torch.nn.Parameter(point.detach().clone()) for point in together]
    kind = as_torch_optimizer(RULES[name])
    of_all, of_each = kind(together), [kind([point]) for point in apart]
    for step in range(20):
        for i, (one, other) in enumerate(zip(together, apart, strict=True)):
            # Some have no gradient now and then, so their numbers of steps differ.
            grad = torch.tensor(random.normal(size=shapes[i])).to(one.dtype) if step % (i + 2) else None
            one.grad, other.grad = grad, None if grad is None else grad.clone()
        of_all.step()
        for optimizer in of_each:
            optimizer.step()
        if step == 10:
            of_all.load_state_dict(copy.deepcopy(of_all.state_dict()))
    of_all.zero_grad()
    for optimizer in (of_all, *of_each):
        optimizer.eval()
    for one, other in zip(together, apart, strict=True):
        assert torch.equal(one, other)
        assert one.stride() == other.stride()


def test_parameters_that_share_memory_move_one_after_another_as_torchs_own_do() -> None:
    def moved(kind: Any) -> list[float]:
        first = parameter(1.0, 2.0)
        # All of it, and a part.
        points = [first, torch.nn.Parameter(first.data), torch.nn.Parameter(first.data[1:]), parameter(7.0)]
        optimizer = kind(points)
        for _ in range(3):
            for size, point in enumerate(points, start=1):
                point.grad = torch.full_like(point, size)
            optimizer.step()
        numbers: list[float] = torch.cat(points).tolist()
        return numbers

    own = functools.partial(torch.optim.SGD, lr=0.125, foreach=False)
    assert moved(as_torch_optimizer(fallline.GradientDescent(0.125))) == moved(own)


def test_arrays_in_a_state_that_no_gradient_has_entered() -> None:
    @dataclasses.dataclass(frozen=True)
    class Counting(fallline.Optimizer[Any]):
        learning_rate: float = 1.0
        elementwise = True

        def init(self, x: Any) -> Any:
            return np.zeros(1)

        def update(self, gradient: Any, state: Any, rate: Any, step: Any) -> Any:
            return rate * gradient, state + 1

    points = [parameter(5.0, 6.0), parameter(7.0)]
    optimizer = as_torch_optimizer(Counting())(points)
    for _ in range(3):
        optimizer.step()
    assert torch.cat(points).tolist() == [2.0, 3.0, 4.0]
    assert [optimizer.state[point]["state.state"].tolist() for point in points] == [[3.0], [3.0]]


def test_a_step_of_many_small_tensors_computes_as_often_as_a_step_of_one() -> None:
    def products(count: int) -> int:
        points = [parameter(1.0, 2.0) for _ in range(count)]
        optimizer = as_torch_optimizer(fallline.Adam(0.1))(points)
        optimizer.step()
        with torch.profiler.profile() as seen:
            optimizer.step()
        return sum(event.count for event in seen.key_averages() if event.key == "aten::mul")

    # β₁ m, (1 - β₁) g, β₂ v, (1 - β₂) g², rate · m̂.
    assert products(1) == products(30) == 5


def test_what_moves_the_parameters_otherwise_is_heeded() -> None:
    point = parameter(4.0)
    optimizer = as_torch_optimizer(fallline.WeightDecay(fallline.GradientDescent(0.5), decay=0.5))([point])
    optimizer.step()  # 4 - 0.5 - 2
    assert point.item() == 1.5
    with torch.no_grad():
        point.fill_(1.0)
    optimizer.step()
    assert point.item() == 0.0  # 1 - 0.5 - 0.5


def refused(rule: Any, params: Any, **settings: Any) -> None:
    as_torch_optimizer(rule)(params, **settings).step()


def test_what_cannot_be_done_is_refused_in_one_line() -> None:
    descent = fallline.GradientDescent(0.1)
    sparse = parameter(1.0)
    sparse.grad = torch.ones(1, dtype=torch.float64).to_sparse()
    mixed = [parameter(1.0), parameter(1.0, dtype=torch.float32)]
    complex_number = torch.nn.Parameter(torch.ones(1, dtype=torch.complex128))
    scheduled = fallline.GradientDescent(fallline.Cosine(0.1, steps=10))
    searched = fallline.GradientDescent(fallline.Backtracking())
    for message, rule, params, settings in (
        ("rule is 'adam'; it must be an update rule", "adam", [], {}),
        ("gradient of a parameter of shape .1,. is sparse", descent, [sparse], {}),
        ("params has a complex tensor", descent, [complex_number], {}),
        ("params has a group of torch.float32 on cpu and torch.float64 on cpu; LAMB", fallline.LAMB(), mixed, {}),
        ("params has a group with 'momentun'; did you mean 'momentum'", fallline.Momentum(),
         [{"params": [parameter(1.0)], "momentun": 0.5}], {}),
        ("lr is -1; it must be a number at least 0", descent, [parameter(1.0)], {"lr": -1}),
        ("lr is 0.5, but GradientDescent has cosine; give one of the two", scheduled, [parameter(1.0)], {"lr": 0.5}),
        ("closure is None; .* searches along a line", searched, [parameter(1.0)], {}),
        ("params has 2 groups; GradientDescent searches along one line", searched,
         [{"params": [parameter(1.0)]}, {"params": [parameter(1.0)]}], {}),
        ("learning_rate is reduce_on_plateau, which watches the value",
         fallline.GradientDescent(fallline.ReduceOnPlateau(fallline.Constant(0.1))), [parameter(1.0)], {}),
    ):  # fmt: skip
        with pytest.raises(FalllineError, match=message):
            refused(rule, params, **settings)


# The loss of a module -----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def objective() -> ModuleObjective:
    return from_torch(network(), mse, DATA)


def test_the_loss_and_its_gradient_are_torchs_own(objective: ModuleObjective) -> None:
    module = network()
    loss = mse(module(DATA[0]), DATA[1])
    loss.backward()
    value, gradient = objective.value_and_gradient(objective.start)
    assert value == loss.item()
    assert np.array_equal(gradient, np.concatenate([p.grad.numpy().ravel() for p in module.parameters()]))
    assert objective.names[:2] == ("0.weight[0,0]", "0.weight[0,1]")
    assert objective.names[-1] == "2.bias[0]"
    assert fallline.check_gradient(objective, list(objective.start))


def test_a_point_of_the_loss_has_the_same_bits_in_every_batch(objective: ModuleObjective) -> None:
    points = objective.start + np.random.default_rng(0).normal(size=(2, 5, objective.dimension))
    values, gradients = objective.value_and_gradient(points)
    assert (values.shape, gradients.shape) == ((2, 5), points.shape)
    assert values[1, 3] == objective.value(points[1, 3]) == objective.value(points)[1, 3]
    assert np.array_equal(gradients[1, 3], objective.gradient(points[1, 3]))


def test_a_run_leaves_the_module_alone_until_it_is_written_back() -> None:
    module = network().float()
    before = flat(module)
    objective = from_torch(module, mse, tuple(part.float() for part in DATA))
    run = fallline.minimize(objective, objective.start, fallline.Adam(0.1), max_steps=20)
    assert np.array_equal(flat(module), before)
    objective.write_back(run.final.x)
    assert next(module.parameters()).dtype == torch.float32
    assert np.array_equal(flat(module), run.final.x.astype(np.float32))
    assert np.array_equal(objective.start, run.final.x.astype(np.float32))


def test_frozen_parameters_dropout_and_batch_normalisation_leave_a_function_of_the_rest() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(
        torch.nn.Linear(2, 4), torch.nn.BatchNorm1d(4), torch.nn.Dropout(0.5), torch.nn.Linear(4, 3)
    )
    module[0].requires_grad_(False)
    weighted = torch.nn.CrossEntropyLoss(weight=torch.tensor([1.0, 2.0, 3.0]))
    objective = from_torch(module, weighted, (DATA[0].float(), torch.arange(7) % 3))
    assert objective.dimension == 4 + 4 + 12 + 3
    assert objective.title == "CrossEntropyLoss of Sequential"
    assert objective.value(objective.start) == objective.value(objective.start)
    assert fallline.check_gradient(objective, list(objective.start))
    assert module.training


def test_the_gradient_of_a_large_module_is_checked_along_directions() -> None:
    torch.manual_seed(0)
    module = torch.nn.Sequential(torch.nn.Linear(100, 300), torch.nn.ReLU(), torch.nn.Linear(300, 3))
    objective = from_torch(module, torch.nn.CrossEntropyLoss(), (torch.randn(20, 100), torch.arange(20) % 3))
    assert objective.dimension > 30_000
    check = fallline.check_gradient(objective, objective.start)
    assert check
    assert len(check.directions) == 3

    def flipped(x: FloatArray) -> FloatArray:
        slopes = objective.gradient(x)
        slopes[-2] *= -1
        return slopes

    wrong = fallline.check_gradient(objective, objective.start, gradient=flipped)
    assert [slope.name for slope in wrong.slopes] == ["2.bias[1]"]
    assert wrong.slopes[0].factor == pytest.approx(-1, rel=1e-5)


def test_mistakes_are_named() -> None:
    for message, arguments in (
        ("module is 3; it must be a torch.nn.Module", (3, mse, DATA)),
        ("loss is 3; it must be a function", (network(), 3, DATA)),
        ("data is .* it must be a pair", (network(), mse, DATA[0])),
        ("module is ReLU, which has no parameters", (torch.nn.ReLU(), mse, DATA)),
    ):
        with pytest.raises(FalllineError, match=message):
            from_torch(*arguments)
    objective = from_torch(network(), lambda found, target: found - target, DATA)
    with pytest.raises(FalllineError, match="it must return one number"):
        objective.value(objective.start)
