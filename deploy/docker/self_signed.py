"""Write a certificate that signs itself, unless one is there: `self_signed.py HOST DIRECTORY`.

With it the platform starts on the first day. Browsers warn of it, so replace it: docs/deployment.md, "TLS".
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

VALID_FOR = timedelta(days=365)


def write(host: str, directory: Path) -> None:
    """Write tls.crt and tls.key for that host name."""
    key = ec.generate_private_key(ec.SECP256R1())
    pem, encoding = serialization.PrivateFormat.PKCS8, serialization.Encoding.PEM
    key_file = directory / "tls.key"
    key_file.touch(mode=0o600)
    key_file.write_bytes(key.private_bytes(encoding, pem, serialization.NoEncryption()))
    (directory / "tls.crt").write_bytes(_certificate(host, key).public_bytes(encoding))


def _certificate(host: str, key: ec.EllipticCurvePrivateKey) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, host)])
    now = datetime.now(UTC)
    return (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + VALID_FOR)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .sign(key, hashes.SHA256())
    )


if __name__ == "__main__":
    site, folder = sys.argv[1], Path(sys.argv[2])
    if not (folder / "tls.crt").exists():
        write(site, folder)
        print(f"A certificate that signs itself was made for {site}.")
