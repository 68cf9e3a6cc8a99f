using Ferry.Kv.Text;
using Ferry.Kv.Ucx;

namespace Ferry.Transfer.Host;

/// <summary>What is wrong with a host, and how it is put right.</summary>
internal static class HostChecks
{
    // A 100 Gb/s link with 0.5 ms there and back holds 6 MiB: what a stock kernel's tuning grows to.
    private const long TunedBytesMin = 4 << 20;

    // Arenas are locked whole; what an exchange keeps by default.
    private const long LockedBytesMin = 1L << 30;

    // Docker's default for /dev/shm.
    private const long SharedBytesMin = 64 << 20;

    private const long FastMegabits = 25_000;
    private const long JumboMtu = 4200;

    private static readonly UcxVersion FastProtocols = new(1, 16);
    private static readonly UcxVersion NixlInterop = new(1, 19);

    public static IEnumerable<HostProblem> Check(HostReport host) =>
        [.. Selection(host), .. Library(host), .. Rdma(host), .. Devices(host), .. Memory(host), .. Network(host)];

    private static IEnumerable<HostProblem> Selection(HostReport host)
    {
        foreach (var error in host.Plan.Errors)
        {
            yield return new HostProblem("UCX_TLS", true, error, host.Tls.HasErrors ? "Correct UCX_TLS." : $"UCX_TLS={MediaPlan.FallBack}");
        }
        foreach (var problem in host.Tls.Problems.Where(problem => !problem.IsError))
        {
            yield return new HostProblem("UCX_TLS", false, problem.Text, problem.Kind == UcxTlsProblemKind.NoMessages ? $"UCX_TLS={host.Tls},tcp" : "Leave the name out, or install a release that has it.");
        }
    }

    private static IEnumerable<HostProblem> Library(HostReport host)
    {
        if (host.Ucx.Version is not { } version)
        {
            if (host.Rdma.Count > 0)
            {
                yield return new HostProblem("UCX", true, "This host has RDMA devices and no UCX to use them: " + host.Ucx.Reason, "apt-get install libucx0");
            }
            yield break;
        }
        if (host.Ucx.Resources.Count == 0)
        {
            yield return new HostProblem("UCX", true, $"UCX {host.Ucx.Release} was loaded and does not start: {host.Ucx.Reason}", "See UCX's own lines on stderr.");
        }
        if (version < FastProtocols && host.Plan.Media.Contains("ucx"))
        {
            yield return new HostProblem("UCX", false, $"UCX {host.Ucx.Release} has the first protocols only; from {FastProtocols} on writes over tcp are 3 to 4 times as fast.",
                $"Install UCX {FastProtocols} or later and name it: FERRY_UCX_LIB=/opt/ucx/lib/libucp.so.0");
        }
        if (version < NixlInterop && host.Plan.Media.Contains("ucx"))
        {
            yield return new HostProblem("UCX", false, $"UCX {host.Ucx.Release} and NIXL's own (1.19 or later) do not understand each other's addresses.",
                "For a NIXL peer run the same release on both nodes.");
        }
    }

    private static IEnumerable<HostProblem> Rdma(HostReport host)
    {
        foreach (var port in host.Rdma.Where(port => !port.IsActive))
        {
            yield return new HostProblem("RDMA", false, $"{port.Device}:{port.Port} is {port.State} ({port.Link}).", port.Layer == "InfiniBand"
                ? "Look at cable and switch; an InfiniBand fabric also needs a subnet manager (opensm)."
                : "Look at cable and switch; `ip link set … up` for its interface.");
        }
        if (host.Rdma.Count > 0 && !host.HasVerbsFiles)
        {
            yield return new HostProblem("RDMA", true, "The RDMA devices of this host are not given to this container: /dev/infiniband has no uverbs files.",
                "docker run --device=/dev/infiniband --cap-add=IPC_LOCK --ulimit memlock=-1 …");
        }
        if (host.Rdma.Count > 0 && host.Rights is { MayLockAny: false, LockedBytesMax: { } limit and < LockedBytesMin })
        {
            yield return new HostProblem("memory", true, $"RDMA locks the memory that it reaches, and this process may lock {ByteSize.Format(limit)}.",
                "ulimit -l unlimited; docker run --ulimit memlock=-1; LimitMEMLOCK=infinity in a systemd unit");
        }
    }

