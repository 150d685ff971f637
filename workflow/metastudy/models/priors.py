"""A prior: one object for the model's variable, its refits, and what is shown beside a posterior.

:func:`priors_of` makes the priors from the configuration, and nothing else writes one down. What a
parameter's prior is, each kind of model says in its own ``priors.py``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from math import gamma, inf, pi, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from pytensor.tensor import TensorVariable

__all__ = [
    "FAMILIES",
    "KEYS",
    "OF_METRIC",
    "OF_MODERATORS",
    "Prior",
    "ShareOfTotal",
    "component_prior",
    "priors_of",
]

# What each family is called in the article, and the names of its numbers. A location is none of
# them: a model says where a variable is centred.
FAMILIES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "normal": ("normal", ("scale",)),
    "student_t": ("Student-t", ("scale", "df")),
    "half_normal": ("half-normal", ("scale",)),
    "half_t": ("half-t", ("scale", "df")),
    "exponential": ("exponential", ("scale",)),
    "log_normal": ("log-normal", ("scale",)),
    "beta_above_half": ("beta", ("a", "b")),
    "lkj": ("LKJ", ("shape",)),
}
# The family that a bare number means, by the configuration's key.
KEYS = {
    "baseline": "normal",
    "effect": "normal",
    "tau": "half_normal",
    "outcomes": "half_normal",
    "sigma": "log_normal",
    "correlation": "lkj",
    "prevalence": "normal",
    "effect_logit": "normal",
    "tau_logit": "half_normal",
    "moderator": "normal",
    "moderator_logit": "normal",
    "effect_correlation": "lkj",
    "association": "normal",
}
# Keys of the priors of effects and of their standard deviations between groups, by metric.
OF_METRIC = {
    "sd": ("effect", "tau"),
    # Published differences in another standard deviation than that of the studies at hand.
    **dict.fromkeys(("control_sd", "pooled_sd", "total_sd"), ("effect", "tau")),
    "log_odds": ("effect_logit", "tau_logit"),
    "log_risk_ratio": ("effect_logit", "tau_logit"),
    "log_rate_ratio": ("effect_logit", "tau_logit"),
}
# Key of the prior of moderators' coefficients, by the key of the prior of the effects they are of.
OF_MODERATORS = {"effect": "moderator", "effect_logit": "moderator_logit"}
HALVES = {"normal": "half_normal", "student_t": "half_t"}


@dataclass(frozen=True)
class Prior:
    """A distribution by its family and numbers.

    ``numbers`` has the names of :data:`FAMILIES`: of ``half_t`` the ``scale``, in the units of the
    parameter, and the degrees of freedom ``df``; of ``exponential`` the mean as ``scale``; of
    ``log_normal`` the standard deviation of the logarithm, whose mean is zero. In a model they may
    be tensors (:func:`metastudy.models.data_vector.given`), and then there are no moments.
    """

    family: str
    numbers: Mapping[str, Any]

    @property
    def scale(self) -> Any:
        """The number that widens it.

        Raises
        ------
        ValueError
            For a family without one.
        """
        if "scale" not in self.numbers:
            raise ValueError(f"a prior without a scale: {self.label}")
        return self.numbers["scale"]

    @property
    def words(self) -> str:
        """The family in words, as before the name of a parameter."""
        df = f" ({self.numbers['df']:g} degrees of freedom)" if "df" in self.numbers else ""
        return FAMILIES[self.family][0] + df

    @property
    def label(self) -> str:
        """The family and its numbers in words, such as ``half-normal, scale 0.3``."""
        told = [f"{name} {value:g}" for name, value in self.numbers.items() if name != "df"]
        return ", ".join((self.words, *told))

    def law(self, scale: str) -> str:
        """The distribution around zero as a formula, with a symbol for its scale, in TeX."""
        symbol = {"normal": r"\mathcal{N}", "student_t": f"t_{{{self.numbers.get('df')}}}"}
        return f"{symbol[self.family]}(0, {scale}^2)"

    def scaled(self, factor: float) -> Prior:
        """The same family, that many times as wide."""
        return replace(self, numbers={**self.numbers, "scale": self.scale * factor})

    def half(self) -> Prior:
        """The distribution of the absolute value, for a family around zero."""
        return replace(self, family=HALVES[self.family])

    @property
    def mean(self) -> float:
        """The mean."""
        n = self.numbers
        match self.family:
            case "half_normal":
                return float(self.scale * sqrt(2 / pi))
            case "half_t":
                ratio = gamma((n["df"] + 1) / 2) / gamma(n["df"] / 2)
                return float(2 * self.scale * sqrt(n["df"] / pi) * ratio / (n["df"] - 1))
            case "beta_above_half":
                return float(0.5 + 0.5 * n["a"] / (n["a"] + n["b"]))
        return float(self._frozen().mean())

    @property
    def sd(self) -> float:
        """The standard deviation; infinite for two degrees of freedom or fewer."""
        n = self.numbers
        match self.family:
            case "half_normal":
                return float(self.scale * sqrt(1 - 2 / pi))
            case "half_t":
                if n["df"] <= 2:
                    return inf
                return sqrt(self.scale**2 * n["df"] / (n["df"] - 2) - self.mean**2)
            case "beta_above_half":
                a, b = n["a"], n["b"]
                return float(0.5 * sqrt(a * b / ((a + b) ** 2 * (a + b + 1))))
        return float(self._frozen().std())

    def quantile(self, p: float) -> float:
        """The value below which a share ``p`` of the prior lies."""
        below = (1 + p) / 2 if self.family == "half_t" else p  # that of the whole t
        return float(self._frozen().ppf(below))

    def pull(self, mean: float, sd: float) -> float:
        """How far it moves the mean of a posterior, in its standard deviations, to the first order.

        A posterior that is near to normal has without its prior a mean that is its variance times
        the slope of the log-density away (Tierney, Kass and Kadane 1989).
        """
        n = self.numbers
        match self.family:
            case "normal":
                slope = -mean / n["scale"] ** 2
            case "student_t":
                slope = -(n["df"] + 1) * mean / (n["df"] * n["scale"] ** 2 + mean**2)
            case _:
                raise ValueError(f"no slope at zero: {self.label}")
        return float(sd * slope)

    def cdf(self, value: np.ndarray) -> np.ndarray:
        """The share of the prior below each value."""
        below = self._frozen().cdf(value)
        return np.asarray(2 * below - 1 if self.family == "half_t" else below)

    def interval(self, mass: float) -> tuple[float, float]:
        """Ends of the equal-tailed interval that holds a share ``mass`` of the prior."""
        tail = (1 - mass) / 2
        return self.quantile(tail), self.quantile(1 - tail)

    def _frozen(self) -> Any:
        """The distribution in SciPy; of ``half_t`` the whole t."""
        from scipy import stats

        n = self.numbers
        match self.family:
            case "normal":
                return stats.norm(scale=n["scale"])
            case "student_t" | "half_t":
                return stats.t(n["df"], scale=n["scale"])
            case "half_normal":
                return stats.halfnorm(scale=n["scale"])
            case "exponential":
                return stats.expon(scale=n["scale"])
            case "log_normal":
                return stats.lognorm(n["scale"])
            case "beta_above_half":
                return stats.beta(n["a"], n["b"], loc=0.5, scale=0.5)
        raise ValueError(f"no distribution of one number: {self.label}")

    def variable(
        self, name: str, centre: TensorVariable | float | None = None, **more: Any
    ) -> TensorVariable:
        """The parameter in the PyMC model that is being built.

        Parameters
        ----------
        name : of the parameter; of ``beta_above_half`` the model gets ``<name>_share`` as well.
        centre : of ``normal`` and ``student_t``; zero where it is not given.
        more : passed on to PyMC, such as ``dims``.

        Raises
        ------
        ValueError
            For a centre of a family that has none, or a family that nobody knows.
        """
        import pymc as pm  # here, as reading a table needs none

        n = self.numbers
        if centre is not None and self.family not in HALVES:
            raise ValueError(f"{name} cannot be centred: its prior is {self.words}")
        centre = 0 if centre is None else centre
        match self.family:
            case "normal":
                return pm.Normal(name, centre, n["scale"], **more)
            case "student_t":
                return pm.StudentT(name, nu=n["df"], mu=centre, sigma=n["scale"], **more)
            case "half_normal":
                return pm.HalfNormal(name, n["scale"], **more)
            case "half_t":
                return pm.HalfStudentT(name, nu=n["df"], sigma=n["scale"], **more)
            case "exponential":
                return pm.Exponential(name, scale=n["scale"], **more)
            case "log_normal":
                return pm.LogNormal(name, 0, n["scale"], **more)
            case "beta_above_half":  # a coder's presence cannot swap with absence
                share = pm.Beta(f"{name}_share", n["a"], n["b"], **more)
                return pm.Deterministic(name, 0.5 + 0.5 * share)
            case "lkj":
                return pm.LKJCorr(name, eta=n["shape"], **more)
        raise ValueError(f"no such family: {self.family}")


NODES = 400  # of the midpoint rule over a share: quantiles are right to four digits


@dataclass(frozen=True)
class ShareOfTotal:
    """The prior of one component's standard deviation: the total's, times the root of its share.

    The shares of the ``parts`` components are uniform on the simplex, so one share is beta with the
    numbers 1 and ``parts`` - 1.
    """

    total: Prior
    parts: int

    @property
    def words(self) -> str:
        """The prior in words, as before the name of a parameter."""
        return f"{self.total.words} total, uniform share of {self.parts}"

    @property
    def label(self) -> str:
        """The prior and its numbers in words."""
        return f"{self.total.label}, times the root of a uniform share of {self.parts}"

    @property
    def mean(self) -> float:
        """The mean."""
        return self.total.mean * gamma(1.5) * gamma(self.parts) / gamma(self.parts + 0.5)

    @property
    def sd(self) -> float:
        """The standard deviation; infinite where that of the total is."""
        square = (self.total.mean**2 + self.total.sd**2) / self.parts
        return sqrt(square - self.mean**2)

    def quantile(self, p: float) -> float:
        """The value below which a share ``p`` of the prior lies."""
        from scipy.optimize import brentq

        u = (np.arange(NODES) + 0.5) / NODES
        root = np.sqrt(1 - (1 - u) ** (1 / (self.parts - 1)))
        highest = self.total.quantile(1 - (1 - p) / 2)
        return float(brentq(lambda t: self.total.cdf(t / root).mean() - p, 0.0, highest))

    def interval(self, mass: float) -> tuple[float, float]:
        """Ends of the equal-tailed interval that holds a share ``mass`` of the prior."""
        tail = (1 - mass) / 2
        return self.quantile(tail), self.quantile(1 - tail)


def component_prior(total: Prior, parts: int) -> Prior | ShareOfTotal:
    """The prior of a component's standard deviation.

    Parameters
    ----------
    total : prior of the total, which is also that of a component apart from it.
    parts : among how many components the total is shared; one or none share nothing.
    """
    return ShareOfTotal(total, parts) if parts > 1 else total


def priors_of(section: Mapping[str, Any]) -> dict[str, Prior]:
    """The priors that a configuration's section ``priors`` describes, by its keys.

    A bare number means the family of :data:`KEYS`; a mapping names its ``family`` and the numbers
    of it. ``accuracy_a`` and ``accuracy_b`` are the two numbers of one prior, ``accuracy``. What
    the section leaves out has no prior.

    Parameters
    ----------
    section : as :func:`metastudy.config.checked` lets it through.
    """
    found = {}
    for key, family in KEYS.items():
        if key in section:
            said = section[key]
            if not isinstance(said, Mapping):
                said = {"family": family, FAMILIES[family][1][0]: said}
            names = FAMILIES[said["family"]][1]
            found[key] = Prior(said["family"], {name: said[name] for name in names})
    if "accuracy_a" in section:
        numbers = {name: section[f"accuracy_{name}"] for name in ("a", "b")}
        found["accuracy"] = Prior("beta_above_half", numbers)
    return found
