using Ferry.Cluster.Observed;

namespace Ferry.Cluster.Lint.Vllm;

/// <summary>NixlConnector's side channel: where an engine's handshake listener binds, which is also what it tells its peers.</summary>
internal static class SideChannel
{
    public const string HostVariable = "VLLM_NIXL_SIDE_CHANNEL_HOST";
    public const string PortVariable = "VLLM_NIXL_SIDE_CHANNEL_PORT";
    public const int DefaultPort = 5600;

    /// <summary>The port; null when not known.</summary>
    public static int? PortOf(ObservedProcess engine) =>
        engine.Environment.Find(PortVariable) is { } setting ? (int?)setting.Value?.TryLong() : DefaultPort;

    public static bool IsLocal(string host) => host is "localhost" or "::1" || host.StartsWith("127.", StringComparison.Ordinal);

    public static bool IsAny(string host) => host is "0.0.0.0" or "::" or "[::]" or "*";
}
