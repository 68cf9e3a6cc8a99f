using Ferry.Kv.Ucx;

namespace Ferry.Transfer.Host;

/// <summary>What this host has to carry KV with.</summary>
public sealed record HostReport
{
    public required UcxFacts Ucx { get; init; }

    /// <summary>UCX_TLS as set in this environment, read by the release that is there and for the accelerator that is there.</summary>
    public required UcxTls Tls { get; init; }

    /// <summary>What it comes to.</summary>
    public required MediaPlan Plan { get; init; }

    public required IReadOnlyList<RdmaPort> Rdma { get; init; }

    /// <summary>Whether the device files that verbs need are there.</summary>
    public required bool HasVerbsFiles { get; init; }

    public required Accelerators Accelerators { get; init; }

    public required HugePages HugePages { get; init; }

    public required ProcessRights Rights { get; init; }

    public required SharedMemorySpace? SharedMemory { get; init; }

    public required IReadOnlyList<NetworkCard> Network { get; init; }

    public required TcpLimits Tcp { get; init; }

    /// <summary>Errors first.</summary>
    public IReadOnlyList<HostProblem> Problems { get; init; } = [];

    /// <summary>Looks at this machine.</summary>
    /// <param name="ucxTls">UCX_TLS; null when not set.</param>
    /// <param name="readUcx">Asks UCX; not called where it is left out.</param>
    public static HostReport Read(string? ucxTls, MediaPreference preference, HostFiles files, Func<UcxFacts> readUcx)
    {
        var accelerators = Accelerators.Read(files);
        var ucx = preference == MediaPreference.Managed ? new UcxFacts(null, null, "FERRY_TRANSFER=managed leaves it out.", [], []) : readUcx();
        var tls = UcxTls.Parse(ucxTls, ucx.Version, accelerators.Vendor);
        var rdma = RdmaPort.Read(files);
        var report = new HostReport
        {
            Ucx = ucx,
            Tls = tls,
            Plan = MediaPlan.Choose(tls, preference, ucx, rdma.Count > 0),
            Rdma = rdma,
            HasVerbsFiles = files.Names("/dev/infiniband").Any(name => name.StartsWith("uverbs", StringComparison.Ordinal)),
            Accelerators = accelerators,
            HugePages = HugePages.Read(files),
            Rights = ProcessRights.Read(files),
            SharedMemory = SharedMemorySpace.Read(),
            Network = NetworkCard.Read(files),
            Tcp = TcpLimits.Read(files),
        };
        return report with { Problems = [.. HostChecks.Check(report).OrderBy(problem => !problem.IsError)] };
    }
}
