using Ferry.Kv.Ucx;
using Ferry.Transfer.Host;
using Xunit;

namespace Ferry.UnitTests.Transfer.Host;

public sealed class HostReportTests
{
    private static readonly UcxFacts NoUcx = new(null, null, "libucp.so.0 is not on this machine.", [], []);
    private static readonly UcxFacts Fabric = new("1.13.1", "libucp.so.0", "", ["tcp/eth0", "rc_mlx5/mlx5_0:1"], ["host"]);

    [Fact]
    public void Read_RdmaHost_TellsEveryPortAndItsState()
    {
        using var host = new FakeHost().AddRdma("mlx5_0", "4: ACTIVE").AddRdma("mlx5_1", "1: DOWN", "Ethernet", "eth2").Add("/dev/infiniband/uverbs0").AddLimits("unlimited");
        var report = Read(host, null, Fabric);

        Assert.Equal(["mlx5_0", "mlx5_1"], report.Rdma.Select(port => port.Device));
        Assert.Equal(("ACTIVE", "LinkUp", "InfiniBand", "400 Gb/sec (4X NDR)"), (report.Rdma[0].State, report.Rdma[0].Link, report.Rdma[0].Layer, report.Rdma[0].Rate));
        Assert.Equal(["eth2"], report.Rdma[1].Interfaces);
        Assert.True(report.HasVerbsFiles);
        Assert.Contains(report.Problems, problem => problem is { IsError: false } && problem.Text == "mlx5_1:1 is DOWN (Polling).");
        Assert.DoesNotContain(report.Problems, problem => problem.IsError);
        Assert.Equal("ucx", report.Plan.Media[0]);
    }

    [Fact]
    public void Read_ContainerWithoutItsDevices_SaysWhichFlagsItLacks()
    {
        using var host = new FakeHost().AddRdma("mlx5_0", "4: ACTIVE").AddLimits("65536");
        var report = Read(host, null, Fabric);
        Assert.Equal(65536, report.Rights.LockedBytesMax);
        Assert.Contains(report.Problems, problem => problem.IsError && problem.Fix.Contains("--device=/dev/infiniband", StringComparison.Ordinal));
        Assert.Contains(report.Problems, problem => problem.IsError && problem.Fix.Contains("memlock=-1", StringComparison.Ordinal) && problem.Text.Contains("64 KiB", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_LockCapability_LetsTheLimitNotCount()
    {
        using var host = new FakeHost().AddRdma("mlx5_0", "4: ACTIVE").Add("/dev/infiniband/uverbs0").AddLimits("65536", "0000000000004000");
        var report = Read(host, null, Fabric);
        Assert.True(report.Rights.MayLockAny);
        Assert.DoesNotContain(report.Problems, problem => problem.IsError);
    }

    [Fact]
    public void Read_RdmaHostWithoutUcx_MustInstallIt()
    {
        using var host = new FakeHost().AddRdma("mlx5_0", "4: ACTIVE").Add("/dev/infiniband/uverbs0").AddLimits("unlimited");
        Assert.Contains(Read(host, null, NoUcx).Problems, problem => problem.IsError && problem.Fix == "apt-get install libucx0");
    }

    [Theory]
    [InlineData(null, "0000000000000000", true)]
    [InlineData("0", "0000000000000000", true)]
    [InlineData("1", "0000000000000000", false)]
    [InlineData("2", "0000000000000000", false)]
    [InlineData("1", "0000000000080000", true)]
    public void Read_Yama_DecidesWhetherOthersMayBeRead(string? scope, string capabilities, bool may)
    {
        using var host = new FakeHost().AddLimits("unlimited", capabilities);
        if (scope is not null)
        {
            host.Add("/proc/sys/kernel/yama/ptrace_scope", scope);
        }
        var report = Read(host, null, NoUcx);
        Assert.Equal(may, report.Rights.MayReadOthers);
        Assert.Equal(!may, report.Problems.Any(problem => problem.Text.Contains("ptrace_scope", StringComparison.Ordinal)));
    }

    [Fact]
    public void Read_MemoryAndTcp_AreReadFromTheKernelsForms()
    {
        using var host = new FakeHost().Add("/sys/kernel/mm/transparent_hugepage/enabled", "always madvise [never]")
            .Add("/proc/meminfo", "MemTotal:  1 kB\nHugePages_Total:       0\nHugePages_Free:        0\nHugepagesize:       2048 kB")
            .Add("/proc/sys/net/core/rmem_max", "212992").Add("/proc/sys/net/ipv4/tcp_rmem", "4096\t131072\t1048576").Add("/proc/sys/net/ipv4/tcp_congestion_control", "bbr");
        var report = Read(host, null, NoUcx);
        Assert.Equal(new HugePages("never", 0, 0, 2 << 20), report.HugePages);
        Assert.Equal((212992L, 1048576L, "bbr"), (report.Tcp.ReceiveBytesMax, report.Tcp.ReceiveTunedMax, report.Tcp.CongestionControl));
        Assert.Contains(report.Problems, problem => problem.Fix.Contains("transparent_hugepage", StringComparison.Ordinal));
        Assert.Contains(report.Problems, problem => problem.Fix.Contains("tcp_rmem", StringComparison.Ordinal));
    }

    [Fact]
    public void Read_FastCardWithSmallPackets_IsToldOfJumboFrames()
    {
        using var host = new FakeHost().Add("/sys/class/net/eth9/mtu", "1500").Add("/sys/class/net/eth9/speed", "200000").Add("/sys/class/net/eth9/operstate", "up").Add("/sys/class/net/eth9/type", "1")
            .Add("/sys/class/net/lo/mtu", "65536").Add("/sys/class/net/lo/operstate", "unknown").Add("/sys/class/net/lo/type", "772");
        var report = Read(host, null, NoUcx);
        Assert.True(report.Network.Single(card => card.Name == "lo").IsLoopback);
        Assert.Contains(report.Problems, problem => problem.Fix.StartsWith("ip link set eth9 mtu 9000", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/dev/kfd", UcxVendor.Amd)]
    [InlineData("/dev/hl0", UcxVendor.Gaudi)]
    [InlineData("/dev/nvidiactl", UcxVendor.Nvidia)]
    public void Read_Accelerator_IsKnownByItsDeviceFileAndJudgesUcxTls(string device, UcxVendor vendor)
    {
        using var host = new FakeHost().Add(device).AddLimits("unlimited");
        var report = Read(host, "tcp,cuda_copy", Fabric);
        Assert.Equal(vendor, report.Accelerators.Vendor);
        Assert.Equal(vendor != UcxVendor.Nvidia, report.Problems.Any(problem => problem.IsError && problem.Topic == "UCX_TLS"));
        Assert.Contains(report.Problems, problem => problem.Topic == "accelerator");
    }

    [Fact]
    public void Read_EmptyHost_IsAReportAndNoCrash()
    {
        using var host = new FakeHost();
        var report = Read(host, null, NoUcx);
        Assert.Empty(report.Rdma);
        Assert.Null(report.HugePages.Transparent);
        Assert.Contains(report.Problems, problem => problem.Topic == "network");
    }

    [Fact]
    public void Read_ManagedOnly_DoesNotLoadUcx()
    {
        using var host = new FakeHost();
        var report = HostReport.Read("tcp", MediaPreference.Managed, host.Files, () => throw new InvalidOperationException("UCX was asked."));
        Assert.Equal(["tcp"], report.Plan.Media);
    }

    private static HostReport Read(FakeHost host, string? tls, UcxFacts ucx) => HostReport.Read(tls, MediaPreference.Auto, host.Files, () => ucx);
}
