namespace Ferry.Transfer.Host;

/// <summary>One port of an RDMA device, as /sys/class/infiniband tells of it.</summary>
/// <param name="Device">Such as <c>mlx5_0</c>, as in UCX_NET_DEVICES=mlx5_0:1.</param>
/// <param name="Port">1-based.</param>
/// <param name="State">Such as <c>ACTIVE</c>, <c>DOWN</c>, <c>INIT</c>.</param>
/// <param name="Link">Such as <c>LinkUp</c>, <c>Disabled</c>.</param>
/// <param name="Layer"><c>InfiniBand</c> or <c>Ethernet</c> (RoCE).</param>
/// <param name="Rate">Such as <c>400 Gb/sec (4X NDR)</c>.</param>
/// <param name="Interfaces">Network interfaces of the same card.</param>
public sealed record RdmaPort(string Device, int Port, string State, string Link, string Layer, string Rate, IReadOnlyList<string> Interfaces)
{
    private const string Folder = "/sys/class/infiniband";

    public bool IsActive => State == "ACTIVE";

    /// <summary>Every port of every device.</summary>
    public static IReadOnlyList<RdmaPort> Read(HostFiles files)
    {
        var ports = new List<RdmaPort>();
        foreach (var device in files.Names(Folder))
        {
            var interfaces = files.Names($"{Folder}/{device}/device/net");
            foreach (var port in files.Names($"{Folder}/{device}/ports"))
            {
                var at = $"{Folder}/{device}/ports/{port}";
                ports.Add(new RdmaPort(device, int.TryParse(port, out var number) ? number : 0,
                    AfterNumber(files.TryRead($"{at}/state")), AfterNumber(files.TryRead($"{at}/phys_state")),
                    files.TryRead($"{at}/link_layer") ?? "unknown", files.TryRead($"{at}/rate") ?? "unknown", interfaces));
            }
        }
        return ports;
    }

    // "4: ACTIVE"
    private static string AfterNumber(string? text) => text is null ? "unknown" : text[(text.IndexOf(':', StringComparison.Ordinal) + 1)..].Trim();
}
