"""The tool calculator: arithmetic over an allow-list of syntax, bounded before anything large is computed."""

import ast
import math
import operator
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from theseus.activities.tools.registry import Tool, tool
from theseus.contracts.tools import Effect

MAX_CHARS = 1_000
MAX_DEPTH = 50
MAX_BITS = 14_000
"""Largest integer, about 4,200 decimal digits: below what Python itself refuses to write out (4,300)."""

Number = int | float

_CONSTANTS: Mapping[str, float] = {"pi": math.pi, "e": math.e, "tau": math.tau}
_OF_MATH = "sqrt cbrt exp log log2 log10 sin cos tan asin acos atan atan2 sinh cosh tanh degrees radians hypot floor ceil trunc"
_FUNCTIONS: Mapping[str, Callable[..., Any]] = {name: getattr(math, name) for name in _OF_MATH.split()} | {
    "abs": abs,
    "min": min,
    "max": max,
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {ast.UAdd: operator.pos, ast.USub: operator.neg}
_BINARY: Mapping[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Div: lambda a, b: a / b,
    ast.FloorDiv: lambda a, b: a // b,
    ast.Mod: lambda a, b: a % b,
}


class CalculationError(Exception):
    """An expression has no value that can be given; the message says why."""


def calculate(expression: str) -> Number:
    """The value of an arithmetic expression: an exact integer where Python's is, else a float.

    Raises:
        CalculationError: it is not arithmetic, has no value, or is too large.
    """
    text = expression.strip()
    if len(text) > MAX_CHARS:
        raise CalculationError(f"the expression has {len(text)} characters; at most {MAX_CHARS} are taken: split it")
    if _nesting(text) > MAX_DEPTH:
        raise CalculationError(f"the expression is nested more than {MAX_DEPTH} deep: split it")
    try:
        tree = ast.parse(text, mode="eval")
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        raise CalculationError(f"{text[:100]!r} is not an arithmetic expression: {_syntax(error)}") from error
    try:
        value = _value(tree.body, MAX_DEPTH)
    except ZeroDivisionError as error:
        raise CalculationError("division by zero") from error
    except OverflowError as error:
        raise CalculationError("the result is too large for a number that may have a fraction") from error
    except (ValueError, TypeError) as error:
        raise CalculationError(f"there is no such value: {error}") from error
    return _checked(value)


def written(value: Number) -> str:
    """A number as text: integers whole; floats with 15 digits, which leaves out the noise of binary fractions."""
    if isinstance(value, int) or abs(value) >= 1e15:
        return repr(value)
    return format(value, ".15g")


def calculator_tools() -> list[Tool]:
    """The tools that compute."""

    @tool(effect=Effect.READ, timeout=timedelta(seconds=5), failures=(CalculationError,))
    def calculator(expression: str) -> str:
        """Computes an arithmetic expression exactly and gives the value.

        Knows + - * / // % ** and parentheses; the constants pi, e, tau; the functions sqrt cbrt exp log(x, base) log2
        log10 sin cos tan asin acos atan atan2 sinh cosh tanh degrees radians hypot floor ceil trunc round abs min max
        factorial gcd lcm. Angles are in radians. Integers are exact.

        Args:
            expression: such as (3 + 4) * 2 ** 10 or sqrt(2) / 3, without units and thousands separators
        """
        return written(calculate(expression))

    return [calculator]


def _value(node: ast.expr, depth: int) -> Number:
    if depth == 0:
        raise CalculationError(f"the expression is nested more than {MAX_DEPTH} deep: split it")
    match node:
        case ast.Constant(value=int() | float() as number) if not isinstance(number, bool):
            return _checked(number)
        case ast.Name(id=name):
            return _constant(name)
        case ast.UnaryOp(op=op, operand=operand) if type(op) in _UNARY:
            return _UNARY[type(op)](_value(operand, depth - 1))
        case ast.BinOp():
            return _chain(node, depth)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _checked(_call(name, [_value(arg, depth - 1) for arg in args]))
        case ast.Tuple():
            raise CalculationError("',' only separates what a function takes: write 1000, not 1,000")
        case _:
            raise CalculationError(
                f"{ast.unparse(node)[:100]!r} is not arithmetic: only numbers, + - * / // % ** and functions"
            )


def _chain(node: ast.BinOp, depth: int) -> Number:
    # a sum of many terms is a tree that is deep on its left, but nobody would call it nested
    rest: list[ast.BinOp] = []
    left: ast.expr = node
    while isinstance(left, ast.BinOp):
        rest.append(left)
        left = left.left
    value = _value(left, depth - 1)
    for part in reversed(rest):
        value = _checked(_binary(part.op, value, _value(part.right, depth - 1)))
    return value


def _binary(op: ast.operator, left: Number, right: Number) -> Number:
    match op:
        case ast.Mult():
            if isinstance(left, int) and isinstance(right, int):
                _room(left.bit_length() + right.bit_length())
            return left * right
        case ast.Pow():
            return _power(left, right)
        case ast.BitXor():
            raise CalculationError("write ** for a power, not ^")
        case _ if type(op) in _BINARY:
            return _BINARY[type(op)](left, right)
        case _:
            raise CalculationError("only + - * / // % ** are known between two numbers")


def _power(base: Number, exponent: Number) -> Number:
    if isinstance(base, int) and isinstance(exponent, int):
        if base in (0, 1, -1) and exponent >= 0:
            return base ** (exponent % 2 + 2 if exponent else 0)
        if exponent >= 0:
            _room(base.bit_length() * exponent)
    value: object = base**exponent
    if not isinstance(value, int | float):
        raise CalculationError("a negative number has no real power with a fraction")
    return value


def _call(name: str, args: list[Number]) -> Number:
    match name:
        case "round":
            return _round(args)
        case "factorial":
            return _factorial(args)
        case "gcd":
            return math.gcd(*_integers(name, args))
        case "lcm":
            _room(sum(arg.bit_length() for arg in _integers(name, args)))
            return math.lcm(*_integers(name, args))
        case "min" | "max" if len(args) == 1:
            return args[0]
        case _ if name in _FUNCTIONS:
            return _FUNCTIONS[name](*args)
        case _:
            known = ", ".join(sorted([*_FUNCTIONS, "round", "factorial", "gcd", "lcm"]))
            raise CalculationError(f"there is no function {name!r}. Functions: {known}")


def _round(args: list[Number]) -> Number:
    if len(args) == 1:
        return round(args[0])
    if len(args) != 2 or not isinstance(args[1], int) or abs(args[1]) > 300:
        raise CalculationError("round takes a number and how many digits to keep, an integer from -300 to 300")
    return round(args[0], args[1])


def _factorial(args: list[Number]) -> int:
    numbers = _integers("factorial", args)
    if len(numbers) != 1 or numbers[0] < 0:
        raise CalculationError("factorial takes one integer that is not negative")
    # n! has about n * log2(n / e) bits; this bound is a little above
    _room(numbers[0] * max(1, numbers[0].bit_length() - 1))
    return math.factorial(numbers[0])


def _integers(name: str, args: list[Number]) -> list[int]:
    numbers = [arg for arg in args if isinstance(arg, int)]
    if len(numbers) != len(args) or not args:
        raise CalculationError(f"{name} takes integers only")
    return numbers


def _constant(name: str) -> float:
    if name not in _CONSTANTS:
        hint = " (it is a function: write its parentheses)" if name in _FUNCTIONS else ""
        raise CalculationError(f"there is no constant {name!r}{hint}. Constants: {', '.join(_CONSTANTS)}")
    return _CONSTANTS[name]


def _room(bits: int) -> None:
    if bits > MAX_BITS:
        raise CalculationError("the result is too large: integers may have about 4,200 digits")


def _checked(value: Number) -> Number:
    if isinstance(value, int):
        _room(value.bit_length())
    elif not math.isfinite(value):
        raise CalculationError("the result is no finite number")
    return value


def _nesting(text: str) -> int:
    deepest = depth = 0
    for letter in text:
        depth += (letter in "([{") - (letter in ")]}")
        deepest = max(deepest, depth)
    return deepest


def _syntax(error: BaseException) -> str:
    return (error.msg if isinstance(error, SyntaxError) else str(error)) or "it is too deeply nested"
