"""The checker of histories detects each kind of error, and accepts what is allowed."""

import pytest
from support.remote_history import History, check

GOOD = {
    "producer": ["send a 0", "ok a 0", "send a 1", "ok a 1", "send a 2", "failed a 2 ChannelTimeout", "send a 3"],
    "consumer": ["got a 0 1", "done a 0", "got a 1 1", "got a 1 2", "done a 1", "got a 3 1", "done a 3"],
}
FAULTS = {
    "lost": ("consumer", ["got a 1 1", "got a 3 1"], "rule 1: 1 values lost"),
    "invented": ("consumer", ["got a 0 1", "got a 1 1", "got b 3 1"], "rule 2"),
    "duplicate": ("consumer", ["got a 0 1", "got a 1 1", "got a 1 1"], "rule 3"),
    "again after its end": ("consumer", ["got a 0 1", "done a 0", "got a 1 1", "got a 0 2"], "rule 4"),
    "out of order": ("consumer", ["got a 1 1", "got a 0 1"], "rule 5"),
    "numbered alike": (
        "producer",
        ["send a 0", "ok a 0", "send a 1", "ok a 1", "send a 1"],
        "numbered two values alike",
    ),
}


def write(folder, history):
    for name, lines in history.items():
        file = History(folder / f"{name}.history")
        for line in lines:
            file.add(*line.split())
    return folder


def test_correct_history_is_accepted_and_counted(tmp_path):
    found = check(write(tmp_path, GOOD), in_order=True)
    assert found == (2, 2, 1, 3, 1, 0, 0)
    assert str(found) == "2 accepted, 2 uncertain, 1 failed, 3 received, 1 redelivered, 0 dead, 0 new_twice"


@pytest.mark.parametrize("fault", FAULTS)
def test_fault_is_detected(tmp_path, fault):
    name, lines, message = FAULTS[fault]
    with pytest.raises(AssertionError, match=message):
        check(write(tmp_path, {**GOOD, name: lines}), in_order=True)


def test_dead_letter_is_not_lost(tmp_path):
    history = {**GOOD, "consumer": GOOD["consumer"][:3], "letters": ["dead a 1"]}
    assert check(write(tmp_path, history)).dead == 1


def test_servers_that_forget_may_deliver_to_another_consumer_as_new(tmp_path):
    write(tmp_path, {**GOOD, "other": ["got a 0 1", "done a 0"]})
    with pytest.raises(AssertionError, match="rule 3"):
        check(tmp_path)
    assert check(tmp_path, forgets=True).new_twice == 1
    write(tmp_path, {"other": ["got a 0 1"]})
    with pytest.raises(AssertionError, match="rule 4"):
        check(tmp_path, forgets=True)


def test_line_that_was_cut_is_ignored(tmp_path):
    write(tmp_path, GOOD)
    with open(tmp_path / "consumer.history", "a") as file:
        file.write("got a 9")
    assert check(tmp_path).received == 3
