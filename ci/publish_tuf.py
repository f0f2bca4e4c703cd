"""Publishes a trusted root as a TUF repository does: publish_tuf.py FOLDER TRUSTED_ROOT VERSION [expired] [SIGNING_CONFIG]

The keys are kept in FOLDER/keys, so that a later run publishes the next version of the same repository.
"""

import pathlib
import sys
from datetime import datetime, timedelta, timezone

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, load_pem_private_key
from securesystemslib.signer import CryptoSigner
from tuf.api.metadata import Metadata, MetaFile, Root, Snapshot, TargetFile, Targets, Timestamp

folder, trusted_root, version = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]), int(sys.argv[3])
expires = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=-1 if "expired" in sys.argv else 7)
keys, targets = folder / "keys", folder / "repository" / "targets"
for path in (keys, targets):
    path.mkdir(parents=True, exist_ok=True)


def signer(role):
    path = keys / role
    if not path.exists():
        key = Ed25519PrivateKey.generate()
        path.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    return CryptoSigner(load_pem_private_key(path.read_bytes(), None))


roles = ("root", "timestamp", "snapshot", "targets")
signers = {role: signer(role) for role in roles}
root = Root(version=1, expires=datetime.now(timezone.utc).replace(microsecond=0) + timedelta(days=365))
for role in roles:
    root.add_key(signers[role].public_key, role)


def publish(role, signed, name):
    metadata = Metadata(signed)
    metadata.sign(signers[role])
    metadata.to_file(str(folder / "repository" / name))


listed = Targets(version=version, expires=expires)


def target(name, path):
    info = TargetFile.from_file(name, str(path))
    listed.targets[name] = info
    (targets / f"{info.hashes['sha256']}.{name}").write_bytes(path.read_bytes())


target("trusted_root.json", trusted_root)
for config in (argument for argument in sys.argv[4:] if argument.endswith(".json")):
    target("signing_config.v0.2.json", pathlib.Path(config))

if not (folder / "repository" / "1.root.json").exists():
    publish("root", root, "1.root.json")
publish("targets", listed, f"{version}.targets.json")
publish("snapshot", Snapshot(version=version, expires=expires, meta={"targets.json": MetaFile(version)}),
        f"{version}.snapshot.json")
publish("timestamp", Timestamp(version=version, expires=expires, snapshot_meta=MetaFile(version)), "timestamp.json")
