"""The lists of mutants and survivors quote code that exists. A moved or renamed line would silently drop its entry."""

from pathlib import Path

import pytest
from mutants import CONDITIONS, TOGETHER, Mutant, all_mutants, mutated, without_comments
from mutate import MODELS
from survivors import SURVIVORS, matches

ROOT = Path(__file__).resolve().parents[2]
MUTANTS = all_mutants(ROOT, MODELS)


@pytest.mark.parametrize("file", sorted({entry[0] for entry in [*CONDITIONS, *TOGETHER]}))
def test_mutants_quote_existing_code(file):
    assert file in MODELS, "no model is shown the mutants of this file"
    code = without_comments((ROOT / file).read_text())
    quoted = [(entry[1], entry[2]) for entry in CONDITIONS if entry[0] == file]
    quoted += [(entry[1], before) for entry in TOGETHER if entry[0] == file for before, _ in entry[2]]
    for context, before in quoted:
        assert context in code
        assert before in code[code.index(context) :]


def test_every_file_with_models_has_mutants():
    assert {mutant.file for mutant in MUTANTS} == set(MODELS)


@pytest.mark.parametrize("entry", SURVIVORS, ids=lambda entry: f"{entry[0]}: {entry[1]}")
def test_survivors_name_existing_mutants(entry):
    assert any(matches(entry, mutant) for mutant in MUTANTS)


def test_one_change_may_stand_inside_another():
    text = "return first && call(second, third);"
    changes = {"call(second, third)": "true", "second": "fourth"}
    mutants = [
        Mutant(key, "", text.index(before), text.index(before) + len(before), 1, text, before, after, "")
        for key, (before, after) in enumerate(changes.items(), start=1)
    ]
    inner = "(xichan_mutant == 2 ? (fourth) : (second))"
    assert mutated(text, mutants) == f"return first && (xichan_mutant == 1 ? (true) : (call({inner}, third)));"


def commas_outside_brackets(code):
    depth = commas = 0
    for character in code:
        depth += {"(": 1, ")": -1}.get(character, 0)
        commas += character == "," and depth == 0
    return commas


def test_mutants_replace_whole_expressions():
    for mutant in MUTANTS:
        for change in (mutant, *mutant.also):
            assert commas_outside_brackets(change.before) == commas_outside_brackets(change.after) == 0, change


@pytest.mark.parametrize("file", MODELS)
def test_code_stays_balanced_with_all_mutants_in_it(file):
    text = (ROOT / file).read_text()
    found = mutated(text, [mutant for mutant in MUTANTS if mutant.file == file])
    assert found.count("(") - found.count(")") == text.count("(") - text.count(")")
    assert found.count("xichan_mutant == ") >= sum(mutant.file == file for mutant in MUTANTS)
