"""The calculator is exact, knows only arithmetic, and answers at once whatever it is given."""

import math
import time
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from theseus.activities.tools.calculator import MAX_BITS, CalculationError, calculate, written

LARGE = "the result is too large"


@pytest.mark.parametrize(
    ("expression", "text"),
    [
        ("6*7", "42"),
        (" (3 + 4) * 2 ** 10 ", "7168"),
        ("2**200", str(2**200)),
        ("7/2", "3.5"),
        ("-7//2", "-4"),
        ("-7 % 3", "2"),
        ("2**-1", "0.5"),
        ("0.1 + 0.2", "0.3"),
        ("sqrt(16)", "4"),
        ("max(1, 2.5, 2) + min(3, 4)", "5.5"),
        ("round(2/3, 4)", "0.6667"),
        ("round(1234, -2)", "1200"),
        ("log(8, 2)", "3"),
        ("sin(pi / 2)", "1"),
        ("factorial(20)", "2432902008176640000"),
        ("gcd(12, 18) + lcm(4, 6)", "18"),
        ("(-1) ** 123456789", "-1"),
        ("1 ** 10 ** 100", "1"),
        ("0 ** 0", "1"),
        ("10.0 ** 20", "1e+20"),
        ("floor(2.7)", "2"),
        ("+".join(["1"] * 500), "500"),
    ],
)
def test_arithmetic_has_its_value(expression: str, text: str) -> None:
    assert written(calculate(expression)) == text


@pytest.mark.parametrize(
    ("expression", "why"),
    [
        ("9**9**9", LARGE),
        ("9**9**9**9", LARGE),
        ("2**-9**9**9", LARGE),
        ("factorial(10**9)", LARGE),
        ("factorial(10**4000)", LARGE),
        ("(" * 900, "nested more than 50 deep"),
        ("-" * 999 + "1", "nested more than 50 deep"),
        ("not " * 249 + "1", "not arithmetic"),
        ("**".join(["2"] * 300), "nested more than 50 deep"),
        ("((9**999)**9)**9", LARGE),
        ("*".join(["(10**4000)"] * 60), LARGE),
        ("lcm(10**4000+1, 10**4000+3)", LARGE),
        ("round(5, -10**9)", "from -300 to 300"),
        ("1" * 1001, "at most 1000"),
        ("x" * 10_000_000, "at most 1000"),
        ("1e400", "no finite number"),
        ("1e308 * 10", "no finite number"),
        ("exp(10**6)", LARGE),
        ("10**4000 / 3", LARGE),
        ("2.0 ** 10**4000", LARGE),
        ("1/0", "division by zero"),
        ("0 ** -1", "division by zero"),
        ("log(1.5, 1)", "division by zero"),
        ("sqrt(-1)", "no such value"),
        ("(-8) ** 0.5", "no real power"),
        ("atan2()", "no such value"),
        ("1,000 + 1", "write 1000"),
        ("2 ^ 3", r"write \*\*"),
        ("'a' * 3", "not arithmetic"),
        ("1j", "not arithmetic"),
        ("True + 1", "not arithmetic"),
        ("[1][0]", "not arithmetic"),
        ("(1).__class__", "not arithmetic"),
        ("(lambda: 1)()", "not arithmetic"),
        ("__import__('os')", "not arithmetic"),
        ("eval(1)", "no function 'eval'"),
        ("pow(2, 3)", "no function 'pow'"),
        ("max(1, key=2)", "not arithmetic"),
        ("min(*3)", "not arithmetic"),
        ("sqrt", "write its parentheses"),
        ("x + 1", "no constant 'x'"),
        ("1 +", "not an arithmetic expression"),
        ("", "not an arithmetic expression"),
        ("1\0", "not an arithmetic expression"),
        ("1; 2", "not an arithmetic expression"),
        ("1 << 9", r"only \+"),
    ],
)
def test_what_has_no_value_says_why_at_once(expression: str, why: str) -> None:
    began = time.thread_time()
    with pytest.raises(CalculationError, match=why):
        calculate(expression)
    assert time.thread_time() - began < 0.5


@given(st.text(alphabet="0123456789.+-*/%() ,epi", max_size=60) | st.text(max_size=60))
def test_any_text_gives_a_number_or_a_reason(expression: str) -> None:
    try:
        value = calculate(expression)
    except CalculationError as error:
        assert str(error)
    else:
        assert math.isfinite(value) if isinstance(value, float) else value.bit_length() <= MAX_BITS
        assert written(value)


@given(st.integers(-(10**60), 10**60), st.integers(-(10**60), 10**60), st.sampled_from("+-*"))
def test_integers_are_exact(left: int, right: int, sign: str) -> None:
    expected = {"+": left + right, "-": left - right, "*": left * right}[sign]
    assert written(calculate(f"({left}) {sign} ({right})")) == str(expected)


@given(st.integers(-1000, 1000), st.integers(1, 1000))
def test_a_quotient_is_the_nearest_float(left: int, right: int) -> None:
    assert calculate(f"{left} / {right}") == float(Fraction(left, right))


@given(st.integers(-50, 50), st.integers(0, 3000))
def test_powers_within_the_bound_are_exact_and_beyond_it_refused(base: int, exponent: int) -> None:
    try:
        assert calculate(f"({base}) ** {exponent}") == base**exponent
    except CalculationError:
        assert abs(base) > 1
        assert base.bit_length() * exponent > MAX_BITS
