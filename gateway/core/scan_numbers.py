"""What payment cards, IBANs, social security numbers, phone numbers and e-mail addresses look like.

Owns shapes and prefilters; checksums and numbering plans come from python-stdnum and phonenumbers, whose tables are
loaded with this module (hence `Scanner.compile` imports it late).
"""

import re
from collections.abc import Iterator

import phonenumbers
from stdnum import luhn
from stdnum.iso7064 import mod_97_10
from stdnum.us import ssn

from gateway.core.findings import DetectorGroup, Finding, FindingKind

# Patterns begin with a plain digit and look back from there: the engine then skips to digits at memory speed.
# `[0-9]` rather than `\d`, since `Scanner.plain` has already turned other scripts' digits into these.
_NOT_DIGITS = bytes(set(range(256)) - set(b"0123456789"))
_LEAST_DIGITS = 7  # of the shortest of these kinds: a phone number without its area code
_REST = r"(?:[ ().\-/]{0,3}[0-9])"
_SPAN = re.compile(rf"[0-9]{_REST}{{{_LEAST_DIGITS - 1},}}+")  # digits near each other, enough for a number


def number_detectors() -> tuple[DetectorGroup, ...]:
    """The detectors of this module, cheapest first."""
    return (
        DetectorGroup(lambda text: "@" in text, (emails,)),
        DetectorGroup(_has_digits, (ibans,)),
        DetectorGroup(_has_number, (cards, ssns, phones)),
    )


_DOMAIN = re.compile(r"(?:[\w-]{1,63}\.){1,8}[^\W\d_]{2,24}(?![\w-])")
_LOCAL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}\Z")


def emails(text: str) -> Iterator[Finding]:
    """Each "@" with a domain behind it and a local part before it; unicode letters count in both."""
    at = text.find("@")
    while at != -1:
        domain = _DOMAIN.match(text, at + 1)
        end = at + 1
        if domain is not None:
            before = text[max(0, at - 64) : at]
            local = _LOCAL.search(before)
            # git@host:path is how repositories are written, not a person.
            if local is not None and not (local.group() == "git" and text.startswith(":", domain.end())):
                end = domain.end()
                yield Finding(FindingKind.EMAIL, at - len(local.group()), end)
        at = text.find("@", end)


def _has_digits(text: str) -> bool:
    """Whether there are digits enough for any number kind; spares most texts the rest."""
    return len(text.encode("ascii", "ignore").translate(None, _NOT_DIGITS)) >= _LEAST_DIGITS


def _has_number(text: str) -> bool:
    """Whether enough digits stand near each other."""
    return _has_digits(text) and _SPAN.search(text) is not None


_GROUPS = re.compile(r"[0-9](?<![0-9][0-9])[0-9]{2,}+(?:[ -]{1,3}[0-9]{3,}+)*+")
_GROUP = re.compile(r"[0-9]+")
# As cards are printed, with a sign between that numbers in tables have too; and each digit for itself.
_PRINTED = re.compile(
    r"[0-9](?<![0-9./][0-9])[0-9]{3}([./])[0-9]{4,6}\1[0-9]{4,5}(?:\1[0-9]{4}(?:\1[0-9]{3})?)?(?![./]?[0-9])"
)
_SPELLED = re.compile(r"[0-9](?<![0-9][0-9])([ ./-])[0-9](?:\1[0-9])*+")
# Issuers' first digits by number length (ISO/IEC 7812 ranges as the networks publish them).
_VISA = re.compile(r"4")
_MASTERCARD = re.compile(r"5[1-5]|222[1-9]|22[3-9]|2[3-6]|27[01]|2720")
_LONG = re.compile(r"6011|64[4-9]|65|62|35(?:2[89]|[3-8])|50|5[6-8]|63|67")  # Discover, UnionPay, JCB, Maestro
_FIFTEEN = re.compile(r"3[47]")  # American Express
_FOURTEEN = re.compile(r"30[0-5]|36|3[89]")  # Diners Club
_MIN_CARD, _MAX_CARD = 13, 19


