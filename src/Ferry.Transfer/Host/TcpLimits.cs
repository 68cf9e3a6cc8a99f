using System.Globalization;

namespace Ferry.Transfer.Host;

/// <summary>How large the kernel lets the buffers of TCP connections grow.</summary>
/// <param name="ReceiveBytesMax">net.core.rmem_max: what an explicit SO_RCVBUF is cut to.</param>
/// <param name="SendBytesMax">net.core.wmem_max.</param>
/// <param name="ReceiveTunedMax">Third of net.ipv4.tcp_rmem: what the kernel's own tuning grows to.</param>
/// <param name="SendTunedMax">Third of net.ipv4.tcp_wmem.</param>
/// <param name="CongestionControl">Such as <c>cubic</c>, <c>bbr</c>.</param>
public sealed record TcpLimits(long? ReceiveBytesMax, long? SendBytesMax, long? ReceiveTunedMax, long? SendTunedMax, string? CongestionControl)
{
    public static TcpLimits Read(HostFiles files) => new(
        files.TryReadNumber("/proc/sys/net/core/rmem_max"),
        files.TryReadNumber("/proc/sys/net/core/wmem_max"),
        Third(files.TryRead("/proc/sys/net/ipv4/tcp_rmem")),
        Third(files.TryRead("/proc/sys/net/ipv4/tcp_wmem")),
        files.TryRead("/proc/sys/net/ipv4/tcp_congestion_control"));

    private static long? Third(string? text) =>
        text?.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries) is [_, _, var third]
        && long.TryParse(third, NumberStyles.None, CultureInfo.InvariantCulture, out var bytes) ? bytes : null;
}
