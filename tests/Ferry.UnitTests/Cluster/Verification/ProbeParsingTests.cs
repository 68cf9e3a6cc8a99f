using Ferry.Cluster.Verification;
using Ferry.Cluster.Verification.Access;
using Ferry.Cluster.Verification.Probes;
using Xunit;

namespace Ferry.UnitTests.Cluster.Verification;

public sealed class ProbeParsingTests
{
    [Fact]
    public void Ports_OfSysRdmaAndIbstat_SayTheSame()
    {
        var sys = RdmaPorts.ParseSys("mlx5_0|1|4: ACTIVE|5: LinkUp|Ethernet|400 Gb/sec (4X NDR)\nmlx5_1|1|1: DOWN|3: Disabled|InfiniBand|40 Gb/sec\nnonsense\n");
        Assert.Equal(["mlx5_0:1", "mlx5_1:1"], sys.Select(port => port.Name));
        Assert.Equal([true, false], sys.Select(port => port.IsActive));

        var link = RdmaPorts.ParseRdmaLink("link mlx5_0/1 state ACTIVE physical_state LINK_UP netdev ens1f0np0\nlink rocep1s0/1 state DOWN physical_state DISABLED\n");
        Assert.Equal([("mlx5_0:1", true), ("rocep1s0:1", false)], link.Select(port => (port.Name, port.IsActive)));

        var ibstat = RdmaPorts.ParseIbstat("CA 'mlx5_0'\n\tCA type: MT4129\n\tNumber of ports: 1\n\tPort 1:\n\t\tState: Active\n\t\tPhysical state: LinkUp\n\t\tRate: 400\n\t\tLink layer: InfiniBand\nCA 'mlx5_1'\n\tPort 1:\n\t\tState: Down\n");
        Assert.Equal([("mlx5_0:1", true, "InfiniBand"), ("mlx5_1:1", false, "")], ibstat.Select(port => (port.Name, port.IsActive, port.LinkLayer)));
    }

    [Fact]
    public void Listing_OfAContainersProcesses_GivesCommandEnvironmentAndLimits()
    {
        const string Listing = "\u001E1\u001Dvllm\0serve\0m\0\u001DUCX_TLS=rc,sm\0EMPTY=\0UCX_TLS=second\0\u001DMax locked memory         8388608              8388608              bytes\n\u001E7\u001DVLLM::Worker_TP0\u001D\u001D\u001E9\u001D\u001D\u001D\u001E12\u001Dsh\0-c\0for p in /proc/[0-9]*; do\0\u001DA=1\0\u001D";
        var processes = ProcessListing.Parse(Listing);
        Assert.Equal([1, 7], processes.Select(process => process.Id));
        Assert.Equal("rc,sm", processes[0].Environment!["UCX_TLS"]);
        Assert.Null(processes[1].Environment);
        Assert.Equal("8388608", MemlockProbe.SoftLimit(processes[0].Limits));
    }

    [Theory]
    [InlineData("Filesystem     1024-blocks      Used Available Capacity Mounted on\n/dev/vda1        103081248  41234567  61846681      41% /\n", 103081248L << 10, 61846681L << 10)]
    [InlineData("Filesystem 1024-blocks Used Available Capacity Mounted on\nmon1,mon2:/ a share 1000 10 990 1% /mnt/kv\n", 1000L << 10, 990L << 10)]
    public void Df_OfAFileSystem_GivesSizeAndFree(string text, long size, long free) => Assert.Equal((size, free), DiskSpaceProbe.ParseDf(text));

    [Fact]
    public void Df_OfNothing_IsNull() => Assert.Null(DiskSpaceProbe.ParseDf("df: /x: No such file or directory\n"));

    [Theory]
    [InlineData("1772449449.123456789\n", 1772449449123L, 1)]
    [InlineData("1772449449.%N\n", 1772449449000L, 1000)]
    [InlineData("1772449449\n", 1772449449000L, 1000)]
    public void Date_OfAnyUserland_IsReadToWhatItSays(string text, long milliseconds, int resolution)
    {
        Assert.Equal(milliseconds, ClockProbe.ParseDate(text, out var step)!.Value.ToUnixTimeMilliseconds());
        Assert.Equal(resolution, step.TotalMilliseconds);
    }

    [Theory]
    [InlineData("")]
    [InlineData("date: invalid")]
    [InlineData("99999999999999999999")]
    [InlineData("253402300800")]
    public void Date_OfNothing_IsNull(string text) => Assert.Null(ClockProbe.ParseDate(text, out _));

    [Fact]
    public void Report_OfManyVerdicts_IsAsBadAsTheWorst()
    {
        Assert.Equal(2, new VerifyReport([]).ExitCode);
        Assert.Equal(0, Report(ProbeVerdict.Pass).ExitCode);
        Assert.Equal(1, Report(ProbeVerdict.Pass, ProbeVerdict.Unsupported, ProbeVerdict.Inconclusive, ProbeVerdict.Violation).ExitCode);
        Assert.Equal(2, Report(ProbeVerdict.Unsupported, ProbeVerdict.Inconclusive).ExitCode);
        Assert.Equal(3, Report(ProbeVerdict.Pass, ProbeVerdict.Unsupported).ExitCode);
    }

    private static VerifyReport Report(params ProbeVerdict[] verdicts) => new([.. verdicts.Select(verdict => new ProbeResult("p", "t", "x", verdict, "", "", TimeSpan.Zero))]);
}