def cards(text: str) -> Iterator[Finding]:
    """Runs of groups of three digits or more (spaces or dashes between) with an issuer's prefix and a Luhn digit;
    groups as on a card with dots or slashes between, and digits each set apart.

    Groups on different lines are not joined: columns of numbers would be read as cards.
    """
    for run in _GROUPS.finditer(text):
        if run.end() - run.start() >= _MIN_CARD:
            yield from _cards_in(text, [group.span() for group in _GROUP.finditer(text, run.start(), run.end())])
    for shape in (_PRINTED, _SPELLED):
        for run in shape.finditer(text):
            whole = not text[run.end() : run.end() + 1].isdigit()
            if whole and run.end() - run.start() < 2 * _MAX_CARD and _is_card(run.group().replace(run[1], "")):
                yield Finding(FindingKind.CARD, *run.span())


def _cards_in(text: str, groups: list[tuple[int, int]]) -> Iterator[Finding]:
    first = 0
    while first < len(groups):
        digits, last = "", first
        found = False
        while last < len(groups) and not found:
            start, end = groups[last]
            if len(digits) + end - start > _MAX_CARD:
                break
            digits += text[start:end]
            found = len(digits) >= _MIN_CARD and _is_card(digits)
            last += 1
        if found:
            yield Finding(FindingKind.CARD, groups[first][0], groups[last - 1][1])
        first = last if found else first + 1


def _is_card(digits: str) -> bool:
    size = len(digits)
    issued = (
        (size in (13, 16, 19) and _VISA.match(digits))
        or (size == 16 and _MASTERCARD.match(digits))
        or (size >= 16 and _LONG.match(digits))
        or (size == 15 and _FIFTEEN.match(digits))
        or (size in (14, 16, 19) and _FOURTEEN.match(digits))
    )
    return bool(issued) and _could_be_luhn(digits) and bool(luhn.is_valid(digits))


_DOUBLED = bytes(sum(divmod(2 * (code - 48), 10)) if 48 <= code < 58 else 0 for code in range(256))


def _could_be_luhn(digits: str) -> bool:
    """The same sum over bytes: an eighth of the library's time, for texts that are nothing but card-like numbers."""
    backwards = digits.encode("ascii")[::-1]
    plain = backwards[::2]
    return (sum(plain) - 48 * len(plain) + sum(backwards[1::2].translate(_DOUBLED))) % 10 == 0


# Lengths by country, from the IBAN registry (ISO 13616).
_IBAN_LENGTHS = {
    country: length
    for length, countries in (
        (15, "NO"), (16, "BE"), (18, "DK FI FO GL NL SD FK"), (19, "MK SI"), (20, "AT BA EE KZ LT LU XK MN"),
        (21, "CH CR HR LI LV"), (22, "BG BH DE GB GE IE ME RS VA"), (23, "AE IL IQ TL GI OM SO"),
        (24, "AD CZ ES MD PK RO SA SE SK TN VG"), (25, "LY PT ST"), (26, "IS TR"), (27, "BI DJ FR GR IT MC MR SM"),
        (28, "AL AZ BY CY DO GT HU LB NI PL SV"), (29, "BR EG PS QA UA"), (30, "JO KW MU YE"), (31, "MT SC"),
        (32, "LC"), (33, "RU"),
    )
    for country in countries.split()
}  # fmt: skip
_IBAN = re.compile(
    r"[0-9](?<=[A-Za-z][A-Za-z][0-9])(?<![A-Za-z0-9][A-Za-z][A-Za-z][0-9])[0-9](?:[ -]?[A-Za-z0-9]){11,30}"
)
_MAX_IBAN = 34
_SEPARATORS = re.compile(r"[ -]")


def ibans(text: str) -> Iterator[Finding]:
    """A country, as many characters as its IBANs have (in groups or not), and the two check digits."""
    for match in _IBAN.finditer(text):
        start = match.start() - 2
        length = _IBAN_LENGTHS.get(text[start : start + 2].upper(), _MAX_IBAN + 1)
        compact = _SEPARATORS.sub("", text[start : match.end()])[:length].upper()
        if len(compact) == length and mod_97_10.is_valid(compact[4:] + compact[:4]):
            yield Finding(FindingKind.IBAN, start, _end_of(text, start, length))


def _end_of(text: str, start: int, length: int) -> int:
    """Where the `length`-th character other than a separator ends."""
    end = start
    while length:
        length -= text[end] not in " -"
        end += 1
    return end


