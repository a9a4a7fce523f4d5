"""Redis URLs: what they may say, and that nothing secret of them is ever shown."""

from __future__ import annotations

import pytest

from tt.adapters.redis.address import Address, Kind, Login, Tls
from tt.errors import UsageError


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("redis://", Address(Kind.TCP, (("localhost", 6379),))),
        ("  redis://h \n", Address(Kind.TCP, (("h", 6379),))),
        ("REDIS://h:7/3", Address(Kind.TCP, (("h", 7),), db=3)),
        ("redis://h?db=4", Address(Kind.TCP, (("h", 6379),), db=4)),
        ("redis://[::1]:7", Address(Kind.TCP, (("::1", 7),))),
        ("redis://[fe80::1]", Address(Kind.TCP, (("fe80::1", 6379),))),
        ("redis://:pw@h", Address(Kind.TCP, (("h", 6379),), login=Login("", "pw"))),
        ("redis://u:p%40%2F%25@h", Address(Kind.TCP, (("h", 6379),), login=Login("u", "p@/%"))),
        ("redis://u:a@b#c[@h", Address(Kind.TCP, (("h", 6379),), login=Login("u", "a@b#c["))),
        ("redis://u@h", Address(Kind.TCP, (("h", 6379),), login=Login("u", ""))),
        ("redis://:@h", Address(Kind.TCP, (("h", 6379),))),
        ("redis://h?socket_timeout=3&decode_responses=1", Address(Kind.TCP, (("h", 6379),))),
        ("rediss://h", Address(Kind.TCP, (("h", 6379),), tls=Tls())),
        ("rediss://h?ssl_cert_reqs=CERT_REQUIRED", Address(Kind.TCP, (("h", 6379),), tls=Tls())),
        ("rediss://h?ssl_cert_reqs=none", Address(Kind.TCP, (("h", 6379),), tls=Tls(verify=False))),
        (
            "rediss://h?ssl_ca_certs=/a&ssl_certfile=/b&ssl_keyfile=/c&ssl_check_hostname=false",
            Address(Kind.TCP, (("h", 6379),), tls=Tls(True, False, "/a", "/b", "/c")),
        ),
        ("unix:///run/a%20b.sock", Address(Kind.UNIX, path="/run/a b.sock")),
        (
            "unix:///r.sock?db=2&username=u&password=p",
            Address(Kind.UNIX, path="/r.sock", db=2, login=Login("u", "p")),
        ),
        ("unix://u:p@/r.sock", Address(Kind.UNIX, path="/r.sock", login=Login("u", "p"))),
        (
            "redis+sentinel://u:p@a:1,b,[::1]:3/main/2?sentinel_password=s",
            Address(
                Kind.SENTINEL,
                (("a", 1), ("b", 26379), ("::1", 3)),
                db=2,
                login=Login("u", "p"),
                service="main",
                sentinel_login=Login("", "s"),
            ),
        ),
        ("rediss+cluster://a,b:2", Address(Kind.CLUSTER, (("a", 6379), ("b", 2)), tls=Tls())),
    ],
)
def test_a_url_says_where_redis_is(url: str, expected: Address) -> None:
    assert Address.parse(url) == expected


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("", "begin with a scheme"),
        ("localhost:6379", "begin with a scheme"),
        ("http://h", "`http://` is no address"),
        ("redis://h:0", "The port"),
        ("redis://h:65536", "The port"),
        ("redis://h:x", "The port"),
        ("redis://h:٣", "The port"),
        ("redis://::1", "more than one colon"),
        ("redis://[::1", "IPv6"),
        ("redis://[::1]7", "IPv6"),
        ("redis://a b", "no name of a host"),
        ("redis://a,b", "several hosts"),
        ("redis://h/x", "The database"),
        ("redis://h/-1", "The database"),
        ("redis://h?nope=1", "unknown option `nope`"),
        ("redis://h?ssl_cert_reqs=none", "no meaning without TLS"),
        ("rediss://h?ssl_cert_reqs=maybe", "neither"),
        ("unix://run/r.sock", "absolute path"),
        ("unix://", "absolute path"),
        ("unix:///r%00.sock", "absolute path"),
        ("redis+sentinel://h:1", "names no service"),
    ],
)
def test_a_wrong_url_is_refused_with_what_is_wrong_about_it(url: str, said: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse(url)
    assert said in caught.value.message


def test_an_unknown_scheme_is_answered_with_the_known_ones() -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse("mysql://h")
    for scheme in ("redis://", "rediss://", "unix://", "redis+sentinel://", "redis+cluster://"):
        assert scheme in str(caught.value.hint)


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hunter2@h",
        "redis://hunter2@h",
        "rediss://u:hunter2@h/1",
        "unix:///s?password=hunter2",
        "redis+sentinel://:hunter2@h/main?sentinel_password=hunter2&sentinel_username=hunter2",
        "redis+cluster://hunter2:hunter2@a,b",
    ],
)
def test_what_is_shown_of_an_address_holds_no_secret(url: str) -> None:
    address = Address.parse(url)
    for shown in (address.display, str(address), repr(address), f"{address}", repr([address])):
        assert "hunter2" not in shown


@pytest.mark.parametrize(
    "url",
    [
        "redis://:hun/ter2@h",
        "redis://:hun?ter2@h",
        "redis://:hun?ter2=1@h",
        "redis://:hun/ter2:9@h",
        "redis://u:hun?x=ter2@h:1",
        "redis://:hunter2@h:port",
        "redis://:hunter2@h/db",
        "redis://:hunter2@[::1",
        ":hunter2@h",
        "unix://:hunter2@run/x",
    ],
)
def test_a_wrong_url_is_refused_without_quoting_a_secret(url: str) -> None:
    with pytest.raises(UsageError) as caught:
        Address.parse(url)
    said = f"{caught.value.message} {caught.value.hint} {caught.value.__cause__}"
    assert "hun" not in said
    assert "ter2" not in said


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("redis://u:p@h/0", "redis://h:6379"),
        ("rediss://[::1]:1/2", "rediss://[::1]:1/2"),
        ("unix:///run/%1b[31m.sock?db=1", "unix:///run/?[31m.sock?db=1"),
        ("rediss+sentinel://a,b:2/main/3", "rediss+sentinel://a:26379,b:2/main/3"),
        ("redis+cluster://a", "redis+cluster://a:6379"),
    ],
)
def test_an_address_is_shown_as_a_url_fit_for_a_terminal(url: str, shown: str) -> None:
    assert Address.parse(url).display == shown
