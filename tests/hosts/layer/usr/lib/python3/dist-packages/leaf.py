"""Certificates as kubeadm issues them: by openssl, from the authorities that are there. It makes no authority."""

import os
import pathlib
import tempfile

import standin

YEAR = 365


def issue(authority, path, subject, usages, sans=()):
    """Issues a certificate and its key at `path`.crt and `path`.key, unless they are there."""
    certificate, key = path.with_suffix(".crt"), path.with_suffix(".key")
    if not (certificate.exists() and key.exists()):
        both(authority, certificate, key, subject, usages, sans)
    standin.run("openssl", "verify", "-CAfile", f"{authority}.crt", certificate)


def both(authority, certificate, key, subject, usages, sans):
    if not (authority.with_suffix(".crt").exists() and authority.with_suffix(".key").exists()):
        standin.fail(f"{authority}.crt or .key is missing: kubeadm would make an authority of its own")
    certificate.parent.mkdir(parents=True, exist_ok=True)
    os.umask(0o077)
    with tempfile.TemporaryDirectory() as folder:
        request, extensions = pathlib.Path(folder) / "request", pathlib.Path(folder) / "extensions"
        standin.run(
            *("openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-noenc"),
            *("-keyout", key, "-out", request, "-subj", subject),
        )
        lines = ["keyUsage=critical,digitalSignature,keyEncipherment", f"extendedKeyUsage={','.join(usages)}", "basicConstraints=critical,CA:FALSE"]
        if sans:
            lines.append("subjectAltName=" + ",".join(f"{'IP' if is_address(name) else 'DNS'}:{name}" for name in sans))
        extensions.write_text("\n".join(lines))
        standin.run(
            *("openssl", "x509", "-req", "-in", request, "-CA", f"{authority}.crt", "-CAkey", f"{authority}.key"),
            *("-days", YEAR, "-extfile", extensions, "-out", certificate),
        )
    certificate.chmod(0o644)


def is_address(name):
    return ":" in name or name.replace(".", "").isdigit()
