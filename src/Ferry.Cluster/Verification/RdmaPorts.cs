using System.Globalization;
using System.Text.RegularExpressions;

namespace Ferry.Cluster.Verification;

/// <summary>Reads what /sys/class/infiniband, <c>rdma link</c> and <c>ibstat</c> say of ports.</summary>
internal static partial class RdmaPorts
{
    /// <summary>Prints one line a port: device|port|state|physical state|link layer|rate.</summary>
    public static IReadOnlyList<string> SysCommand { get; } =
    [
        "sh", "-c",
        "for p in /sys/class/infiniband/*/ports/*; do [ -e $p/state ] || continue; d=${p#/sys/class/infiniband/}; printf '%s|%s|%s|%s|%s|%s\\n' ${d%%/*} ${p##*/} \"$(cat $p/state)\" \"$(cat $p/phys_state)\" \"$(cat $p/link_layer)\" \"$(cat $p/rate)\"; done",
    ];

    /// <summary>Lines of <see cref="SysCommand"/>: <c>mlx5_0|1|4: ACTIVE|5: LinkUp|Ethernet|400 Gb/sec (4X NDR)</c>.</summary>
    public static IReadOnlyList<RdmaPort> ParseSys(string text) =>
    [
        .. text.Split('\n').Select(line => line.Trim().Split('|')).Where(fields => fields.Length == 6 && int.TryParse(fields[1], NumberStyles.None, CultureInfo.InvariantCulture, out _))
            .Select(fields => new RdmaPort(fields[0], int.Parse(fields[1], CultureInfo.InvariantCulture), AfterColon(fields[2]).ToUpperInvariant(), AfterColon(fields[3]), fields[4].Trim(), fields[5].Trim())),
    ];

    /// <summary>Lines of <c>rdma link</c>: <c>link mlx5_0/1 state ACTIVE physical_state LINK_UP netdev ens1f0</c>.</summary>
    public static IReadOnlyList<RdmaPort> ParseRdmaLink(string text) =>
    [
        .. RdmaLink().Matches(text).Select(match => new RdmaPort(
            match.Groups["device"].Value, int.Parse(match.Groups["port"].Value, CultureInfo.InvariantCulture), match.Groups["state"].Value.ToUpperInvariant(), match.Groups["physical"].Value, "", "")),
    ];

    /// <summary>The blocks of <c>ibstat</c>: CA 'mlx5_0' … Port 1: … State: Active … Physical state: LinkUp … Rate: 400 … Link layer: InfiniBand.</summary>
    public static IReadOnlyList<RdmaPort> ParseIbstat(string text)
    {
        var ports = new List<RdmaPort>();
        var device = "";
        foreach (var line in text.Split('\n').Select(line => line.Trim()))
        {
            if (line.StartsWith("CA '", StringComparison.Ordinal))
            {
                device = line[4..].TrimEnd('\'');
            }
            else if (line.StartsWith("Port ", StringComparison.Ordinal) && int.TryParse(line[5..].TrimEnd(':'), NumberStyles.None, CultureInfo.InvariantCulture, out var port))
            {
                ports.Add(new RdmaPort(device, port, "", "", "", ""));
            }
            else if (ports.Count > 0 && ports[^1].Device == device && line.IndexOf(':', StringComparison.Ordinal) is var colon and > 0)
            {
                var value = line[(colon + 1)..].Trim();
                ports[^1] = line[..colon] switch
                {
                    "State" => ports[^1] with { State = value.ToUpperInvariant() },
                    "Physical state" => ports[^1] with { PhysicalState = value },
                    "Rate" => ports[^1] with { Rate = $"{value} Gb/s" },
                    "Link layer" => ports[^1] with { LinkLayer = value },
                    _ => ports[^1],
                };
            }
        }
        return ports;
    }

    private static string AfterColon(string text) => text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();

    [GeneratedRegex(@"^link (?<device>[\w.-]+)/(?<port>\d{1,3}) state (?<state>\w+)(?: physical_state (?<physical>\w+))?", RegexOptions.Multiline | RegexOptions.CultureInvariant)]
    private static partial Regex RdmaLink();
}
