"""Takes personal data and secrets out of a text before it is kept: what is found is replaced by a mark of its kind.

Found are e-mail and IP addresses, telephone, card, account (IBAN) and social security numbers, API keys, tokens,
private keys and passwords. Names and postal addresses are not. Every pattern is linear: it begins only where a run of
its letters begins, or its length is bounded.
"""

import re
from ipaddress import AddressValueError, IPv6Address

from theseus.domain.personal_numbers import redact_numbers

EMAIL, IP, IBAN = "[REDACTED_EMAIL]", "[REDACTED_IP]", "[REDACTED_IBAN]"
KEY, PASSWORD = "[REDACTED_KEY]", "[REDACTED_PASSWORD]"

_MOST_ROUNDS = 4
"""A mark may lay open what stood beside it; rarely more than one further round finds anything."""

_PRIVATE_KEY = re.compile(r"-----BEGIN [A-Z ]{0,30}PRIVATE KEY-----[^-]*+(?:-----END [A-Z ]{0,30}PRIVATE KEY-----)?")
_KNOWN_KEY = re.compile(
    r"(?<![A-Za-z0-9_])(?:"
    r"sk-[A-Za-z0-9_-]{16,}+|[srp]k_(?:live|test)_[A-Za-z0-9]{10,}+|(?:sk|rt)_[A-Za-z0-9]{32,}+|(?:AKIA|ASIA)[A-Z0-9]{16}(?![A-Za-z0-9])"
    r"|gh[pousr]_[A-Za-z0-9]{20,}+|github_pat_[A-Za-z0-9_]{20,}+|glpat-[A-Za-z0-9_-]{16,}+"
    r"|xox[abeoprs]-[A-Za-z0-9-]{10,}+|AIza[A-Za-z0-9_-]{35}|hf_[A-Za-z0-9]{20,}+|npm_[A-Za-z0-9]{30,}+"
    r"|eyJ[A-Za-z0-9_-]{8,}+\.[A-Za-z0-9_-]{4,}+(?:\.[A-Za-z0-9_-]*+)?)"
)
_BEARER = re.compile(r"\b(bearer\s{1,4})[A-Za-z0-9._~+/=-]{8,}+", re.IGNORECASE)
_NAMED_KEY = re.compile(
    r"((?:key|token|secret|credential|signature)[\"']?\s{0,4}(?:[:=]|\bis\b)\s{0,4}[\"']?)"
    r"(?=[^0-9\s\"']{0,60}[0-9])[A-Za-z0-9_.~+/=-]{16,}+",
    re.IGNORECASE,
)
_NAMED_PASSWORD = re.compile(
    r"((?:password|passwd|passphrase|pwd)[\"']?\s{0,4}(?:[:=\uff1a]|\bis\b(?=\s{0,4}[^0-9\s]{0,40}[0-9]))\s{0,4})"
    r"(?!\"?'?\[REDACTED)(?:\"[^\"\n]{1,200}\"|'[^'\n]{1,200}'|[^\s\"',;]{4,}+)",
    re.IGNORECASE,
)
_URL_PASSWORD = re.compile(r"(://[^\s/:@]{0,100}:)(?!\[REDACTED)[^\s/@]{1,200}(?=@)")
_ASKED = re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://[^\s?#'\"<>]{1,2000})\?[^\s'\"<>]*+", re.IGNORECASE)
_USER = re.compile(r"(\b[a-z][a-z0-9+.-]{0,20}://)[^\s/@'\"]{1,1000}@", re.IGNORECASE)
_LETTER = "A-Za-z0-9\u00c0-\u024f\u0400-\u04ff"
_EMAIL = re.compile(
    rf"(?<![{_LETTER}_.%+-])"
    rf"(?:[{_LETTER}_.%+-]++@(?:[{_LETTER}-]++\.)*[{_LETTER}-]++\.[A-Za-z\u0400-\u04ff][{_LETTER}-]++)+"
)
_IPV4 = re.compile(
    r"(?<![A-Za-z0-9_.])(?:(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])\.){3}(?:25[0-5]|2[0-4][0-9]|1?[0-9]?[0-9])"
    r"(?![A-Za-z0-9_]|\.[0-9])"
)
_IPV6 = re.compile(r"(?<![A-Za-z0-9_:.])(?=[0-9A-Fa-f]{0,4}:)[0-9A-Fa-f:.]++(?![A-Za-z0-9_])")
_IBAN = re.compile(r"(?<![A-Za-z0-9])([A-Z]{2})[0-9]{2}(?: ?[A-Z0-9]){11,30}", re.IGNORECASE)
_IBAN_SIZES = (
    "AD24 AE23 AL28 AT20 AZ28 BA20 BE16 BG22 BH22 BR29 BY28 CH21 CR22 CY28 CZ24 DE22 DK18 DO28 EE20 EG29 ES24 FI18 "
    "FO18 FR27 GB22 GE22 GI23 GL18 GR27 GT28 HR21 HU28 IE22 IL23 IQ23 IS26 IT27 JO30 KW30 KZ20 LB28 LC32 LI21 LT20 "
    "LU20 LV21 LY25 MC27 MD24 ME22 MK19 MR27 MT31 MU30 NL18 NO15 PK24 PL28 PS29 PT25 QA29 RO24 RS22 SA24 SC31 SE24 "
    "SI19 SK24 SM27 ST25 SV28 TL23 TN24 TR26 UA29 VA22 VG24 XK20"
)
_IBAN_LENGTHS = {entry[:2]: int(entry[2:]) for entry in re.findall(r"\S+", _IBAN_SIZES)}


