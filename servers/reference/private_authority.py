"""Makes a private certificate authority and what it signs, by the openssl command.

Certificates are of P-256, valid for a day, in files of PEM. For clients and tests; the servers read
the files by their flags --tls_certificate, --tls_key and --tls_authority.
"""

import pathlib
import re
import subprocess

NEW_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")


def openssl(*args):
    """Runs the command and returns what it did. Raises RuntimeError with its first words."""
    try:
        return subprocess.run(["openssl", *args], capture_output=True, check=True,
                              stdin=subprocess.DEVNULL)
    except FileNotFoundError as error:
        raise RuntimeError("there is no openssl in PATH; install the package openssl") from error
    except subprocess.CalledProcessError as error:
        # Lines without a letter show the progress of new keys.
        words = [line for line in error.stderr.decode(errors="replace").splitlines()
                 if re.search("[a-z]", line)]
        raise RuntimeError(f"openssl {args[0]}: {words[0] if words else 'failed'}") from error


class PrivateAuthority:
    """An authority whose files, and those that it signs, lie in `folder`."""

    def __init__(self, folder, name="authority"):
        self._folder = pathlib.Path(folder)
        self._name = name
        openssl("req", "-x509", *NEW_KEY, "-subj", f"/CN={name}", "-days", "1",
                "-addext", "keyUsage=critical,keyCertSign",
                "-keyout", self._path(f"{name}.key"), "-out", self.file)

    @property
    def file(self):
        """The path of the authority's own certificate, which peers trust."""
        return self._path(f"{self._name}.pem")

    def sign(self, name, names="DNS:localhost,IP:127.0.0.1"):
        """Makes <name>.pem and <name>.key; returns their paths.

        `names` are the host names and addresses of a server, as subjectAltName has them.
        """
        certificate, key = self._path(f"{name}.pem"), self._path(f"{name}.key")
        request, extensions = self._path(f"{name}.csr"), self._path(f"{name}.ext")
        openssl("req", *NEW_KEY, "-subj", f"/CN={name}", "-keyout", key, "-out", request)
        pathlib.Path(extensions).write_text(
            f"subjectAltName={names}\nsubjectKeyIdentifier=hash\nauthorityKeyIdentifier=keyid\n",
            encoding="utf-8")
        openssl("x509", "-req", "-in", request, "-CA", self.file,
                "-CAkey", self._path(f"{self._name}.key"), "-CAcreateserial", "-days", "1",
                "-extfile", extensions, "-out", certificate)
        return certificate, key

    def _path(self, name):
        return str(self._folder / name)
