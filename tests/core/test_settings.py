from pathlib import Path

import pytest

from core.errors import SettingsError
from core.settings import load

CANARY = "canary-7f3a"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_defaults_are_the_sandbox(here: Path) -> None:
    settings = load()
    assert (settings.venue, settings.strategies, settings.days) == ("sandbox", 500, 90)


def test_the_file_is_over_defaults_and_the_environment_over_the_file(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "nightjar.toml").write_text("days = 30\nstrategies = 7\n[costs]\nfee_bps = 3\n")
    monkeypatch.setenv("NIGHTJAR_DAYS", "60")
    monkeypatch.setenv("NIGHTJAR_COSTS__SLIPPAGE_BPS", "2")
    settings = load()
    assert (settings.days, settings.strategies) == (60, 7)
    assert (settings.costs.fee_bps, settings.costs.slippage_bps) == (3, 2)


def test_symbols_are_a_list_with_commas(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_SYMBOLS", "BTC-USDT,ETH-USDT")
    assert load().symbols == ("BTC-USDT", "ETH-USDT")


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("NIGHTJAR_DAZE", "9", "unknown settings NIGHTJAR_DAZE"),
        ("NIGHTJAR_COSTS__FEE", "9", "unknown settings NIGHTJAR_COSTS__FEE"),
        ("NIGHTJAR_DAYS", "many", "days"),
        ("NIGHTJAR_DAYS", "1", "days"),
        ("NIGHTJAR_SYMBOLS", "btc", "symbols"),
        ("NIGHTJAR_VENUE", "../x", "venue"),
        ("NIGHTJAR_COSTS__FEE_BPS", "-1", "costs.fee_bps"),
        ("NIGHTJAR_DASK", "10.0.0.7:8786", "dask"),
    ],
)
def test_a_wrong_environment_is_named(
    here: Path, monkeypatch: pytest.MonkeyPatch, key: str, value: str, says: str
) -> None:
    monkeypatch.setenv(key, value)
    with pytest.raises(SettingsError, match=says):
        load()


@pytest.mark.parametrize(
    ("text", "says"),
    [("daze = 1", "daze"), ("[costs]\nfee = 1", "costs.fee"), ("days = [", "not TOML")],
)
def test_a_wrong_file_is_named(here: Path, text: str, says: str) -> None:
    (here / "nightjar.toml").write_text(text)
    with pytest.raises(SettingsError, match=says):
        load()


def test_secrets_are_never_printed(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NIGHTJAR_BINANCE_API_KEY", CANARY)
    settings = load()
    assert settings.binance_api_key is not None
    assert settings.binance_api_key.get_secret_value() == CANARY
    assert CANARY not in f"{settings!r} {settings} {settings.model_dump_json()}"
    monkeypatch.setenv("NIGHTJAR_DAYS", "x")
    with pytest.raises(SettingsError) as error:
        load()
    assert CANARY not in str(error.value)


def test_lists_inside_a_group_are_written_with_commas(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "nightjar.toml").write_text('[social]\nsubreddits = "Bitcoin, ethereum,"\n')
    monkeypatch.setenv("NIGHTJAR_SOCIAL__BOTS", "one,two")
    monkeypatch.setenv("NIGHTJAR_WHALES__LABELS", f"0x{'Ab' * 20}=mine")
    settings = load()
    assert settings.social.subreddits == ("Bitcoin", "ethereum")
    assert settings.social.bots == ("one", "two")
    assert settings.whales.names == {f"0x{'ab' * 20}": "mine"}


@pytest.mark.parametrize("label", ["0x12=mine", f"0x{'ab' * 20}", f"0x{'ab' * 20}=", "mine"])
def test_a_label_is_an_address_and_a_name(here: Path, label: str) -> None:
    with pytest.raises(SettingsError, match=r"whales.labels: .*0x28c6…1d60=binance"):
        load(whales={"labels": label})
