"""Nothing reaches a pod but what must, and sockets live as long as an interview."""

from tests.deploy.kubernetes.manifests import ROOT, of_kind, pods, settings


def policies_of(manifests, labels):
    """The policies whose selector takes a pod with these labels."""
    return [each for each in of_kind(manifests, "NetworkPolicy").values() if takes(each["spec"], labels)]


def takes(spec, labels):
    selector = spec["podSelector"]
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(rule["key"]) in rule["values"] for rule in selector.get("matchExpressions", ())
    )


def test_everything_is_denied_by_default(overlay):
    deny = of_kind(overlay, "NetworkPolicy")["deny-by-default"]["spec"]

    assert deny == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}


def test_pods_are_reached_at_their_only_port_and_from_known_namespaces(overlay):
    known = {
        "web": {"gateway", "monitoring"},
        "worker": {"monitoring"},
        "cron": {"monitoring"},
        "manage": set(),
    }
    for pod in pods(overlay).values():
        rules = [
            rule for each in policies_of(overlay, pod.labels) for rule in each["spec"].get("ingress", ())
        ]
        sources = {
            source["namespaceSelector"]["matchLabels"]["kubernetes.io/metadata.name"]
            for rule in rules
            for source in rule["from"]
        }
        named = {port["port"] for rule in rules for port in rule["ports"]}
        assert sources == known[pod.labels["role"]], pod.owner
        assert named == {port["name"] for port in pod.container.get("ports", ())}


def test_every_pod_reaches_what_the_platform_needs_and_no_more(overlay):
    for pod in pods(overlay).values():
        policies = [each for each in policies_of(overlay, pod.labels) if each["spec"].get("egress")]
        assert {each["metadata"]["name"] for each in policies} == {
            "names",
            "stores",
            "outside",
            "observability",
        }, pod.owner


def test_traces_reach_the_collector_and_names_a_cache_on_the_node(overlay):
    policies = of_kind(overlay, "NetworkPolicy")
    (traces,) = policies["observability"]["spec"]["egress"]
    (names,) = policies["names"]["spec"]["egress"]

    assert traces["ports"] == [{"port": 4318, "protocol": "TCP"}]
    assert {"ipBlock": {"cidr": "169.254.20.10/32"}} in names["to"]


def test_pods_cannot_ask_the_metadata_of_the_cloud(overlay):
    outside = of_kind(overlay, "NetworkPolicy")["outside"]["spec"]["egress"]
    blocks = [to["ipBlock"] for rule in outside for to in rule["to"]]

    assert blocks[0] == {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]}


def test_sockets_have_no_time_limit_and_come_first(overlay):
    route = of_kind(overlay, "HTTPRoute")["web"]["spec"]["rules"]
    paths = {match["path"]["value"]: rule for rule in route for match in rule["matches"]}

    assert paths["/ws"]["timeouts"] == {"request": "0s", "backendRequest": "0s"}
    assert "backendRefs" not in paths["/metrics"]


def test_host_is_the_same_everywhere(overlay):
    host = settings(overlay)["ALLOWED_HOSTS"]
    (gateway,) = of_kind(overlay, "Gateway").values()

    assert settings(overlay)["BASE_URL"] == f"https://{host}"
    assert {each["hostname"] for each in gateway["spec"]["listeners"]} == {host}
    assert {
        name for each in of_kind(overlay, "HTTPRoute").values() for name in each["spec"]["hostnames"]
    } == {host}


def test_links_of_a_region_have_its_host(every_overlay):
    """As docs/regions.md says: what a page asks for beside its link is led by the host alone."""
    region = settings(every_overlay["region"])
    written = f"{region['BASE_URL']}/i/{region['REGION']}~TOKEN/"

    assert written in (ROOT / "docs" / "regions.md").read_text()
