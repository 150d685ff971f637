"""What a model is given in one vector: the numbers of the cells, then the priors."""

from __future__ import annotations

import numpy as np
import pymc as pm
import pytensor
import pytensor.tensor as pt

from helpers.hand_made import coding_study, experiment
from helpers.raw_studies import VOCABULARY
from metastudy.models.answers.cells import answer_cells
from metastudy.models.codings import model as codings_model
from metastudy.models.codings.cells import code_cells
from metastudy.models.codings.readings import first_readings
from metastudy.models.data_vector import PERFECT, given, pack
from metastudy.models.least_squares import of_scores
from metastudy.models.priors import priors_of
from metastudy.models.terms import spread

PRIORS = priors_of({"tau": 0.3, "effect": 0.5})
MODE = pytensor.Mode("py", None)


def test_one_vector_holds_all_the_numbers_and_gives_them_back() -> None:
    study, _ = experiment("a", 30, seed=3, missing=0.2, sites=2)
    cells = answer_cells([study], "threat", VOCABULARY)
    with pm.Model():
        parts, priors, fixed = given(cells, PRIORS)
    held = [*(cells[name].values for name in ("n", "xx", "xy", "yy")), of_scores(cells)]
    for part, numbers in zip(parts, held, strict=True):
        np.testing.assert_array_equal(part.eval(mode=MODE), numbers)
    found = {key: float(prior.scale.eval(mode=MODE)) for key, prior in priors.items()}
    assert found == {"effect": 0.5, "tau": 0.3}
    assert [float(each.eval(mode=MODE)) for each in fixed] == [0.0, 0.0]
    packed = pack(cells, PRIORS, fixed_tau=0.7, fixed_outcomes=0.9)
    np.testing.assert_array_equal(packed[-4:], [0.5, 0.9, 0.7, 0.3])
    assert len(packed) == sum(numbers.size for numbers in held) + 4


def test_the_order_in_which_priors_are_said_changes_nothing() -> None:
    study, _ = experiment("a", 30, seed=3)
    cells = answer_cells([study], "threat", VOCABULARY)
    other = dict(reversed(PRIORS.items()))
    np.testing.assert_array_equal(pack(cells, PRIORS), pack(cells, other))


def test_coders_who_do_not_err_are_a_prior_and_the_likelihood_is_binomial() -> None:
    """With both accuracies at one the latent classes are the counts of what was applied."""
    interviews = [
        ("org-a", {"coder-1": ["role_change"], "coder-2": []}),
        ("org-b", {"coder-1": []}),
    ]
    study = coding_study("small", interviews, ["role_change", "uncertainty"])
    cells = first_readings(code_cells([study], "strain", VOCABULARY))
    priors = priors_of(dict.fromkeys(("prevalence", "effect_logit", "tau_logit"), 1.0)) | PERFECT
    model = codings_model.build(cells, priors)
    names = ["presence", "sensitivity", "specificity", "log_likelihood"]
    drawn = pm.draw([model[name] for name in names], 20, random_seed=1, mode=MODE)
    presence, s, t, log_likelihood = drawn
    assert (s > 0.9999).all()
    assert (t > 0.9999).all()
    applied, not_applied = cells.single.values[..., 0], cells.single.values[..., 1]
    direct = applied * np.log(presence) + not_applied * np.log1p(-presence)
    np.testing.assert_allclose(log_likelihood, direct.sum(axis=(1, 2)), rtol=1e-3)


def test_a_standard_deviation_that_is_fixed_takes_the_place_of_its_parameter() -> None:
    for fixed in (0.0, 0.7):
        with pm.Model() as model:
            tau = spread("tau", PRIORS["tau"], pt.constant(fixed))
        drawn, parameter = pm.draw([tau, model["tau"]], 50, random_seed=1, mode=MODE)
        assert np.ptp(parameter) > 0.1
        np.testing.assert_array_equal(drawn, np.full(50, fixed) if fixed else parameter)
