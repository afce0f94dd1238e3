"""The table of channels agrees with the orders that kernels count on."""

from __future__ import annotations

from civsim.base.constants import (
    CHANNEL_LABELS,
    CHANNEL_NAMES,
    COGNITION,
    COGNITIVE,
    N_ORDER_KINDS,
    ORDERS,
    PHYSICAL,
    Category,
    Channel,
    OrderKind,
    Price,
)
from civsim.base.scenario import DrawSettings, Scenario
from civsim.base.thinking import CurvatureSettings, GrantSettings, Levels, PartialLevels, PriceSettings


def test_every_channel_is_in_the_table_in_order() -> None:
    assert tuple(COGNITION) == tuple(Channel)


def test_staff_follow_one_another_as_their_channels_do() -> None:
    """``Category.STRATEGISTS + channel`` is how the rules find a channel's staff."""
    assert [int(facts.staff) for facts in COGNITION.values()] == [Category.STRATEGISTS + c for c in Channel]


def test_the_first_prices_are_the_channels() -> None:
    assert [price.name for price in Price][: len(Channel)] == [channel.name for channel in Channel]


def test_categories_are_consumption_muscle_and_thinking() -> None:
    assert (Category.CONSUMPTION, *PHYSICAL, *COGNITIVE) == tuple(Category)


def test_every_table_of_settings_by_channel_has_every_channel() -> None:
    for table in (PriceSettings, CurvatureSettings, Levels, PartialLevels):
        assert tuple(table.model_fields) == CHANNEL_NAMES
    for table in (DrawSettings, GrantSettings):
        assert set(table.model_fields) > set(CHANNEL_NAMES)
    stocks = [category.name.lower() for category in (*PHYSICAL, *COGNITIVE)]
    assert list(type(Scenario().economy.depreciation).model_fields) == stocks


def test_labels_are_those_of_the_pages() -> None:
    assert list(CHANNEL_LABELS.values()) == ["horizon h (turns)", "sight r (cells)", "attention k (variables)"]


def test_every_kind_of_order_has_a_plural_and_its_number() -> None:
    assert tuple(ORDERS) == tuple(kind for kind in OrderKind if kind != OrderKind.NONE)
    assert [int(kind) for kind in ORDERS] == list(range(N_ORDER_KINDS))
