namespace Ferry.Transfer.Ucx;

/// <summary>One of the transports that UCX chose for an endpoint.</summary>
/// <param name="Name">Such as <c>rc_mlx5/mlx5_0:1</c>.</param>
/// <param name="IsForMessages">Messages go by it, and with them what UCX emulates.</param>
internal sealed record UcxLane(string Name, bool IsForMessages)
{
    // RDMA that reads (ud does not), and the kernel's ways into another process's memory.
    private static readonly string[] Readers = ["rc", "dc", "gga", "cma", "knem", "xpmem"];

    /// <summary>Reads a line of ucp_ep_print_info; null for one that is no lane.</summary>
    public static UcxLane? TryParse(string line)
    {
        // "#                 lane[0]:  2:tcp/eth0.0 md[1]        -> md[1]/tcp/sysdev[255] am am_bw#0"
        var words = line.Split(' ', StringSplitOptions.RemoveEmptyEntries);
        var at = Array.FindIndex(words, word => word.StartsWith("lane[", StringComparison.Ordinal));
        return at >= 0 && at + 1 < words.Length && words[at + 1].Split(':', 2) is [_, var name] && name.LastIndexOf('.') is > 0 and var dot
            ? new UcxLane(name[..dot], words.Contains("am"))
            : null;
    }

    /// <summary>
    /// Whether UCX would have the owner's process answer reads of host memory over tcp, whose sends fail as soon as the reader is gone. In shared memory
    /// they do not, and UCX's own way is faster there.
    /// </summary>
    public static bool NeedMessagesToRead(IReadOnlyList<UcxLane> lanes) =>
        lanes.Any(lane => lane.SendsByTcp) && !lanes.Any(lane => Readers.Contains(lane.Transport.Split('_')[0]));

    /// <summary>Messages go by a socket.</summary>
    public bool SendsByTcp => IsForMessages && Transport == "tcp";

    private string Transport => Name.Split('/')[0];
}
