"""Tells personal numbers apart by their form: payment cards, US social security numbers, telephone numbers.

Digit groups that stand together are read as one piece, and each place in it is tried as a card first, then as a social
security number, then as a telephone number; so none swallows another, and dates, ids and amounts stay.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

CARD, SSN, PHONE = "[REDACTED_CARD]", "[REDACTED_SSN]", "[REDACTED_PHONE]"

_PIECE = re.compile(r"(?<![A-Za-z0-9_.@])[+(]{0,2}[0-9]++(?:[ .()/\u00a0\u2010-\u2013-]{1,3}+[0-9]++)*+")
_GROUP = re.compile(r"([^0-9]*)([0-9]+)")
_PHONE_LABEL = re.compile(
    r"(?:\b(?:tel|telephone|phone|mobile|cell|fax|call|whatsapp|sms|téléphone|telefon|teléfono|handy)"
    r"|电话|手机|電話|手機|携帯|전화|телефон)(?:\s?(?:number|no|nr|is|号码|号|番号|번호|是|为)){0,2}[\s.:\uff1a#=]{0,4}$",
    re.IGNORECASE,
)
_SSN_LABEL = re.compile(r"(?:\bssn|social security(?: number| no)?)(?: is)?[\s.:#=]{0,4}$", re.IGNORECASE)
_LABEL_REACH = 40
_MOST_GROUPS = 7
_LEAST_DIGITS, _PHONE_DIGITS, _MOST_DIGITS = 7, 15, 19
_WORD_GOES_ON = re.compile(r"[A-Za-z_]")
_IIN = re.compile(
    r"4[0-9]{12}(?:[0-9]{3}){0,2}|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|3(?:0[0-5]|[68][0-9])[0-9]{11}|35[0-9]{14}|6(?:011|5[0-9]{2}|4[4-9][0-9]|2[0-9]{2})[0-9]{12,15}"
)
_CARD_FORMS: set[tuple[int, ...]] = {(4, 4, 4, 4), (4, 6, 5), (4, 6, 4), (4, 4, 4, 4, 3), (4, 4, 4, 1)}

_SSN_FORM = (3, 2, 4)
_AMERICAN_FORMS: set[tuple[int, ...]] = {(3, 3, 4), (1, 3, 3, 4)}
_CHINESE_FORM = (3, 4, 4)
_FORMS = {*_CARD_FORMS, *_AMERICAN_FORMS, _SSN_FORM, _CHINESE_FORM}
_DATE_FORMS: dict[tuple[int, ...], int] = {(4, 2, 2): 0, (2, 2, 4): 2, (1, 2, 4): 2, (2, 1, 4): 2, (1, 1, 4): 2}
"""Sizes of the groups of a date to the place of the year."""


@dataclass(frozen=True, slots=True)
class _Label:
    """What the text before a piece says that it is."""

    phone: bool
    ssn: bool


_NO_LABEL = _Label(phone=False, ssn=False)


@dataclass(frozen=True, slots=True)
class _Piece:
    """Digit groups that stand together: what stands before each, its digits, and how many those are."""

    gaps: Sequence[str]
    digits: Sequence[str]
    sizes: tuple[int, ...]
    usable: int

    def stands_free(self, at: int) -> bool:
        """Whether a number may end before this group or, inside the piece, begin with it."""
        return at == self.usable or any(map(str.isspace, self.gaps[at]))


def redact_numbers(text: str) -> str:
    """The text with card, social security and telephone numbers replaced by their marks."""
    return _PIECE.sub(_redact_piece, text)


def _redact_piece(match: re.Match[str]) -> str:
    whole, text, start = match.group(), match.string, match.start()
    piece = _piece(whole, word_goes_on=_WORD_GOES_ON.match(text, match.end()) is not None)
    if sum(piece.sizes) < _LEAST_DIGITS:
        return whole
    label = _label(text[max(0, start - _LABEL_REACH) : start])
    out: list[str] = []
    # digits bound to a word by a dash or a slash are a part of a name
    at = 1 if text[max(0, start - 1) : start] in ("-", "/") else 0
    out += [piece.gaps[0] + piece.digits[0]] * at
    while at < len(piece.sizes):
        mark, size = _recognise(piece, at, label if at == 0 else _NO_LABEL)
        gap = piece.gaps[at]
        out.append(gap.rstrip("+(") + mark if size else gap + piece.digits[at])
        at += max(size, 1)
    return "".join(out)


def _piece(whole: str, *, word_goes_on: bool) -> _Piece:
    found: list[tuple[str, str]] = _GROUP.findall(whole)
    digits = [group for _, group in found]
    usable = len(digits) - 1 if word_goes_on else len(digits)
    return _Piece([gap for gap, _ in found], digits, tuple(map(len, digits)), usable)


def _label(before: str) -> _Label:
    return _Label(phone=_PHONE_LABEL.search(before) is not None, ssn=_SSN_LABEL.search(before) is not None)


def _recognise(piece: _Piece, at: int, label: _Label) -> tuple[str, int]:
    """The mark of the personal number that begins with group `at`, and how many groups it has; 0 when there is none."""
    if at > 0 and not piece.stands_free(at):
        return "", 0
    any_form = label.phone or label.ssn or "+" in piece.gaps[at] or (piece.digits[at][0] == "0" and piece.sizes[at] > 1)
    for end in range(min(at + _MOST_GROUPS, piece.usable), at, -1):
        form = piece.sizes[at:end]
        if not any_form and len(form) > 1 and form not in _FORMS:
            continue
        if piece.stands_free(end) and (mark := _mark(piece.gaps[at:end], piece.digits[at:end], form, label)):
            return mark, end - at
    return "", 0


def _mark(gaps: Sequence[str], groups: Sequence[str], form: tuple[int, ...], label: _Label) -> str:
    if not _LEAST_DIGITS <= sum(form) <= _MOST_DIGITS:
        return ""
    digits = "".join(groups)
    if _is_card(digits, form):
        return CARD
    if _is_ssn(gaps, groups, labelled=label.ssn):
        return SSN
    if _is_date(groups, form):
        return ""
    if _is_phone(digits, form, plus="+" in gaps[0]) or (label.phone and len(digits) <= _PHONE_DIGITS):
        return PHONE
    return ""


def _is_card(digits: str, form: tuple[int, ...]) -> bool:
    if len(form) > 1 and form not in _CARD_FORMS:
        return False
    return 13 <= len(digits) <= 19 and _IIN.fullmatch(digits) is not None and _luhn(digits)


def _luhn(digits: str) -> bool:
    doubled = (2 * int(digit) for digit in digits[-2::-2])
    return (sum(map(int, digits[-1::-2])) + sum(value - 9 if value > 9 else value for value in doubled)) % 10 == 0


def _is_ssn(gaps: Sequence[str], groups: Sequence[str], *, labelled: bool) -> bool:
    form = tuple(map(len, groups))
    if form == (9,):
        return labelled
    if form != _SSN_FORM:
        return False
    area, group, serial = groups
    joined = gaps[1] == gaps[2] == "-"
    return (joined or labelled) and area not in ("000", "666") and group != "00" and serial != "0000"


def _is_date(groups: Sequence[str], form: tuple[int, ...]) -> bool:
    year = _DATE_FORMS.get(form[:3])
    return year is not None and groups[year][:2] in ("19", "20")


def _is_phone(digits: str, form: tuple[int, ...], *, plus: bool) -> bool:
    if plus:
        return 8 <= len(digits) <= _PHONE_DIGITS
    if digits.startswith("00"):
        return len(form) >= 3 and 10 <= len(digits) <= 17
    if digits.startswith("0"):
        return 2 <= len(form) <= 5 and 2 <= form[0] <= 5 and 9 <= len(digits) <= 12
    if form == _CHINESE_FORM:
        return digits[0] == "1" and digits[1] in "3456789"
    national = digits[1:] if form[0] == 1 and digits[0] == "1" else digits
    return form in _AMERICAN_FORMS and len(national) == 10 and min(national[0], national[3]) >= "2"
