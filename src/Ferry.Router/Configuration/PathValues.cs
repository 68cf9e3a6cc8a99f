using System.Net;
using Ferry.Router.Connectors;

namespace Ferry.Router.Configuration;

/// <summary>Values that only the request path has.</summary>
internal static class PathValues
{
    private const StringSplitOptions Trimmed = StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries;

    /// <summary>Networks, or single addresses, comma-separated.</summary>
    public static SettingValue<IReadOnlyList<IPNetwork>> Networks { get; } = new(
        "NETWORKS", "networks or addresses, for example 10.0.0.0/8,127.0.0.1", "be networks or addresses", TryNetworks, networks => string.Join(",", networks), _ => true);

    /// <summary>URL=ENGINE_ID@HOST:PORT, with /TP and /TP/PP where those are not 1.</summary>
    public static SettingValue<IReadOnlyList<PushTarget>> PushTargets { get; } = new(
        "TARGETS", "a list of URL=ENGINE_ID@HOST:PORT or URL=ENGINE_ID@HOST:PORT/TP/PP, comma-separated", "name ports 1..65535 and sizes 1..1024", TryTargets,
        targets => string.Join(",", targets.Select(target => $"{target.Node.GetLeftPart(UriPartial.Authority)}={target.EngineId}@{target.Host}:{target.Port}/{target.TensorParallelSize}/{target.PipelineParallelSize}")),
        targets => targets.All(target => target.Port is > 0 and <= 65_535 && target.TensorParallelSize is > 0 and <= 1024 && target.PipelineParallelSize is > 0 and <= 1024));

    private static bool TryNetworks(string text, out IReadOnlyList<IPNetwork> value)
    {
        var networks = new List<IPNetwork>();
        value = networks;
        foreach (var one in text.Split(',', Trimmed))
        {
            if (IPNetwork.TryParse(one, out var network))
            {
                networks.Add(network);
            }
            else if (IPAddress.TryParse(one, out var address))
            {
                networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            }
            else
            {
                return false;
            }
        }
        return true;
    }

    private static bool TryTargets(string text, out IReadOnlyList<PushTarget> value)
    {
        var targets = new List<PushTarget>();
        value = targets;
        foreach (var one in text.Split(',', Trimmed))
        {
            var (node, rest) = Cut(one, one.IndexOf('='));
            var (engine, place) = Cut(rest, rest.LastIndexOf('@'));
            var parts = place.Split('/');
            var (host, port) = Cut(parts[0], parts[0].LastIndexOf(':'));
            if (!Uri.TryCreate(node, UriKind.Absolute, out var address) || engine.Length == 0 || host.Length == 0 || parts.Length > 3
                || !TryNumber(port, out var portNumber) || !TryNumber(parts.ElementAtOrDefault(1) ?? "1", out var tensor) || !TryNumber(parts.ElementAtOrDefault(2) ?? "1", out var pipeline))
            {
                return false;
            }
            targets.Add(new PushTarget(address, engine, host, portNumber, tensor, pipeline));
        }
        return true;
    }

    private static (string Left, string Right) Cut(string text, int at) => at < 0 ? (text, "") : (text[..at], text[(at + 1)..]);

    private static bool TryNumber(string text, out int number) => int.TryParse(text, System.Globalization.NumberStyles.None, System.Globalization.CultureInfo.InvariantCulture, out number);
}
