"""Every setting of the manifests is one that the platform reads."""

import re

from django.core.management import get_commands, load_command_class

from tests.deploy.kubernetes.manifests import ROOT, of_kind, pods, settings

OF_KEDA = {"REDIS_ADDRESS", "REDIS_PASSWORD"}


def documented():
    """The names in docs/configuration.md."""
    rows = re.findall(r"^\| (`[^|]*) \|", (ROOT / "docs" / "configuration.md").read_text(), re.MULTILINE)
    return {name for row in rows for name in re.findall(r"`([A-Z0-9_]+)`", row)}


def test_settings_are_documented(overlay):
    own = {
        each["name"].removesuffix("_FILE")
        for pod in pods(overlay).values()
        for c in pod.every_container
        for each in c.get("env", ())
    }
    secret = {name for each in of_kind(overlay, "Secret").values() for name in each["data"]}
    named = {name.removesuffix("_FILE") for name in settings(overlay)}

    assert (named | own | secret) - OF_KEDA <= documented()


def test_commands_and_their_options_are_known(overlay):
    for pod in pods(overlay).values():
        args = pod.container["args"]
        if "manage.py" in args:
            _, _, name, *options = args
            command = load_command_class(get_commands()[name], name)
            command.create_parser("manage.py", name).parse_args(options)
