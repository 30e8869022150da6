"""Personal data and secrets never reach a store; everything else does, unchanged, in time linear to the text."""

import time

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from theseus.domain.redaction import redact


@pytest.mark.parametrize(
    "text, mark",
    [
        ("rosa.l+news@mail.example.co.uk", "EMAIL"),
        ("o.neil_7%x@example.org", "EMAIL"),
        ("jürgen@example.de", "EMAIL"),
        ("+1 (415) 555-2671", "PHONE"),
        ("415-555-2671", "PHONE"),
        ("(415) 555-2671", "PHONE"),
        ("415.555.2671", "PHONE"),
        ("1-415-555-2671", "PHONE"),
        ("+4915123456789", "PHONE"),
        ("+33 6 12 34 56 78", "PHONE"),
        ("0033 6 12 34 56 78", "PHONE"),
        ("06 12 34 56 78", "PHONE"),
        ("090-1234-5678", "PHONE"),
        ("0171/2345678", "PHONE"),
        ("138 1234 5678", "PHONE"),
        ("4111 1111 1111 1111", "CARD"),
        ("4111-1111-1111-1111", "CARD"),
        ("5555555555554444", "CARD"),
        ("3782 822463 10005", "CARD"),
        ("6011111111111117", "CARD"),
        ("123-45-6789", "SSN"),
        ("DE89 3704 0044 0532 0130 00", "IBAN"),
        ("GB82WEST12345698765432", "IBAN"),
        ("fr14 2004 1010 0505 0001 3m02 606", "IBAN"),
        ("192.168.1.10", "IP"),
        ("2001:db8::ff00:42:8329", "IP"),
        ("2001:0db8:0000:0000:0000:ff00:0042:8329", "IP"),
        ("fe80::1", "IP"),
        ("::ffff:10.0.0.7", "IP"),
        ("sk-proj-Ab3dEf6hIj9kLm2nOp5q", "KEY"),
        ("sk_live_4eC39HqLyjWDarjtT1zdp7dc", "KEY"),
        ("sk_Pq3dEf6hIj9kLm2nOp5qRs8tUv1wXy4zAb7cDe0fGhJ", "KEY"),
        ("AKIAIOSFODNN7EXAMPLE", "KEY"),
        ("ghp_16C7e42F292c6912E7710c838347Ae178B4a", "KEY"),
        ("github_pat_11ABCDEFG0abcdefghijkl_mnop", "KEY"),
        ("xoxb-2048-1024-AbCdEfGhIj", "KEY"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0In0.dozjgNryP4J3jVmNHl0w5N", "KEY"),
        ("-----BEGIN RSA PRIVATE KEY-----\nMIIBOgIBAAJBAKj34Gk\n-----END RSA PRIVATE KEY-----", "KEY"),
    ],
)
def test_each_kind_is_replaced_by_its_own_mark(text: str, mark: str) -> None:
    assert redact(text) == f"[REDACTED_{mark}]"
    assert redact(f"before {text}, after.") == f"before [REDACTED_{mark}], after."
    assert redact(f"中文{text}。") == f"中文[REDACTED_{mark}]。"


@pytest.mark.parametrize(
    "text, redacted",
    [
        ("Authorization: Bearer abc.def-ghi123456", "Authorization: Bearer [REDACTED_KEY]"),
        ("api_key='9f8e7d6c5b4a39281706'", "api_key='[REDACTED_KEY]'"),
        ('{"access_token": "ZXhhbXBsZTEyMzQ1Njc4OTA="}', '{"access_token": "[REDACTED_KEY]"}'),
        ("client secret is 0123456789abcdef0123", "client secret is [REDACTED_KEY]"),
        ("password: hunter2!", "password: [REDACTED_PASSWORD]"),
        ('PASSWORD="two words"', "PASSWORD=[REDACTED_PASSWORD]"),
        ("my password is tr0ub4dor", "my password is [REDACTED_PASSWORD]"),
        ("postgres://app:p4ss@db.example.com/x", "postgres://app:[REDACTED_PASSWORD]@db.example.com/x"),
        ("SSN 123456789", "SSN [REDACTED_SSN]"),
        ("Tel: 555 1234", "Tel: [REDACTED_PHONE]"),
        ("call 4155552671 now", "call [REDACTED_PHONE] now"),
        ("我的手机号是13812345678谢谢", "我的手机号是[REDACTED_PHONE]谢谢"),
        ("电话\uff1a13812345678", "电话\uff1a[REDACTED_PHONE]"),
        ("415-555-2671 415-555-2672", "[REDACTED_PHONE] [REDACTED_PHONE]"),
        ("4111 1111 1111 1111 415-555-2671 123-45-6789", "[REDACTED_CARD] [REDACTED_PHONE] [REDACTED_SSN]"),
        ("http://10.0.0.7:8080/x", "http://[REDACTED_IP]:8080/x"),
        ("DE89 3704 0044 0532 0130 00 BIC COBADEFF", "[REDACTED_IBAN] BIC COBADEFF"),
        ("REF XY12 DE89370400440532013000", "REF XY12 [REDACTED_IBAN]"),
    ],
)
def test_only_the_secret_part_is_replaced(text: str, redacted: str) -> None:
    assert redact(text) == redacted


@pytest.mark.parametrize(
    "text",
    [
        "on 2024-01-02 at 10:30:45, or 09.05.2024 12:00, or 01-02-2024",
        "id 1735689600000, order 123-456-7890, ticket ABC-415-555-2671",
        "ids 4111111111111112 and 12345678901234 and 123456789",
        "population 8 336 817, area 1 213.4, price 1.299,00",
        "2019,10482,731904.55,318",
        "000-12-3456 and 666-12-3456 and 123-00-4567",
        "ISBN 978-3-16-148410-0",
        "uuid 3f2b8c1e-7a4d-4e0f-9b6a-1c5d2e8f7a90",
        "version 1.2.3, v10.0.0.1a, 256.1.1.1, 1.2.3.4.5",
        "std::vector<int> a::b, 12:30:45, aa:bb",
        "react@18.2.0, @mention, a @ b",
        "DE00370400440532013000 is no account",
        "the token is expired; the key: see below; the password is wrong",
        "max_tokens: 4096, primary_key: customer_identifier",
        "skip sk-short and eyJ.x",
        "task-3f2b8c1e-7a4d-4e0f-9b6a-1c5d2e8f7a90, risk_assessment_of_the_whole_company_in_detail",
        "Plain words, 42 of them, in 3 lines.\n\n\tAnd a tab.",
    ],
)
def test_what_is_not_personal_stays_as_it_is(text: str) -> None:
    assert redact(text) == text


fragments = st.sampled_from(
    [
        *"aZ09 @.-:/+()[]_='\"\n",
        *("415", "555-2671", "4111 1111 1111 1111", "123-45-6789", "a@b.co", "DE89 3704 0044 0532 0130 00", "10.0.0.7"),
        *(
            "fe80::1",
            "eyJhbGciOi.J9aaaa",
            "sk-",
            "Bearer ",
            "://",
            "[REDACTED_PHONE]",
            "tel ",
            "password: ",
            "key=",
            "is ",
        ),
    ]
)


@given(st.lists(fragments, max_size=30).map("".join))
@example("://a@b.co::a@b.coa@b.co")
def test_redacting_twice_changes_nothing(text: str) -> None:
    once = redact(text)
    assert redact(once) == once


def test_addresses_that_hang_together_are_all_found() -> None:
    assert "@" not in redact("a@b.co+a@b.co" + "_x@example.org" * 20)
    assert redact("10.0.0.7-415-555-2671") == "[REDACTED_IP]-415-555-2671"


@given(st.text(max_size=200))
def test_any_text_can_be_redacted(text: str) -> None:
    assert "ada@example.org" not in redact(f"{text} ada@example.org {text}")


HOSTILE = [
    *("a", "1", " ", "1 ", "012 ", "4111 ", "a@", "a.", "a-", "@", "-", "+", "(1", "1.", "1:", ":", "key  ", "key="),
    *(
        "AA00 ",
        "DE89 ",
        "eyJ",
        "eyJaaaaaaaaaa.",
        "-----BEGIN PRIVATE KEY-----",
        "://a:",
        'password:"',
        "sk-",
        "bearer ",
    ),
]


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_takes_no_more_than_seconds_a_megabyte(piece: str) -> None:
    started = time.perf_counter()
    redact(piece * (250_000 // len(piece)))
    assert time.perf_counter() - started < 5


def test_time_grows_with_the_text_not_with_its_square() -> None:
    def seconds(count: int) -> float:
        started = time.perf_counter()
        redact("4111 1111 1111 1112 call 012 3456 password key a@b " * count)
        return time.perf_counter() - started

    seconds(10)
    assert seconds(2_400) < 40 * max(seconds(300), 0.01)
