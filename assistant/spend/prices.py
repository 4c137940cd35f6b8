"""What model calls cost, by the prices in the settings: US dollars for a million tokens."""

from decimal import Decimal

from django.conf import settings

MILLION = 1_000_000
CENTS = Decimal("0.000001")


def has_price(model: str) -> bool:
    return model in settings.ASSISTANT_PRICES


def cost_of(model: str, tokens_in: int, tokens_out: int, cached: int = 0) -> Decimal:
    """Without a price it is 0; tokens from the cache are among those that went in."""
    price = settings.ASSISTANT_PRICES.get(model)
    if price is None:
        return Decimal(0)
    into, out, *more = (Decimal(rate) for rate in price)
    from_cache = more[0] if more else into
    cost = (tokens_in - cached) * into + cached * from_cache + tokens_out * out
    return (cost / MILLION).quantize(CENTS)
