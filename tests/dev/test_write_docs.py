"""What docs/ says of the code is what the code says."""

from dev.write_docs import PROBLEMS, problems_table


def test_table_of_refusals_is_that_of_the_code():
    assert PROBLEMS.read_text(encoding="utf-8") == problems_table(), "run `make docs`"