    private static IEnumerable<HostProblem> Devices(HostReport host)
    {
        if (host.Accelerators.Vendor is UcxVendor.Any || host.Ucx.Version is not { } version)
        {
            yield break;
        }
        var wanted = UcxNames.Transports.Where(one => one.Kind == UcxTransportKind.Accelerator && one.Vendor == host.Accelerators.Vendor).Select(one => one.Name).ToArray();
        if (!host.Ucx.Resources.Any(resource => wanted.Contains(UcxFacts.NameOf(resource))))
        {
            yield return new HostProblem("accelerator", false,
                $"UCX {host.Ucx.Release} has no transport for {string.Join(", ", host.Accelerators.Devices.Take(2))}: KV must be handed over from host memory.",
                host.Accelerators.Vendor == UcxVendor.Gaudi && version < new UcxVersion(1, 21)
                    ? "kv_buffer_device=cpu, or UCX 1.21 or later built with --with-gaudi (package ucx-gaudi)"
                    : "kv_buffer_device=cpu, or a UCX built for the accelerator, named with FERRY_UCX_LIB");
        }
    }

    private static IEnumerable<HostProblem> Memory(HostReport host)
    {
        if (!host.Rights.MayReadOthers && host.Plan.Media.Any(medium => medium is "shm" or "ucx"))
        {
            yield return new HostProblem("memory", false,
                $"kernel.yama.ptrace_scope is {host.Rights.PtraceScope}: processes may not read each other's memory, so only arenas in memfds are shared between them.",
                host.Rights.PtraceScope == 1 ? "sysctl kernel.yama.ptrace_scope=0, or docker run --cap-add=SYS_PTRACE" : "docker run --cap-add=SYS_PTRACE; 3 is lifted by a reboot only");
        }
        if (host.SharedMemory is { TotalBytes: <= SharedBytesMin } space && host.Plan.Media.Contains("ucx"))
        {
            yield return new HostProblem("memory", false, $"/dev/shm has {ByteSize.Format(space.TotalBytes)}: UCX's posix transport fills it soon.", "docker run --ipc=host, or --shm-size=8g");
        }
        if (host.HugePages is { Transparent: "never", Reserved: 0 })
        {
            yield return new HostProblem("memory", false, "Large pages are switched off: reading another process's arena takes about twice as long in pages of 4 KiB.",
                "echo madvise > /sys/kernel/mm/transparent_hugepage/enabled");
        }
    }

    private static IEnumerable<HostProblem> Network(HostReport host)
    {
        foreach (var card in host.Network.Where(card => card is { IsUp: true, IsLoopback: false, Megabits: >= FastMegabits, Mtu: < JumboMtu }))
        {
            yield return new HostProblem("network", false, $"{card.Name} has {card.Megabits / 1000} Gb/s and packets of {card.Mtu} bytes: a core is busy with packets before the link is full.",
                $"ip link set {card.Name} mtu 9000, on every host and switch of the network");
        }
        if (host.Tcp.ReceiveTunedMax is < TunedBytesMin || host.Tcp.SendTunedMax is < TunedBytesMin)
        {
            yield return new HostProblem("network", false,
                $"A connection's buffers grow to {ByteSize.Format(Math.Min(host.Tcp.ReceiveTunedMax ?? long.MaxValue, host.Tcp.SendTunedMax ?? long.MaxValue))} only, too little for a fast link with some delay.",
                "sysctl -w net.ipv4.tcp_rmem='4096 131072 16777216' net.ipv4.tcp_wmem='4096 131072 16777216'");
        }
        if (!host.Network.Any(card => card is { IsUp: true, IsLoopback: false }))
        {
            yield return new HostProblem("network", false, "No interface but loopback is up: other hosts are not reached.", "docker run --net=host, or look at `ip link`");
        }
    }
}
