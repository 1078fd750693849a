"""scikit-learn: linear models and the sigmoid neuron as estimators, fitted by any update rule."""

from __future__ import annotations

import dataclasses
import warnings
from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Self

import numpy as np
import numpy.typing as npt

from fallline.arrays import BoolArray, FloatArray
from fallline.data.rows import Rows
from fallline.errors import FalllineError, check_whole, nearest, shortened
from fallline.line_search import LINE_SEARCHES, LineSearch
from fallline.minimizing import minimize
from fallline.models import MODELS, Loss, SigmoidNeuron, Softmax
from fallline.models.activations import sigmoid
from fallline.models.cross_entropy import softmax
from fallline.norms import norm
from fallline.objectives import Cost, Objective
from fallline.optimizers import Optimizer, optimizer_from_name
from fallline.optimizers.settings import with_learning_rate
from fallline.results.trajectory import Record, Trajectory
from fallline.schedules import Schedule, parse_schedule
from fallline.stopping import GradientNorm, NotFinite, SmallEpoch, StoppingCondition

try:
    from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.utils import check_random_state
    from sklearn.utils.class_weight import compute_class_weight
    from sklearn.utils.metaestimators import available_if
    from sklearn.utils.multiclass import check_classification_targets
    from sklearn.utils.validation import _check_sample_weight, check_is_fitted, column_or_1d, validate_data
except ImportError:
    raise FalllineError(
        problem='fallline.bridges.sklearn needs scikit-learn: pip install "fallline[sklearn]"'
    ) from None

__all__ = ["GradientDescentClassifier", "GradientDescentRegressor", "SigmoidNeuronRegressor"]


# The most numbers in the recorded points of a run: 128 MiB with their gradients.
MOST_RECORDED = 2**23


