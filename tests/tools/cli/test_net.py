# SPDX-License-Identifier: BSD-2-Clause
"""The verbs about network cards."""
import pytest

CARD = {"vm", "name", "card", "backend", "switch", "vlan", "mac", "mtu", "rate", "addresses",
        "locked", "small_frames", "monitor", "mirrored", "link", "driver", "tx_frames", "tx_bytes",
        "rx_frames", "rx_bytes", "copied", "drops"}
DROPS = {"malformed", "spoofed", "limited", "storm", "down", "no-buffer", "unfit"}
MAC = "52:54:00:AB:cd:01"


@pytest.fixture
def two(cli):
    """VMs a, with two cards, and b with none. dnsmasq has given the second one an address."""
    leases = cli.folder / "leases"
    cli.environment["SHYPER_LEASES"] = str(leases)
    leases.write_text("garbage\n1732190000 52:54:00:ab:cd:01 10.77.0.11 vm1 *\n"
                      "1732190000 52:54:00:ab:cd:02 10.77.0.12 vm2 *\n")
    cli.config(nics=[{"rate": "100M"}, {"mac": MAC}])
    cli.config(name="b")
    return cli


def test_list(two):
    first, second = two.json("net", "list")
    assert set(first) == set(second) == CARD and set(first["drops"]) == DROPS
    assert (first["name"], first["card"], first["rate"]) == ("a", 0, 100000000)
    assert first["addresses"] == [] and second["addresses"] == ["10.77.0.11"]
    assert first["drops"]["storm"] == 7
    assert two.vm("a")["cards"] == [first, second] and two.vm("b")["cards"] == []
    assert two.json("net", "info", "a") == two.json("net", "stats", 1) == [first, second]
    assert two.json("net", "info", "b") == []
    assert "addresses:  10.77.0.11" in two.out("vm", "info", "a")


def test_tables(two):
    head, first, second = two.out("net", "list").splitlines()
    assert head.split() == ["VM", "CARD", "SWITCH", "MAC", "ADDRESS", "STATE"]
    assert first.split() == ["a", "0", "lan", "02:00:00:00:01:00", "-", "no", "driver"]
    assert second.split()[3:5] == [MAC.lower(), "10.77.0.11"]
    assert "storm 7" in two.out("net", "stats") and "storm 7" in two.out("net", "stats", "a")
    text = two.out("net", "info", "a")
    assert "100M bits a second" in text and "7 storm" in text and "no limit" in text


def test_vhost_cards(cli):
    """Of them the kernel tells what it knows of the tap; Shyper knows nothing."""
    cli.environment["SHYPER_TAPS"] = str(cli.folder)
    cli.config(nics=[{}, {"backend": "vhost", "bridge": "br0", "mac": MAC, "mtu": 9000}])
    cli.config(name="b", nics=[{"backend": "vhost"}])
    for name, value in {"flags": "0x1003", "carrier": 1, "statistics/rx_packets": 5,
                        "statistics/rx_bytes": 5000, "statistics/tx_packets": 6,
                        "statistics/tx_bytes": 6000, "statistics/tx_dropped": 2}.items():
        file = cli.folder / "vm1-1" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(f"{value}\n")
    first, second, third = cli.json("net", "list")
    assert (first["backend"], first["card"], second["card"]) == ("switch", 0, 1)
    assert set(second) == CARD - {"switch", "copied"} | {"tap", "bridge"}
    wanted = {"backend": "vhost", "tap": "vm1-1", "bridge": "br0", "mac": MAC.lower(),
              "mtu": 9000, "link": True, "driver": True, "tx_frames": 5, "tx_bytes": 5000,
              "rx_frames": 6, "rx_bytes": 6000}
    assert wanted.items() <= second.items() and second["drops"]["no-buffer"] == 2
    assert set(third) == CARD - {"switch", "copied"} | {"tap"} and not third["driver"]
    assert third["mac"].startswith("52:49:") and third["tx_frames"] == 0
    assert "vhost, tap vm1-1, bridge br0" in cli.out("net", "list")
    assert "back-end:    vhost, tap vm2-0\n" in cli.out("net", "info", "b")
    assert "no-buffer 2" in cli.out("net", "stats", "a")
    for verb in "mirror", "link":
        assert "tcpdump -i vm2-0" in cli.error("net", verb, "b")
        assert "the tap vm1-1" in cli.error("net", verb, "a", "--card", 1)


def test_mirror_and_link(two):
    def flags(key):
        return [card[key] for card in two.json("net", "list")]

    assert two.out("net", "mirror", "a") == "a (VM 1): mirrored\n"
    assert flags("mirrored") == [True, True]
    assert "no driver, mirrored" in two.out("net", "list")
    assert two.out("net", "mirror", "a", "--off", "--card", 1) == "a (VM 1): not mirrored\n"
    assert flags("mirrored") == [True, False] and flags("link") == [True, True]
    assert two.out("net", "link", "a", "--down", "-c", 0) == "a (VM 1): link down\n"
    assert flags("link") == [False, True] and "cable out" in two.out("net", "list")
    assert two.out("net", "link", 1) == "a (VM 1): link up\n"
    assert flags("link") == [True, True] and flags("mirrored") == [True, False]


@pytest.mark.parametrize("words, text, status", [
    (["net"], "needs one of", 2), (["net", "mirror"], "needs NAME|ID", 2),
    (["net", "mirror", "x"], "no VM", 1), (["net", "info", "x"], "no VM", 1),
    (["net", "mirror", "b"], "no such network card", 1),
    (["net", "mirror", "a", "--card", 2], "no such network card", 1),
    (["net", "link", "a", "--card", "eth0"], "no such network card", 1),
    (["net", "lst"], "net list", 2)])
def test_refused(two, words, text, status):
    assert text in two.error(*words, status=status)
