"""What an event may cost."""

from benchmarks import guard


def test_an_event_costs_no_more_than_it_did() -> None:
    """Decoding and counting an event stays within a limit, in units of a loop that is run beside it."""
    price = guard.measure()
    print(price)
    assert price.ratio <= guard.LIMIT, str(price)


def test_ratio_is_of_the_whole_event() -> None:
    """Decoding and the core count alike, each microsecond by what an iteration takes on this machine."""
    assert guard.Price(decode_us=1.0, core_us=5.0, reference_us=0.1).ratio == 60.0
    assert guard.Price(decode_us=2.0, core_us=10.0, reference_us=0.2).ratio == 60.0
