from decimal import Decimal

from loadtest.billing import Bill, Tokens, cost_usd
from loadtest.vendors import Model, PriceList

PRICE = PriceList(Decimal("3.00"), Decimal("15.00"), cached_input=Decimal("0.30"), cache_write=Decimal("3.75"))
PLAIN = PriceList(Decimal("0.10"), Decimal("0.20"))


def test_prices_each_kind_of_token_apart() -> None:
    tokens = Tokens(input=1_000, cached=600, cache_write=300, output=50)
    assert cost_usd(PRICE, tokens) == Decimal("0.002355")  # 100 × 3 + 600 × 0.3 + 300 × 3.75 + 50 × 15, per million


def test_charges_the_input_price_where_a_line_has_none_of_its_own() -> None:
    assert cost_usd(PLAIN, Tokens(input=10, cached=4, cache_write=3)) == Decimal("0.000001")


def test_sums_by_model_exactly() -> None:
    bill, model = Bill(), Model("m", PLAIN)
    for _ in range(3):
        bill.charge(model, Tokens(input=1, output=1))
    line = {
        "requests": 3,
        "usd": "0.0000009",
        "input_tokens": 3,
        "cached_tokens": 0,
        "cache_write_tokens": 0,
        "output_tokens": 3,
    }
    assert bill.as_json() == {"requests": 3, "usd": "0.0000009", "by_model": {"m": line}}