class _Descent(BaseEstimator):
    """What the estimators share: z = X w + b for each output, fitted by gradient descent.

    Subclasses define the loss and the conversion of y to its targets.
    """

    def __init__(
        self,
        optimizer: Optimizer[Any] | str | None,
        learning_rate: float | str | Schedule | LineSearch | None,
        alpha: float,
        batch_size: int | None,
        max_iter: int,
        tol: float | None,
        fit_intercept: bool,
        warm_start: bool,
        random_state: Any,
    ) -> None:
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.alpha = alpha
        self.batch_size = batch_size
        self.max_iter = max_iter
        self.tol = tol
        self.fit_intercept = fit_intercept
        self.warm_start = warm_start
        self.random_state = random_state

    @abstractmethod
    def _loss(self, rows: Rows) -> Loss:
        """The loss on these rows, with y as returned by `_learn` or `_as_learnt`."""

    @abstractmethod
    def _learn(self, y: npt.NDArray[Any]) -> FloatArray:
        """Learn from all targets what the fit needs (such as the classes), and return them as the loss takes them."""

    @abstractmethod
    def _as_learnt(self, y: npt.NDArray[Any]) -> FloatArray:
        """Further targets as the loss takes them, by what `_learn` found."""

    @abstractmethod
    def _keep_parameters(self, weights: FloatArray, intercept: FloatArray) -> None:
        """Set coef_ and intercept_ from arrays of shape (outputs, features) and (outputs,)."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Fit the model from scratch, or with `warm_start` from its current parameters.

        Arguments:
            X: n rows of d features; an array, or a SciPy sparse matrix.
            y: n targets.
            sample_weight: how often each row counts; once if None.

        Raises:
            FalllineError: when a setting is wrong, or the descent diverges.
        """
        X, y = self._checked(X, y, reset=True)
        weights = _row_weights(sample_weight, X)
        loss = self._loss(Rows(X, self._learn(y), weights))
        warm = self.warm_start and hasattr(self, "coef_")
        objective = self._objective(loss)
        start = self._start(objective) if warm else np.zeros(objective.dimension)
        epochs = self._epochs()
        every = objective.steps_per_epoch * max(1, -(-epochs * objective.dimension // MOST_RECORDED))
        trajectory = minimize(
            objective,
            start,
            self._rule(whole=self.batch_size is None),
            max_steps=epochs * objective.steps_per_epoch,
            stop=self._stop(objective, every),
            record=Record(every),
            seed=self._seed(),
        )
        # `partial_fit` must not continue with the rule's state of a fit.
        self._take(dataclasses.replace(trajectory, optimizer_state=None), loss)
        self.n_iter_ = max(1, -(-trajectory.step_count // objective.steps_per_epoch))
        if self.tol and not trajectory.stop.converged and trajectory.stop.reason == "step limit":
            warnings.warn(
                f"{type(self).__name__}: after max_iter = {self.max_iter} passes the fit has not come to rest within "
                f"tol = {self.tol:g}; raise max_iter or the learning rate, or scale the features",
                ConvergenceWarning,
                stacklevel=2,
            )
        return self

    def _go_on(self, rows: Rows) -> Self:
        """One pass over more rows, with the rule's state from the previous call."""
        loss = self._loss(rows)
        objective = self._objective(loss)
        fresh = not hasattr(self, "coef_")
        start = np.zeros(objective.dimension) if fresh else self._start(objective)
        before: Trajectory | None = getattr(self, "trajectory_", None)
        trajectory = minimize(
            objective,
            start,
            self._rule(whole=False),
            max_steps=objective.steps_per_epoch,
            stop=NotFinite(),
            engine="reference",
            seed=self._seed(0 if fresh else self.n_iter_),
            resume=before if before is not None and before.optimizer_state else None,
        )
        self.n_iter_ = 1 if fresh else self.n_iter_ + 1
        self._take(trajectory, loss)
        return self

    def _take(self, trajectory: Trajectory, loss: Loss) -> None:
        """Keep the parameters at the end of the run."""
        if trajectory.stop.reason == "interrupted":
            raise KeyboardInterrupt
        if trajectory.stop.reason == NotFinite.reason:
            raise FalllineError(
                problem=f"{type(self).__name__}: the descent diverged ({trajectory.stop.message})",
                allowed="scale the features, or set a smaller learning_rate",
            )
        self.trajectory_ = trajectory
        whole = np.zeros(loss.dimension)
        whole[slice(None) if self.fit_intercept else loss.are_weights] = trajectory.final.x
        self._keep_parameters(whole[loss.are_weights].reshape(-1, self.n_features_in_), whole[~loss.are_weights].copy())

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[FloatArray, npt.NDArray[Any]]:
        return validate_data(self, X, y, reset=reset, dtype=np.float64, accept_sparse="csr")  # type: ignore[no-any-return]

    def _z(self, X: Any) -> FloatArray:
        """z = X W + b of each row: shape (n,) or (n, outputs)."""
        check_is_fitted(self)
        X = validate_data(self, X, reset=False, dtype=np.float64, accept_sparse="csr")
        z: FloatArray = X @ self.coef_.T + self.intercept_
        return z

    def _start(self, objective: Objective) -> FloatArray:
        """The parameters of the fit so far."""
        start = np.concatenate([np.ravel(self.coef_), np.ravel(self.intercept_) if self.fit_intercept else []])
        if len(start) != objective.dimension:
            raise FalllineError(
                "X",
                problem=f"has {self.n_features_in_} features, and the fit before had another number",
                allowed="set warm_start=False to begin anew",
            )
        return start

    def _settings(self) -> dict[str, Any]:
        """The settings common to every loss here."""
        if not (isinstance(self.alpha, int | float | np.number) and 0 <= self.alpha < np.inf):
            raise FalllineError("alpha", self.alpha, "it must be a number at least 0")
        return {"l2": self.alpha}

    def _objective(self, loss: Loss) -> Objective:
        size = self.batch_size
        if isinstance(size, int | np.integer) and size > loss.rows:
            size = loss.rows
        objective = loss if size is None else loss.batches(size)
        return objective if self.fit_intercept else ThroughOrigin(objective, loss.are_weights)

    def _rule(self, *, whole: bool) -> Optimizer[Any]:
        """The rule to run; `whole`: on all rows at once, not on batches."""
        rule, rate = self.optimizer, self.learning_rate
        if rule is None:
            rule = "gradient_descent" if rate is not None else "lbfgs" if whole else "adam"
        if isinstance(rule, str):
            rule = optimizer_from_name(rule)
        if not isinstance(rule, Optimizer):
            raise FalllineError("optimizer", rule, "it must be an update rule such as Adam(0.1), or a name")
        return rule if rate is None else _with_rate(rule, rate)

    def _stop(self, objective: Objective, every: int) -> StoppingCondition:
        if self.tol is not None and not (isinstance(self.tol, int | float | np.number) and 0 <= self.tol < np.inf):
            raise FalllineError("tol", self.tol, "it must be a number at least 0, or None")
        if not self.tol:
            return NotFinite()
        if objective.stochastic:
            return SmallEpoch(self.tol, every)
        # Relative to the gradient's norm at zero if that is above 1, so that the units of the data do not matter.
        slope = float(norm(objective.gradient(np.zeros(objective.dimension))))
        return GradientNorm(self.tol * max(1.0, slope) if np.isfinite(slope) else self.tol)

    def _epochs(self) -> int:
        check_whole("max_iter", self.max_iter, least=1)
        return int(self.max_iter)

    def _seed(self, call: int = 0) -> int:
        drawn = check_random_state(self.random_state).randint(2**31 - 1)
        return int(np.random.SeedSequence([drawn, call]).generate_state(1)[0])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags

    def __getstate__(self) -> dict[str, Any]:
        # A trajectory refers to its loss, and so to the data, which are not part of the model.
        state = dict(super().__getstate__())
        if "trajectory_" in state:
            state["trajectory_"] = dataclasses.replace(state["trajectory_"], objective=None)
        return state


def _row_weights(sample_weight: Any, X: Any) -> FloatArray | None:
    """The checked weights of the rows of X."""
    if sample_weight is None:
        return None
    checked: FloatArray = _check_sample_weight(sample_weight, X, dtype=np.float64, ensure_non_negative=True)
    return checked


def _has_probabilities(estimator: Any) -> bool:
    if estimator.loss != "logistic":
        raise AttributeError(f"predict_proba needs loss='logistic'; the loss is {estimator.loss!r}")
    return True


class GradientDescentClassifier(ClassifierMixin, _Descent):
    """A linear classifier fitted by any update rule: logistic regression, softmax regression, the linear SVM.

    What is minimised is the mean loss of the rows, each as often as its weight says, and ½ alpha ‖w‖².

    Arguments:
        loss: "logistic" (with more than two classes softmax), "hinge" or "squared_hinge" (two classes).
        optimizer: an update rule such as `Adam(0.1)`, or the name of one. If None: L-BFGS on all rows, Adam for batches
            and `partial_fit`; gradient descent if a `learning_rate` is given.
        learning_rate: a number, a schedule or its text ("cosine:1000"), a line search or its name; the rule's own if
            None.
        alpha: the strength of the L2 penalty. LogisticRegression's C is 1 / (n alpha), n the sum of the
            weights.
        batch_size: rows per step, shuffled anew for each pass; all rows if None, or if there are no more than that.
        max_iter: the maximum number of passes over the rows.
        tol: the fit ends when the gradient's norm is at most this, relative to the norm at zero if that is above 1;
            with batches, when the relative change of the value in a pass is at most this. None or 0: only after
            `max_iter` passes.
        fit_intercept: whether to fit intercepts; they are not penalised.
        class_weight: a factor of the weight of each row by its class: a mapping of classes to numbers, or "balanced":
            n / (classes · rows of the class).
        warm_start: whether to continue from the parameters of the previous fit.
        random_state: the seed or generator of the shuffling.

    Attributes:
        classes_: the classes, sorted.
        coef_: the weights, shape (1, d) for two classes, else (classes, d).
        intercept_: shape (1,) or (classes,).
        n_iter_: the number of passes made.
        trajectory_: the run, one row per pass, or per several passes if that would be too much memory; after
            `partial_fit` the last call's, one row per step.

    >>> from sklearn.datasets import load_iris
    >>> X, y = load_iris(return_X_y=True)
    >>> round(GradientDescentClassifier().fit(X, y).score(X, y), 2)
    0.98
    """

    LOSSES: ClassVar[tuple[str, ...]] = ("logistic", "hinge", "squared_hinge")

    classes_: npt.NDArray[Any]

    def __init__(
        self,
        loss: str = "logistic",
        *,
        optimizer: Optimizer[Any] | str | None = None,
        learning_rate: float | str | Schedule | LineSearch | None = None,
        alpha: float = 1e-4,
        batch_size: int | None = None,
        max_iter: int = 1000,
        tol: float | None = 1e-4,
        fit_intercept: bool = True,
        class_weight: Mapping[Any, float] | str | None = None,
        warm_start: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            optimizer, learning_rate, alpha, batch_size, max_iter, tol, fit_intercept, warm_start, random_state
        )
        self.loss = loss
        self.class_weight = class_weight

    def partial_fit(self, X: Any, y: Any, classes: Any = None, sample_weight: Any = None) -> Self:
        """One pass over some rows; the rule keeps its state from call to call.

        Arguments:
            X: n rows of d features.
            y: n labels.
            classes: all labels that may occur in any call; required in the first call.
            sample_weight: how often each row counts; once if None.

        Raises:
            FalllineError: when a label is not among the classes, a setting is wrong, or the descent diverges.
        """
        first = not hasattr(self, "classes_")
        if first and classes is None:
            raise FalllineError(
                "classes", problem="is None", allowed="the first call of partial_fit must name all classes"
            )
        if self.class_weight == "balanced":
            raise FalllineError(
                "class_weight",
                self.class_weight,
                "give the weight of each class, or sample_weight",
                problem="which needs all rows, and partial_fit sees some",
            )
        X, y = self._checked(X, y, reset=first)
        check_classification_targets(y)
        if first:
            self._learn(np.asarray(classes))
        elif classes is not None and not np.array_equal(np.unique(classes), self.classes_):
            raise FalllineError("classes", classes, f"in the calls before it was {self.classes_.tolist()}")
        return self._go_on(Rows(X, self._as_learnt(y), _row_weights(sample_weight, X)))

    def decision_function(self, X: Any) -> FloatArray:
        """z of each class, shape (n, classes); with two classes, z of the second, shape (n,)."""
        z = self._z(X)
        return z[:, 0] if len(self.classes_) == 2 else z

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """The most probable class of each row."""
        z = self.decision_function(X)
        chosen: npt.NDArray[Any] = self.classes_[(z > 0).astype(int) if z.ndim == 1 else z.argmax(axis=1)]
        return chosen

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_proba(self, X: Any) -> FloatArray:
        """The probability of each class, shape (n, classes)."""
        z = self.decision_function(X)
        return softmax(z) if z.ndim == 2 else np.column_stack([sigmoid(-z), sigmoid(z)])

    @available_if(_has_probabilities)  # type: ignore[untyped-decorator]
    def predict_log_proba(self, X: Any) -> FloatArray:
        """The logarithm of the probability of each class, shape (n, classes)."""
        log: FloatArray = np.log(self.predict_proba(X))
        return log

    def _loss(self, rows: Rows) -> Loss:
        _check_loss(self.loss, self.LOSSES)
        settings = self._settings() | {"sample_weight": rows.weights}
        if self.class_weight is not None:
            of_rows = {"y": self.classes_[rows.y.astype(np.intp)], "sample_weight": rows.weights}
            settings["class_weight"] = compute_class_weight(self.class_weight, classes=self.classes_, **of_rows)
        if len(self.classes_) == 2:
            return MODELS[self.loss](rows.X, rows.y, **settings)
        if self.loss != "logistic":
            raise FalllineError(
                problem="Only binary classification is supported. The type of the target is multiclass: loss is "
                f"{self.loss!r}, and y has {len(self.classes_)} classes",
                allowed="take 'logistic', or OneVsRestClassifier",
            )
        return Softmax(rows.X, rows.y, classes=[str(label) for label in range(len(self.classes_))], **settings)

    def _learn(self, y: npt.NDArray[Any]) -> FloatArray:
        check_classification_targets(y)
        classes = np.unique(column_or_1d(y))
        if len(classes) < 2:
            raise FalllineError(
                "y", problem=f"has 1 class only, {classes.tolist()}", allowed="there must be at least two to tell apart"
            )
        if self.warm_start and not np.array_equal(classes, getattr(self, "classes_", classes)):
            raise FalllineError(
                "warm_start",
                problem=f"is True, but y has the classes {shortened(classes.tolist())}, and the fit before had "
                f"{shortened(self.classes_.tolist())}",
            )
        self.classes_ = classes
        return self._as_learnt(y)

    def _as_learnt(self, y: npt.NDArray[Any]) -> FloatArray:
        y = column_or_1d(y, warn=True)
        strange = ~np.isin(y, self.classes_)
        if strange.any():
            first = y[strange].tolist()[0]
            raise FalllineError(
                "y", problem=f"has the class {first!r}, which is not among {shortened(self.classes_.tolist())}"
            )
        return np.searchsorted(self.classes_, y).astype(np.float64)

    def _keep_parameters(self, weights: FloatArray, intercept: FloatArray) -> None:
        self.coef_, self.intercept_ = weights, intercept

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.classifier_tags.multi_class = self.loss == "logistic"
        return tags


class _Regressor(RegressorMixin, _Descent):
    """What the regressors share."""

    def partial_fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """One pass over some rows; the rule keeps its state from call to call.

        Arguments:
            X: n rows of d features.
            y: n targets.
            sample_weight: how often each row counts; once if None.

        Raises:
            FalllineError: when a setting is wrong, or the descent diverges.
        """
        first = not hasattr(self, "coef_")
        X, y = self._checked(X, y, reset=first)
        weights = _row_weights(sample_weight, X)
        return self._go_on(Rows(X, self._learn(y) if first else self._as_learnt(y), weights))

    def _checked(self, X: Any, y: Any, reset: bool) -> tuple[FloatArray, npt.NDArray[Any]]:
        X, y = validate_data(self, X, y, reset=reset, dtype=np.float64, accept_sparse="csr", y_numeric=True)
        return X, column_or_1d(y, warn=True).astype(np.float64)

    def _keep_parameters(self, weights: FloatArray, intercept: FloatArray) -> None:
        self.coef_, self.intercept_ = weights[0], float(intercept[0])


class GradientDescentRegressor(_Regressor):
    """A linear regression fitted by any update rule: least squares, ridge, Huber's robust regression, or Poisson.

    What is minimised is the mean loss of the rows and ½ alpha ‖w‖². Ridge's alpha is n times as large.

    Arguments:
        loss: "linear" (½ r²), "huber" or "poisson".
        delta: the residual beyond which the Huber loss is linear, in the units of y.
        optimizer, learning_rate, alpha, batch_size, max_iter, tol, fit_intercept, warm_start, random_state: as in
            `GradientDescentClassifier`.

    Attributes:
        coef_: the weights, shape (d,).
        intercept_: a number.
        n_iter_, trajectory_: as in `GradientDescentClassifier`.

    >>> from sklearn.datasets import load_diabetes
    >>> X, y = load_diabetes(return_X_y=True)
    >>> round(GradientDescentRegressor(alpha=0).fit(X, y).score(X, y), 4)
    0.5177
    """

    LOSSES: ClassVar[tuple[str, ...]] = ("linear", "huber", "poisson")

    def __init__(
        self,
        loss: str = "linear",
        *,
        delta: float = 1.0,
        optimizer: Optimizer[Any] | str | None = None,
        learning_rate: float | str | Schedule | LineSearch | None = None,
        alpha: float = 1e-4,
        batch_size: int | None = None,
        max_iter: int = 1000,
        tol: float | None = 1e-4,
        fit_intercept: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            optimizer, learning_rate, alpha, batch_size, max_iter, tol, fit_intercept, warm_start, random_state
        )
        self.loss = loss
        self.delta = delta

    def predict(self, X: Any) -> FloatArray:
        """The prediction for each row; with the Poisson loss, the mean count."""
        z = self._z(X)
        return np.exp(z) if self.loss == "poisson" else z

    def _loss(self, rows: Rows) -> Loss:
        _check_loss(self.loss, self.LOSSES)
        settings = self._settings() | ({"delta": self.delta} if self.loss == "huber" else {})
        return MODELS[self.loss](rows.X, rows.y, sample_weight=rows.weights, **settings)

    def _learn(self, y: npt.NDArray[Any]) -> FloatArray:
        return y

    def _as_learnt(self, y: npt.NDArray[Any]) -> FloatArray:
        return y

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.positive_only = self.loss == "poisson"
        return tags


class SigmoidNeuronRegressor(_Regressor):
    """One neuron p = 1 / (1 + exp(-(w·x + b))) with the squared loss ½ (p - y)², fitted by any update rule.

    What is minimised is the mean loss of the rows and ½ alpha ‖w‖².

    Arguments:
        target_range: the smallest and the largest target, which are scaled to 0 and 1 for the fit; predictions are
            scaled back. If None: (0, 1) if all targets lie between, else the range of the targets of the first fit.
        optimizer, learning_rate, alpha, batch_size, max_iter, tol, fit_intercept, warm_start, random_state: as in
            `GradientDescentClassifier`.

    Attributes:
        coef_: the weights, shape (d,).
        intercept_: a number.
        target_range_: the targets that were scaled to 0 and 1.
        n_iter_, trajectory_: as in `GradientDescentClassifier`.

    >>> X, y = [[0.0], [1.0], [2.0], [3.0]], [0.1, 0.3, 0.7, 0.9]
    >>> SigmoidNeuronRegressor(alpha=0).fit(X, y).predict([[1.5]]).round(6)
    array([0.5])
    """

    def __init__(
        self,
        *,
        target_range: Sequence[float] | None = None,
        optimizer: Optimizer[Any] | str | None = None,
        learning_rate: float | str | Schedule | LineSearch | None = None,
        alpha: float = 1e-4,
        batch_size: int | None = None,
        max_iter: int = 1000,
        tol: float | None = 1e-4,
        fit_intercept: bool = True,
        warm_start: bool = False,
        random_state: Any = None,
    ) -> None:
        super().__init__(
            optimizer, learning_rate, alpha, batch_size, max_iter, tol, fit_intercept, warm_start, random_state
        )
        self.target_range = target_range

    def predict(self, X: Any) -> FloatArray:
        """The prediction for each row."""
        z = self._z(X)
        low, high = self.target_range_
        return low + (high - low) * sigmoid(z)

    def _loss(self, rows: Rows) -> Loss:
        return SigmoidNeuron(rows.X, rows.y, sample_weight=rows.weights, **self._settings())

    def _learn(self, y: npt.NDArray[Any]) -> FloatArray:
        if self.target_range is not None:
            try:
                low, high = map(float, self.target_range)
            except (TypeError, ValueError):
                low, high = 0.0, 0.0
            if not -np.inf < low < high < np.inf:
                raise FalllineError(
                    "target_range", self.target_range, "it must be two numbers, the least first, or None"
                )
        elif y.min() >= 0 and y.max() <= 1:
            low, high = 0.0, 1.0
        else:
            low, high = float(y.min()), float(y.max())
            if low == high:
                low, high = low - 0.5, high + 0.5
        self.target_range_ = (low, high)
        return self._as_learnt(y)

    def _as_learnt(self, y: npt.NDArray[Any]) -> FloatArray:
        low, high = self.target_range_
        outside = (y < low) | (y > high)
        if outside.any():
            raise FalllineError(
                "y",
                problem=f"has {y[outside][0]:g}, which lies outside {low:g} to {high:g}",
                allowed="set target_range to hold all targets",
            )
        scaled: FloatArray = np.clip((y - low) / (high - low), 0.0, 1.0)
        return scaled


class ThroughOrigin(Objective):
    """A loss, or its batches, as a function of the weights only, with all biases fixed at zero."""

    gradient_kind = "exact"

    def __init__(self, loss: Objective, are_weights: BoolArray) -> None:
        self.loss = loss
        self.are_weights = are_weights
        self.names = tuple(name for name, weight in zip(loss.names, are_weights, strict=True) if weight)
        self.steps_per_epoch = loss.steps_per_epoch

    @property
    def stochastic(self) -> bool:  # type: ignore[override]
        return self.loss.stochastic

    @property
    def title(self) -> str:
        return f"{self.loss.title}, without intercept"

    def value(self, x: FloatArray) -> FloatArray:
        return self.loss.value(self._whole(x))

    def gradient(self, x: FloatArray) -> FloatArray:
        return self.loss.gradient(self._whole(x))[..., self.are_weights]

    def value_and_gradient(self, x: FloatArray) -> tuple[FloatArray, FloatArray]:
        value, gradient = self.loss.value_and_gradient(self._whole(x))
        return value, gradient[..., self.are_weights]

    @property
    def cost_of_both(self) -> Cost:
        return self.loss.cost_of_both

    def at_step(self, step: int, seed: int) -> Objective:
        return ThroughOrigin(self.loss.at_step(step, seed), self.are_weights) if self.stochastic else self

    def _whole(self, x: FloatArray) -> FloatArray:
        whole = np.zeros((*np.shape(x)[:-1], len(self.are_weights)))
        whole[..., self.are_weights] = x
        return whole


def _check_loss(loss: Any, allowed: Sequence[str]) -> None:
    if loss not in tuple(allowed):
        raise FalllineError("loss", loss, nearest(str(loss), allowed))


def _with_rate(rule: Optimizer[Any], rate: float | str | Schedule | LineSearch) -> Optimizer[Any]:
    """The rule with another learning rate."""
    if not isinstance(rate, str):
        return with_learning_rate(rule, rate)
    if rate in LINE_SEARCHES:
        return with_learning_rate(rule, LINE_SEARCHES[rate]())
    if not isinstance(rule.learning_rate, float):
        raise FalllineError(
            "learning_rate", rate, problem=f"which scales a number, but that of the optimizer is {rule.learning_rate}"
        )
    return with_learning_rate(rule, parse_schedule(rate, rule.learning_rate))
