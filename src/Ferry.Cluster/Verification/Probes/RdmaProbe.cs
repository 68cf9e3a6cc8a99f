using Ferry.Cluster.Spec;

namespace Ferry.Cluster.Verification.Probes;

/// <summary>Where RDMA carries KV, each engine sees its devices, and their links are up.</summary>
internal sealed class RdmaProbe : IProbe
{
    public string Id => "rdma";

    public string Title => "RDMA devices are visible and their links up";

    public IEnumerable<ProbeTask> Tasks(VerifyCluster cluster) => cluster.Spec.Transport.Kind == TransportKind.Tcp
        ? []
        : cluster.Engines.Select(engine => new ProbeTask(engine.Name, token => RunAsync(cluster.Spec.Transport, engine, token)));

    private static async Task<ProbeAnswer> RunAsync(TransportSpec transport, VerifyTarget engine, CancellationToken cancellationToken)
    {
        var ports = await ReadAsync(engine, cancellationToken);
        if (ports.Count == 0)
        {
            return ProbeAnswer.Violation($"no RDMA device is visible in {engine.Access.Description}, and transport.kind is {transport.Kind.ToString().ToLowerInvariant()}.",
                "docker run --device=/dev/infiniband --cap-add=IPC_LOCK --ulimit memlock=-1; on the host: rdma link. Until then transport.kind: tcp.");
        }
        var wanted = transport.Devices.Count == 0 ? ports : ports.Where(port => transport.Devices.Contains(port.Name) || transport.Devices.Contains(port.Device)).ToList();
        var wrong = wanted.Where(port => !port.IsActive).Select(port => $"{port}: not active").ToList();
        wrong.AddRange(transport.Devices.Where(device => !ports.Any(port => port.Name == device || port.Device == device)).Select(device => $"{device} of transport.devices is not there (there are {string.Join(", ", ports.Select(port => port.Name))})"));
        var layer = transport.Kind == TransportKind.Roce ? "Ethernet" : "InfiniBand";
        wrong.AddRange(wanted.Where(port => port.LinkLayer.Length > 0 && port.LinkLayer != layer).Select(port => $"{port.Name} is {port.LinkLayer}, and transport.kind wants {layer}"));
        return ProbeAnswer.Of(wrong, string.Join(", ", wanted), "Check cable and switch port (`ip link`, `ibstat`); on InfiniBand a subnet manager must run.");
    }

    /// <summary>/sys where there is a shell, else the tools of rdma-core.</summary>
    private static async Task<IReadOnlyList<RdmaPort>> ReadAsync(VerifyTarget engine, CancellationToken cancellationToken)
    {
        var sys = await engine.Access.RunAsync(RdmaPorts.SysCommand, cancellationToken);
        if (RdmaPorts.ParseSys(sys.Output) is { Count: > 0 } fromSys)
        {
            return fromSys;
        }
        var link = await engine.Access.RunAsync(["rdma", "link"], cancellationToken);
        return RdmaPorts.ParseRdmaLink(link.Output) is { Count: > 0 } fromLink
            ? fromLink
            : RdmaPorts.ParseIbstat((await engine.Access.RunAsync(["ibstat"], cancellationToken)).Output);
    }
}