def redact(text: str) -> str:
    """The text with marks such as [REDACTED_EMAIL] in place of personal data and secrets. Doing it again changes nothing."""
    for _ in range(_MOST_ROUNDS):
        done = _round(text)
        if done == text:
            break
        text = done
    return text


def without_keys(words: str) -> str:
    """What an error of foreign code says, without what may be a key: clients name the address that they asked, whole."""
    return redact(_ASKED.sub(r"\g<1>?…", _USER.sub(r"\g<1>", words)))


def _round(text: str) -> str:
    text = _PRIVATE_KEY.sub(KEY, text)
    text = _KNOWN_KEY.sub(KEY, text)
    text = _BEARER.sub(rf"\g<1>{KEY}", text)
    text = _NAMED_KEY.sub(rf"\g<1>{KEY}", text)
    text = _NAMED_PASSWORD.sub(rf"\g<1>{PASSWORD}", text)
    text = _URL_PASSWORD.sub(rf"\g<1>{PASSWORD}", text)
    text = _EMAIL.sub(EMAIL, text)
    text = _redact_ibans(text)
    text = _IPV6.sub(_ipv6, text)
    text = _IPV4.sub(IP, text)
    return redact_numbers(text)


def _redact_ibans(text: str) -> str:
    out: list[str] = []
    done = at = 0
    while (start := _IBAN.search(text, at)) is not None:
        size = _iban_size(start.group(), text[start.end() : start.end() + 1])
        # what is not an account number may end in the beginning of one
        at = start.start() + (size or 4)
        if size:
            out += (text[done : start.start()], IBAN)
            done = at
    return "".join(out) + text[done:]


def _iban_size(candidate: str, following: str) -> int:
    """How many of the candidate's characters, spaces included, are an account number; 0 when it does not begin with one."""
    wanted = _IBAN_LENGTHS.get(candidate[:2].upper(), 0)
    places = [at for at, char in enumerate(candidate) if char != " "]
    if not 0 < wanted <= len(places):
        return 0
    size = places[wanted - 1] + 1
    if (candidate[size:] or following)[:1].isalnum():
        return 0
    compact = candidate[:size].replace(" ", "").upper()
    digits = "".join(str(int(char, 36)) for char in compact[4:] + compact[:4])
    return size if int(digits) % 97 == 1 else 0


def _ipv6(match: re.Match[str]) -> str:
    written = match.group()
    address = written.rstrip(".:") if not written.endswith("::") else written
    groups = [group for group in address.split(":") if group]
    if address.count(":") < 2 or len(address) > 45 or len(groups) < 2 or len(address) < 7:
        return written
    try:
        IPv6Address(address)
    except AddressValueError:
        return written
    return IP + written[len(address) :]
