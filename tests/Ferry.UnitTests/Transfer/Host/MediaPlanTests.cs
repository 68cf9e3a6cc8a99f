using Ferry.Kv.Ucx;
using Ferry.Transfer.Host;
using Xunit;

namespace Ferry.UnitTests.Transfer.Host;

public sealed class MediaPlanTests
{
    private static readonly UcxFacts None = new(null, null, "libucp.so.0 is not on this machine.", [], []);
    private static readonly UcxFacts Plain = new("1.13.1", "libucp.so.0", "", ["posix/memory", "sysv/memory", "self/memory", "tcp/eth0", "tcp/lo", "cma/memory"], ["host"]);
    private static readonly UcxFacts Fabric = Plain with { Resources = [.. Plain.Resources, "rc_mlx5/mlx5_0:1", "ud_mlx5/mlx5_0:1", "rocm_copy/rocm_cpy"] };

    [Theory]
    [InlineData(null, "shm tcp self")]
    [InlineData("all", "shm tcp self")]
    [InlineData("tcp,sm,self", "shm tcp self")]
    [InlineData("tcp", "tcp")]
    [InlineData("self", "self")]
    [InlineData("sm,self", "shm self")]
    [InlineData("^sm", "tcp self")]
    [InlineData("rc,tcp,self", "tcp self")]
    [InlineData("\\cma,\\tcp", "shm tcp")]
    public void Choose_WithoutUcx_SelectsTheManagedMedia(string? tls, string media)
    {
        var plan = Choose(tls, None);
        Assert.Empty(plan.Errors);
        Assert.Equal(media, string.Join(' ', plan.Media));
        Assert.Contains(tls is null ? "UCX_TLS is not set" : $"UCX_TLS={tls}", plan.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("rc,rocm,sm,self")]
    [InlineData("rc,gaudi,sm,self")]
    [InlineData("rc,sm,self")]
    [InlineData("rc")]
    [InlineData("ib,self")]
    public void Choose_RdmaNamedWithoutADevice_IsAnErrorThatNamesTheFallBack(string tls)
    {
        foreach (var ucx in new[] { None, Plain })
        {
            var error = Assert.Single(Choose(tls, ucx).Errors);
            Assert.Contains("no RDMA device", error, StringComparison.Ordinal);
            Assert.Contains("UCX_TLS=tcp,sm,self", error, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Choose_RdmaNamedBesideTcp_FallsBackAndSaysSo()
    {
        var plan = Choose("rc,tcp,sm,self", None);
        Assert.Empty(plan.Errors);
        Assert.Contains(plan.Notes, note => note.Contains("names rc, but this host has no RDMA device", StringComparison.Ordinal));
    }

    [Fact]
    public void Choose_RdmaDeviceThatUcxCannotUse_SaysWhatTheContainerLacks() =>
        Assert.Contains("--device=/dev/infiniband", Assert.Single(MediaPlan.Choose(UcxTls.Parse("rc,sm"), MediaPreference.Auto, Plain, hasRdmaDevice: true).Errors), StringComparison.Ordinal);

    [Theory]
    [InlineData(null, "ucx shm tcp self")]
    [InlineData("rc,rocm,sm,self", "ucx shm self")]
    [InlineData("rc,ud", "ucx")]
    [InlineData("rocm,tcp", "ucx tcp")]
    [InlineData("tcp,sm,self", "shm tcp self")]
    [InlineData("^ib,rocm", "shm tcp self")]
    public void Choose_WithRdmaDevice_UsesUcxForWhatIsNamed(string? tls, string media)
    {
        var plan = Choose(tls, Fabric);
        Assert.Empty(plan.Errors);
        Assert.Equal(media, string.Join(' ', plan.Media));
    }

    [Fact]
    public void Choose_UcxAsked_IsFirstOrAnError()
    {
        Assert.Equal(["ucx", "shm", "tcp", "self"], MediaPlan.Choose(UcxTls.Parse(null), MediaPreference.Ucx, Plain, false).Media);
        Assert.Contains("libucp.so.0 is not on this machine", Assert.Single(MediaPlan.Choose(UcxTls.Parse("tcp"), MediaPreference.Ucx, None, false).Errors), StringComparison.Ordinal);
    }

    [Fact]
    public void Choose_UcxWithoutRdma_IsLeftOutAndToldHowToUseIt() =>
        Assert.Contains(Choose(null, Plain).Notes, note => note.Contains("FERRY_TRANSFER=ucx", StringComparison.Ordinal));

    [Fact]
    public void Choose_ListWithoutTcp_WarnsThatOtherHostsAreNotReached() =>
        Assert.Contains(Choose("sm,self", None).Notes, note => note.Contains("Add tcp: UCX_TLS=sm,self,tcp.", StringComparison.Ordinal));

    [Theory]
    [InlineData("gaudi", "leaves nothing")]
    [InlineData("tpc", "Did you mean tcp?")]
    public void Choose_NothingLeft_IsAnError(string tls, string says) => Assert.Contains(says, Assert.Single(Choose(tls, None).Errors), StringComparison.Ordinal);

    private static MediaPlan Choose(string? tls, UcxFacts ucx) => MediaPlan.Choose(UcxTls.Parse(tls), MediaPreference.Auto, ucx, ucx == Fabric);
}
