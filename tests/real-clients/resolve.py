#!/usr/bin/env python3
"""Configurations that people have, read by the clouds' own libraries and by snapexport side by side: who, where, at which address.

    resolve.py            each case as `ok NAME` or `FAIL NAME`; needs SNAPEXPORT, and the libraries of tests/real-clients/run
    resolve.py CLOUD      what the cloud's own library makes of this HOME and environment, as JSON

Nothing leaves this machine: what is not on loopback goes through a proxy that is not there.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

KEY, OTHER = "AKIAEXAMPLEONE000000", "AKIAEXAMPLETWO000000"
SECRET = "secretsecretsecretsecretsecretsecret0000"
PAIR = f"aws_access_key_id = {KEY}\naws_secret_access_key = {SECRET}\n"
OTHER_PAIR = PAIR.replace(KEY, OTHER)
CONFIG, CREDENTIALS = ".aws/config", ".aws/credentials"
CLOUDS = ".config/openstack/clouds.yaml"
AUTH = "auth:\n      auth_url: https://identity.example/v2.0\n      username: me\n      password: secret\n      project_name: one"
OSC = ".osc/config.json"


def osc(**profiles):
    return json.dumps(profiles)


def cloud(text, name="mine"):
    return f"clouds:\n  {name}:\n    {text}\n"


# (cloud, name, files, variables)
CASES = [
    ("lightsail", "keys and region of the default profile", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion = eu-west-1\n"}, {}),
    ("lightsail", "a file indented as a whole", {CREDENTIALS: "  [default]\n" + "".join(f"  {line}\n" for line in PAIR.splitlines()), CONFIG: "[default]\nregion=eu-west-1\n"}, {}),
    ("lightsail", "a colon for the equals sign", {CREDENTIALS: f"[default]\n{PAIR}".replace(" =", ":"), CONFIG: "[default]\nregion: eu-west-1\n"}, {}),
    ("lightsail", "words behind a section", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=eu-west-1\n[profile q] /* s3://x */\nregion=eu-west-2\n"}, {"AWS_PROFILE": "default"}),
    ("lightsail", "the profile with words behind its section", {CREDENTIALS: f"[q]\n{PAIR}", CONFIG: "[profile q] /* s3://x */\nregion=eu-west-2\n"}, {"AWS_PROFILE": "q"}),
    ("lightsail", "a profile with a blank in its name", {CREDENTIALS: f"[my work]\n{PAIR}", CONFIG: "[profile 'my work']\nregion=eu-west-2\n"}, {"AWS_PROFILE": "my work"}),
    ("lightsail", "a profile with letters beyond ASCII", {CREDENTIALS: f"[café]\n{PAIR}", CONFIG: "[profile café]\nregion=eu-west-2\n"}, {"AWS_PROFILE": "café"}),
    ("lightsail", "AWS_DEFAULT_PROFILE", {CREDENTIALS: f"[default]\n{PAIR}[two]\n{OTHER_PAIR}", CONFIG: "[profile two]\nregion=eu-west-2\n"}, {"AWS_DEFAULT_PROFILE": "two"}),
    ("lightsail", "keys of the environment", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=eu-west-1\n"}, {"AWS_ACCESS_KEY_ID": OTHER, "AWS_SECRET_ACCESS_KEY": SECRET}),
    ("lightsail", "an address of its own by services", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=eu-west-1\nservices = s\n[services s]\nlightsail =\n  endpoint_url = http://127.0.0.1:1\n"}, {}),
    ("lightsail", "FIPS by the environment", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=us-east-1\n"}, {"AWS_USE_FIPS_ENDPOINT": "true"}),
    ("lightsail", "FIPS by the file", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=us-east-1\nuse_fips_endpoint = true\n"}, {}),
    ("lightsail", "dual stack by the environment", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=eu-west-1\n"}, {"AWS_USE_DUALSTACK_ENDPOINT": "true"}),
    ("lightsail", "FIPS and dual stack", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: "[default]\nregion=us-west-2\nuse_fips_endpoint = true\nuse_dualstack_endpoint = true\n"}, {}),
    ("lightsail", "a pair in both files", {CREDENTIALS: f"[default]\n{PAIR}", CONFIG: f"[default]\nregion=eu-west-1\n{OTHER_PAIR}"}, {}),
    ("lightsail", "keys of the credentials file before a command", {CREDENTIALS: f"[both]\n{PAIR}", CONFIG: f"[profile both]\nregion=us-east-1\ncredential_process = false\n{OTHER_PAIR}"}, {"AWS_PROFILE": "both"}),
    ("lightsail", "keys of the environment with the rest of a profile", {CONFIG: f"[profile p]\nregion=us-east-1\nuse_fips_endpoint = true\n{PAIR}"}, {"AWS_PROFILE": "p", "AWS_ACCESS_KEY_ID": OTHER, "AWS_SECRET_ACCESS_KEY": SECRET}),
    ("rackspace", "a cloud by OS_CLOUD", {CLOUDS: cloud(AUTH + "\n    region_name: DFW")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "regions in one text", {CLOUDS: cloud(AUTH + "\n    region_name: DFW,ORD")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "a list of regions", {CLOUDS: cloud(AUTH + "\n    regions: [ORD, DFW]")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "a region with values of its own", {CLOUDS: cloud(AUTH + "\n    regions:\n      - name: ORD\n        values:\n          auth:\n            auth_url: https://ord.example/v2.0")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "digits for a password and a user", {CLOUDS: cloud(AUTH.replace("secret", "0123456789").replace("username: me", "username: '0008'") + "\n    region_name: DFW")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "the region in the address", {CLOUDS: cloud(AUTH.replace("identity.", "{region_name}.") + "\n    region_name: dfw")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "the password in secure.yaml", {CLOUDS: cloud(AUTH.replace("      password: secret\n", "") + "\n    region_name: DFW"), ".config/openstack/secure.yaml": cloud("auth:\n      password: other")}, {"OS_CLOUD": "mine"}),
    ("rackspace", "a profile of clouds-public.yaml", {CLOUDS: cloud(AUTH.replace("      auth_url: https://identity.example/v2.0\n", "") + "\n    profile: vendor\n    region_name: DFW"), ".config/openstack/clouds-public.yaml": "public-clouds:\n  vendor:\n    auth:\n      auth_url: https://vendor.example/v2.0\n"}, {"OS_CLOUD": "mine"}),
    ("rackspace", "the old word for a profile", {CLOUDS: cloud(AUTH.replace("      auth_url: https://identity.example/v2.0\n", "") + "\n    cloud: vendor\n    region_name: DFW"), ".config/openstack/clouds-public.yaml": "public-clouds:\n  vendor:\n    auth:\n      auth_url: https://vendor.example/v2.0\n"}, {"OS_CLOUD": "mine"}),
    ("rackspace", "a bad value in another cloud", {CLOUDS: cloud(AUTH + "\n    region_name: DFW") + "  other:\n    weight: .nan\n"}, {"OS_CLOUD": "mine"}),
    ("outscale", "the default profile", {OSC: osc(default={"access_key": KEY, "secret_key": SECRET, "region": "eu-west-2"})}, {}),
    ("outscale", "another profile", {OSC: osc(default={"access_key": KEY, "secret_key": SECRET, "region": "eu-west-2"}, two={"access_key": OTHER, "secret_key": SECRET, "region": "us-east-2"})}, {"OSC_PROFILE": "two"}),
    ("outscale", "an address of its own", {OSC: osc(default={"access_key": KEY, "secret_key": SECRET, "region": "eu-west-2", "endpoints": {"api": "http://127.0.0.1:1/api/v1"}})}, {}),
    ("outscale", "keys of the environment", {}, {"OSC_ACCESS_KEY": OTHER, "OSC_SECRET_KEY": SECRET, "OSC_REGION": "us-west-1"}),
]


def by_aws():
    from awscli.botocore.session import Session

    session = Session()
    client = session.create_client("lightsail")
    return session.get_credentials().access_key, client.meta.region_name, client.meta.endpoint_url


def by_openstacksdk():
    from openstack.config import OpenStackConfig

    chosen = OpenStackConfig().get_one()
    auth = chosen.config["auth"]
    project = auth.get("project_name") or auth.get("project_id")
    return f"{auth.get('username')} of {project}", chosen.region_name, auth["auth_url"]


def by_osc():
    from osc_sdk_python.credentials import Profile

    profile = Profile.from_standard_configuration(None, None)
    return profile.access_key, profile.region, profile.get_endpoint("api")


THEIRS = {"lightsail": by_aws, "rackspace": by_openstacksdk, "outscale": by_osc}


def by_snapexport(cloud, env):
    """From the settings that `doctor` shows; whether the cloud answers is not what is asked."""
    ran = subprocess.run([os.environ["SNAPEXPORT"], "doctor", cloud, "-o", "json"], env=env, capture_output=True, text=True, timeout=60, check=False)
    settings = {}
    for line in ran.stdout.splitlines():
        settings = {one["name"]: one["value"] for one in json.loads(line).get("settings", [])} or settings
    if not settings:
        return ran.stdout + ran.stderr
    address = settings.get("endpoint") or settings.get("identity endpoint")
    return [settings.get("credentials"), settings.get("region"), address]


def tidy(answer):
    """Addresses alike, whether or not they end in a slash, and regions in whichever letters."""
    if not isinstance(answer, list) or None in answer:
        return answer
    who, region, address = answer
    return [who, region.upper(), address.rstrip("/").lower()]


def check(cloud, name, files, variables):
    with tempfile.TemporaryDirectory() as home:
        for path, text in files.items():
            file = Path(home, path)
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text, encoding="utf-8")
            file.chmod(0o600)
        nowhere = "http://127.0.0.1:1"
        env = {"HOME": home, "PATH": os.environ["PATH"], "HTTPS_PROXY": nowhere, "https_proxy": nowhere, **variables}
        ran = subprocess.run([sys.executable, __file__, cloud], env=env, capture_output=True, text=True, timeout=60, check=False)
        theirs = json.loads(ran.stdout) if ran.returncode == 0 else ran.stderr
        ours = by_snapexport(cloud, env)
    if tidy(ours) == tidy(theirs) and isinstance(theirs, list):
        print(f"ok {cloud}: {name}")
    else:
        print(f"FAIL {cloud}: {name}\n    theirs: {theirs}\n    ours:   {ours}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(json.dumps(THEIRS[sys.argv[1]]()))
    else:
        for case in CASES:
            check(*case)