_SSN = re.compile(r"[0-9](?<![0-9-][0-9])[0-9]{2}([- ])[0-9]{2}\1[0-9]{4}(?![0-9-])")
_NAMED_SSN = re.compile(r"(?i)(?:ssn|social security)[^0-9\n]{0,40}([0-9]{9})(?![0-9])")


def ssns(text: str) -> Iterator[Finding]:
    """US social security numbers with separators, or nine digits behind their name."""
    for match in _SSN.finditer(text):
        if ssn.is_valid(match.group().replace(" ", "-")):
            yield Finding(FindingKind.US_SSN, *match.span())
    for match in _NAMED_SSN.finditer(text):
        if ssn.is_valid(match.group(1)):
            yield Finding(FindingKind.US_SSN, *match.span(1))


_DATE = re.compile(r"\(?[0-9]{1,2}([./-])[0-9]{1,2}\1[0-9]{2,4}(?![0-9])")
# Each shape with the regions whose numbering plans it is checked against; validity itself is phonenumbers'.
_TRUNK_REGIONS = ("GB", "DE", "FR", "IT", "NL", "BE", "CH", "AT", "AU", "JP", "IN", "SE", "BR", "CN", "ZA")
_ANY_REGIONS = ("US", *_TRUNK_REGIONS, "ES", "PT", "PL", "DK", "NO", "MX", "SG", "HK")
_ANNOUNCED_CHARS = 40  # how far before the digits a word may announce them
_PHONES: tuple[tuple[re.Pattern[str], tuple[str | None, ...]], ...] = (
    (re.compile(rf"(\+{_REST}{{7,15}})(?![0-9])"), (None,)),  # international
    (  # North American
        re.compile(r"(?<![0-9.-])((?:1[ .-])?(?:\([0-9]{3}\) ?|[0-9]{3}[ .-])[0-9]{3}[ .-][0-9]{4})(?![0-9-])"),
        ("US",),
    ),
    (  # national, with the trunk 0 and separators
        re.compile(r"(?<![\w.,:/-])(\(?0[0-9]{1,5}\)?(?:[ .\-/]{1,3}[0-9]{2,8}){1,5})(?![.,:/-]?[0-9])"),
        _TRUNK_REGIONS,
    ),
    (re.compile(r"(\([0-9]{2,5}\) ?[0-9]{2,5}[ -][0-9]{3,5})(?![0-9-])"), _ANY_REGIONS),  # area code in parentheses
    (re.compile(r"(?<![0-9.-])([6-9][0-9]{2} [0-9]{2} [0-9]{2} [0-9]{2})(?![0-9-])"), ("ES",)),
    (re.compile(r"(?<![0-9.-])(1[3-9][0-9][ -][0-9]{4}[ -][0-9]{4})(?![0-9-])"), ("CN",)),  # Chinese mobile
    (  # anything behind a word that announces it
        re.compile(
            r"(?i)(?:tel|telefon|telephone|teléfono|téléphone|phone|mobile?|cell|call|text|fax|whatsapp|handy|móvil|portable|number"
            rf"|nummer|电话|手机|☎)[^0-9\n+]{{0,20}}(\(?[0-9]{_REST}{{6,14}})(?![0-9])"
        ),
        _ANY_REGIONS,
    ),
)
MAX_PHONE_CHECKS = 500  # per text: some 20 ms; past it the shape alone counts, so that a flood cannot hide a number


def phones(text: str) -> Iterator[Finding]:
    """Numbers that a country's numbering plan allows, in an international or national notation with separators."""
    checks = 0
    for span in _SPAN.finditer(text):
        for shape, regions in _PHONES:
            found = False
            for match in shape.finditer(text, max(0, span.start() - _ANNOUNCED_CHARS), span.end() + 2):
                number = match[1]
                if match.start(1) < span.start() - 2 or _DATE.match(number):
                    continue
                checks += len(regions)
                if checks > MAX_PHONE_CHECKS or any(_is_phone(number, region) for region in regions):
                    found = True
                    yield Finding(FindingKind.PHONE, *match.span(1))
            if found:
                break  # other shapes would tell the same number again


def _is_phone(number: str, region: str | None) -> bool:
    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number, region))
    except phonenumbers.NumberParseException:
        return False
