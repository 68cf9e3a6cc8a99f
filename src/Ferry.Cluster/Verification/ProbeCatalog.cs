using Ferry.Cluster.Verification.Probes;

namespace Ferry.Cluster.Verification;

/// <summary>Every probe, one line each, in the order of the report.</summary>
internal static class ProbeCatalog
{
    public static IReadOnlyList<IProbe> All { get; } =
    [
        new EnvironmentProbe(),
        new HealthProbe(),
        new ModelsProbe(),
        new VersionProbe(),
        new SideChannelProbe(),
        new ExchangeProbe(),
        new RouterProbe(),
        new RdmaProbe(),
        new S3Probe(),
        new RedisProbe(),
        new DirectoryProbe(),
        new DiskSpaceProbe(),
        new MemlockProbe(),
        new ClockProbe(),
        new LogProbe(),
        new ProofOfTransferProbe(),
    ];
}
