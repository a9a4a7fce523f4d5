"""TLS: certificates checked, and failures told apart. A real server behind a TLS front."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from time import monotonic

import pytest

from tests.support.redis_server import Launch, RedisServer, free_port
from tests.support.tls import tls_front
from tt.adapters.redis.address import Address
from tt.adapters.redis.connection import Connection
from tt.adapters.redis.replies import LostError
from tt.errors import StoreError, UsageError


def refusal(url: str) -> StoreError:
    with pytest.raises(StoreError) as caught:
        Connection.open(Address.parse(url)).close()
    return caught.value


def test_commands_large_and_small_pass_through_tls(
    redis_server: RedisServer, certificate: Path
) -> None:
    with tls_front(redis_server, certificate) as port:
        url = f"rediss://localhost:{port}/1?ssl_ca_certs={certificate}"
        with Connection.open(Address.parse(url)) as made:
            large = b"x" * 3_000_000
            assert made.pipeline([("SET", "k", large), ("GET", "k")]) == [b"OK", large]
            assert made.pipeline([("ECHO", "x" * 50)] * 20_000) == [b"x" * 50] * 20_000


def test_a_certificate_that_nobody_vouches_for_is_refused(
    redis_server: RedisServer, certificate: Path
) -> None:
    with tls_front(redis_server, certificate) as port:
        error = refusal(f"rediss://:secret@localhost:{port}")
    assert error.message.startswith(f"The certificate of rediss://localhost:{port} is not trusted:")
    assert "ssl_ca_certs" in str(error.hint)


def test_a_certificate_for_another_host_is_refused(
    redis_server: RedisServer, certificate: Path
) -> None:
    with tls_front(redis_server, certificate) as port:
        error = refusal(f"rediss://127.0.0.1:{port}?ssl_ca_certs={certificate}")
        assert "is not trusted" in error.message
        unchecked = f"?ssl_ca_certs={certificate}&ssl_check_hostname=false"
        Connection.open(Address.parse(f"rediss://127.0.0.1:{port}{unchecked}")).close()


def test_a_certificate_goes_unchecked_where_the_url_says_so(
    redis_server: RedisServer, certificate: Path
) -> None:
    with tls_front(redis_server, certificate) as port:
        url = f"rediss://127.0.0.1:{port}?ssl_cert_reqs=none"
        with Connection.open(Address.parse(url)) as made:
            assert made.execute("PING") == b"PONG"


def test_a_client_certificate_is_shown_where_there_is_one(
    redis_server: RedisServer, certificate: Path
) -> None:
    key = certificate.with_name("key.pem")
    with tls_front(redis_server, certificate, mutual=True) as port:
        url = f"rediss://localhost:{port}?ssl_ca_certs={certificate}"
        with Connection.open(
            Address.parse(f"{url}&ssl_certfile={certificate}&ssl_keyfile={key}")
        ) as made:
            assert made.execute("PING") == b"PONG"
        assert isinstance(refusal(url), LostError)


def test_files_for_tls_that_cannot_be_used_are_named(
    certificate: Path, launch_redis: Launch
) -> None:
    port = free_port()
    launch_redis("--port", str(port))
    for option in ("ssl_ca_certs", "ssl_certfile"):
        with pytest.raises(UsageError) as caught:
            Connection.open(Address.parse(f"rediss://localhost:{port}?{option}=/none.pem"))
        assert f"The file of `{option}` cannot be used: /none.pem" in caught.value.message


def test_a_server_without_tls_is_told_apart(launch_redis: Launch) -> None:
    port = free_port()
    launch_redis("--port", str(port))
    began = monotonic()
    with pytest.raises(StoreError) as caught:
        Connection.open(Address.parse(f"rediss://localhost:{port}"), timeout=0.2)
    assert monotonic() - began < 5
    assert "does not answer the TLS greeting" in caught.value.message
    assert "redis:// instead of rediss://" in str(caught.value.hint)


def test_a_server_that_answers_without_tls_is_told_apart() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def answer() -> None:
            accepted, _ = listener.accept()
            with accepted:
                accepted.recv(1 << 16)
                accepted.sendall(b"-ERR what?\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        error = refusal(f"rediss://localhost:{port}")
        answering.join()
    assert error.message.startswith(f"rediss://localhost:{port} cannot be spoken to with TLS:")


def test_a_server_with_tls_is_told_apart(redis_server: RedisServer, certificate: Path) -> None:
    with tls_front(redis_server, certificate) as port:
        error = refusal(f"redis://localhost:{port}")
    assert isinstance(error, StoreError)
    assert f"redis://localhost:{port}" in error.message
