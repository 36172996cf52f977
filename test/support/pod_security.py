"""The rules for a pod: Pod Security's level restricted, and the additional rules of the CIS and NSA guides."""

VOLUMES = {"configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"}


def findings(pod):
    """Each rule that this pod specification breaks, as a line; none for a good one."""
    out = [f"{name} is set" for name in ("hostNetwork", "hostPID", "hostIPC", "initContainers") if pod.get(name)]
    for volume in pod.get("volumes", []):
        out += [f"volume {volume['name']}: {kind}" for kind in volume.keys() - {"name"} - VOLUMES]
        if volume.get("secret", {}).get("defaultMode", 0o644) & 0o007 and "secret" in volume:
            out.append(f"volume {volume['name']}: its mode lets every user read it")
    if pod.get("serviceAccountName", "default") == "default":
        out.append("serviceAccountName is the default account")
    for container in pod["containers"]:
        out += [f"{container['name']}: {line}" for line in _of_container(pod.get("securityContext", {}), container)]
    return out


def _of_container(pod_context, container):
    context = container.get("securityContext", {})
    both = {**pod_context, **context}
    capabilities = context.get("capabilities", {})
    resources = container.get("resources", {})
    rules = (
        (both.get("runAsNonRoot") is True, "runAsNonRoot is not true"),
        (both.get("runAsUser", 0) != 0, "runAsUser is root or left to the image"),
        (both.get("seccompProfile", {}).get("type") in ("RuntimeDefault", "Localhost"), "no seccompProfile"),
        (not context.get("privileged"), "privileged"),
        (context.get("allowPrivilegeEscalation") is False, "allowPrivilegeEscalation is not false"),
        (context.get("readOnlyRootFilesystem") is True, "the root file system is writable"),
        (capabilities.get("drop") == ["ALL"], "capabilities are not dropped"),
        (not capabilities.get("add"), "capabilities are added"),
        (not any("hostPort" in port for port in container.get("ports", [])), "a hostPort"),
        ({"cpu", "memory"} <= resources.get("limits", {}).keys(), "no limits of CPU and memory"),
        ({"cpu", "memory"} <= resources.get("requests", {}).keys(), "no requests of CPU and memory"),
        (not container.get("env") and not container.get("envFrom"), "something comes by environment: secrets are files"),
        ({"livenessProbe", "readinessProbe"} <= container.keys(), "a probe is missing"),
        (":" in container["image"] and not container["image"].endswith(":latest"), "the image has no tag of its own"),
        (all(mount.get("readOnly") is True for mount in container.get("volumeMounts", [])), "a mount is writable"),
    )
    return [text for holds, text in rules if not holds]
