using Ferry.Cluster.Observed;
using Ferry.Cluster.Sources;

namespace Ferry.Cluster.Inputs.Containers;

/// <summary>The short forms of volumes and ports that docker and compose share.</summary>
internal static class ContainerValues
{
    /// <summary><c>/host:/container[:ro]</c>, <c>name:/container</c>, <c>/container</c>.</summary>
    public static void AddVolume(List<VolumeMount> volumes, SourcedText value, SourceSpan span)
    {
        var parts = value.Value.Split(':');
        if (parts.Length == 1)
        {
            volumes.Add(new VolumeMount("anonymous volume", parts[0], span, false));
            return;
        }
        // "C:\x:/y" is not met on these machines; a ":ro" behind the target is no target.
        volumes.Add(new VolumeMount(parts[0], parts[1], span, true));
    }

    /// <summary><c>type=bind,source=/a,target=/b</c>.</summary>
    public static void AddMount(List<VolumeMount> volumes, SourcedText value, SourceSpan span)
    {
        string type = "volume", source = "", target = "";
        foreach (var part in value.Value.Split(','))
        {
            var pair = part.Split('=', 2);
            var text = pair.Length > 1 ? pair[1] : "";
            switch (pair[0])
            {
                case "type": type = text; break;
                case "source" or "src": source = text; break;
                case "target" or "dst" or "destination": target = text; break;
                default: break;
            }
        }
        if (target.Length > 0) { volumes.Add(new VolumeMount(source.Length > 0 ? source : type, target, span, type != "tmpfs" && source.Length > 0)); }
    }

    /// <summary><c>[address:][hostPort:]containerPort[/protocol]</c>; port ranges and names are left out.</summary>
    public static void AddPort(List<PortMapping> ports, SourcedText value, SourceSpan span)
    {
        var text = value.Value.Split('/')[0];
        var last = text.LastIndexOf(':');
        if (!int.TryParse(text[(last + 1)..], out var container)) { return; }
        var front = last < 0 ? "" : text[..last];
        var middle = front.LastIndexOf(':');
        var host = front[(middle + 1)..];
        var address = middle < 0 ? "" : front[..middle];
        if (host.Contains('.', StringComparison.Ordinal) || host.Contains(']', StringComparison.Ordinal))
        {
            (address, host) = (front, "");
        }
        ports.Add(new PortMapping(address, int.TryParse(host, out var port) ? port : null, container, span));
    }
}
