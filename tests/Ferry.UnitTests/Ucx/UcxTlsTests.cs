using Ferry.Kv.Ucx;
using Xunit;

namespace Ferry.UnitTests.Ucx;

public sealed class UcxTlsTests
{
    [Theory]
    [InlineData("tcp,sm,self", "cma knem posix self sysv tcp xpmem")]
    [InlineData("self,tcp,tcp", "self tcp")]
    [InlineData("rc,ud", "rc_mlx5 rc_verbs ud_mlx5 ud_verbs")]
    [InlineData("mm", "posix sysv xpmem")]
    [InlineData("\\tcp,\\cma", "cma tcp")]
    [InlineData("rc,rocm,sm,self", "cma knem posix rc_mlx5 rc_verbs rocm_copy rocm_ipc self sysv xpmem")]
    [InlineData("rc,gaudi,sm,self", "cma gaudi_gdr knem posix rc_mlx5 rc_verbs self sysv xpmem")]
    [InlineData("dc_x,srd", "dc_mlx5 srd")]
    [InlineData("tcp,ud:aux", "tcp")]
    [InlineData("ugni", "ugni_rdma ugni_smsg")]
    public void Parse_List_NamesItsTransports(string text, string expected)
    {
        var tls = UcxTls.Parse(text);
        Assert.False(tls.HasErrors, string.Join(' ', tls.Problems));
        Assert.Equal(expected, string.Join(' ', tls.Transports.Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Parse_NotSetOrAll_AllowsEveryTransportOfTheRelease()
    {
        foreach (var text in new[] { null, "all" })
        {
            var tls = UcxTls.Parse(text, UcxVersion.Oldest);
            Assert.True(tls.AllowsAll);
            Assert.False(tls.Denies);
            Assert.Empty(tls.Problems);
            Assert.True(tls.Allows("rc_verbs") && tls.Allows("rocm_copy") && tls.Allows(UcxTransportKind.Tcp));
            Assert.False(tls.Allows("gaudi_gdr"));
        }
    }

    [Fact]
    public void Parse_DenyList_AllowsTheRestAndLeavesConnectionsBeMade()
    {
        var tls = UcxTls.Parse("^ud,tcp");
        Assert.True(tls.Denies);
        Assert.False(tls.Allows("tcp") || tls.Allows("ud_verbs"));
        Assert.True(tls.Allows("rc_verbs") && tls.Allows("self"));
        Assert.True(tls.AllowsAuxiliary("ud_verbs"));

        Assert.False(UcxTls.Parse("^ud,ud:aux").AllowsAuxiliary("ud_mlx5"));
        Assert.True(UcxTls.Parse("rc").AllowsAuxiliary("ud_verbs"));
        Assert.False(UcxTls.Parse("\\rc_verbs").AllowsAuxiliary("ud_verbs"));
    }

    [Theory]
    [InlineData("", UcxTlsProblemKind.Empty, "which UCX refuses")]
    [InlineData("tcp,", UcxTlsProblemKind.Empty, "Remove the comma")]
    [InlineData("tcp,,self", UcxTlsProblemKind.Empty, "no name between two commas")]
    [InlineData("^", UcxTlsProblemKind.Empty, "no name")]
    [InlineData("tcp, self", UcxTlsProblemKind.Space, "Write self.")]
    [InlineData("tcp self", UcxTlsProblemKind.Space, "Write tcp,self.")]
    [InlineData("sm,^tcp", UcxTlsProblemKind.Misplaced, "counts only in front")]
    [InlineData("all,tcp", UcxTlsProblemKind.Misplaced, "must stand alone")]
    [InlineData("^all", UcxTlsProblemKind.Misplaced, "denies every transport")]
    [InlineData("TCP", UcxTlsProblemKind.Unknown, "Did you mean tcp? UCX looks at upper and lower case.")]
    [InlineData("tpc,self", UcxTlsProblemKind.Unknown, "Did you mean tcp?")]
    [InlineData("rocm_cpoy", UcxTlsProblemKind.Unknown, "Did you mean rocm_copy?")]
    [InlineData("rdma,sm", UcxTlsProblemKind.Unknown, "write rc")]
    [InlineData("hpu", UcxTlsProblemKind.Unknown, "Gaudi is gaudi")]
    [InlineData("\\sm", UcxTlsProblemKind.Unknown, "switches aliases off")]
    [InlineData("zzzzzzzzzzzz", UcxTlsProblemKind.Unknown, "no UCX transport or alias.")]
    public void Parse_WhatUcxRefusesOrMisreads_IsAnErrorThatNamesTheWayOut(string text, UcxTlsProblemKind kind, string says)
    {
        var tls = UcxTls.Parse(text);
        Assert.Contains(tls.Problems, problem => problem.IsError && problem.Kind == kind && problem.Text.Contains(says, StringComparison.Ordinal));
    }

    [Fact]
    public void Parse_OverlongValue_IsRefusedUnread() =>
        Assert.Equal(UcxTlsProblemKind.TooLong, Assert.Single(UcxTls.Parse(new string('x', UcxTls.CharactersMax + 1)).Problems).Kind);

    [Theory]
    [InlineData(UcxVendor.Amd, "UCX_TLS=rc,rocm,sm,self.")]
    [InlineData(UcxVendor.Gaudi, "UCX_TLS=rc,gaudi,sm,self.")]
    public void Parse_CudaNamesOnAnotherAccelerator_AreRefusedWithTheListToWrite(UcxVendor vendor, string advice)
    {
        var problem = Assert.Single(UcxTls.Parse("rc,cuda_copy,cuda_ipc", null, vendor).Problems);
        Assert.True(problem.IsError);
        Assert.Equal(UcxTlsProblemKind.ForeignAccelerator, problem.Kind);
        Assert.Equal("cuda_copy,cuda_ipc", problem.Entry);
        Assert.Contains(advice, problem.Text, StringComparison.Ordinal);
        Assert.Contains("UCX_TLS=rc,tcp,sm,self", problem.Text, StringComparison.Ordinal);
    }

    [Fact]
    public void Parse_GaudiOnAmdAndRocmOnGaudi_AreForeign()
    {
        Assert.Contains(UcxTls.Parse("rc,gaudi", null, UcxVendor.Amd).Problems, problem => problem.Kind == UcxTlsProblemKind.ForeignAccelerator);
        Assert.Contains(UcxTls.Parse("tcp,rocm_ipc", null, UcxVendor.Gaudi).Problems, problem => problem.Kind == UcxTlsProblemKind.ForeignAccelerator);
        Assert.Empty(UcxTls.Parse("rc,cuda", null, UcxVendor.Nvidia).Problems);
        Assert.Empty(UcxTls.Parse("rc,cuda,rocm").Problems);
        Assert.Empty(UcxTls.Parse("^cuda", null, UcxVendor.Amd).Problems);
    }

    [Theory]
    [InlineData("tcp,gaudi", "from 1.21 on")]
    [InlineData("tcp,gga", "from 1.19 on")]
    [InlineData("tcp,ze", "from 1.17 on")]
    [InlineData("tcp,srd", "from 1.20 on")]
    public void Parse_NamesOfALaterRelease_WarnAndSelectNothing(string text, string says)
    {
        var tls = UcxTls.Parse(text, UcxVersion.Oldest);
        var problem = Assert.Single(tls.Problems);
        Assert.Equal((UcxTlsProblemKind.OtherRelease, false), (problem.Kind, problem.IsError));
        Assert.Contains(says, problem.Text, StringComparison.Ordinal);
        Assert.Equal(["tcp"], tls.Transports);
        Assert.Empty(UcxTls.Parse(text).Problems);
    }

    [Fact]
    public void Parse_AliasesByRelease_GrowAndShrink()
    {
        Assert.False(UcxTls.Parse("ib", new UcxVersion(1, 18)).Allows("gga_mlx5"));
        Assert.True(UcxTls.Parse("ib", new UcxVersion(1, 19)).Allows("gga_mlx5"));
        Assert.False(UcxTls.Parse("ib", new UcxVersion(1, 19)).Allows("srd"));
        Assert.True(UcxTls.Parse("ib", new UcxVersion(1, 20)).Allows("srd"));
        Assert.True(UcxTls.Parse("rocm", new UcxVersion(1, 13)).Allows("rocm_gdr"));
        Assert.False(UcxTls.Parse("rocm", new UcxVersion(1, 14)).Allows("rocm_gdr"));
        Assert.Contains(UcxTls.Parse("tcp,rocm_gdr", new UcxVersion(1, 14)).Problems, problem => problem.Text.Contains("removed", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("sm,self", false)]
    [InlineData("rocm,sm,self", false)]
    [InlineData("^tcp,ib,srd,ugni", false)]
    [InlineData("tcp,sm", true)]
    [InlineData("rc,sm", true)]
    public void Parse_ListWithoutATransportForMessages_SaysWhatNixlWillDo(string text, bool carries)
    {
        var tls = UcxTls.Parse(text);
        Assert.Equal(carries, tls.CarriesMessages);
        Assert.Equal(!carries, tls.Problems.Any(problem => problem is { Kind: UcxTlsProblemKind.NoMessages, IsError: false }));
    }

    [Theory]
    [InlineData("1.13.1", 1, 13)]
    [InlineData("1.22", 1, 22)]
    [InlineData("1.13.1-rc1", 1, 13)]
    public void UcxVersion_TextOfTheLibrary_IsRead(string text, int major, int minor) => Assert.Equal(new UcxVersion(major, minor), UcxVersion.TryParse(text));

    [Theory]
    [InlineData("")]
    [InlineData("1")]
    [InlineData("1.x")]
    [InlineData("-1.2")]
    [InlineData("1.2.3.4")]
    [InlineData(null)]
    public void UcxVersion_AnyOtherText_IsNone(string? text) => Assert.Null(UcxVersion.TryParse(text));

    [Fact]
    public void Names_AliasMembers_AreTransports()
    {
        Assert.All(UcxNames.Aliases.SelectMany(alias => alias.Members.Concat(alias.Auxiliary)), name => Assert.NotNull(UcxNames.TryTransport(name)));
        Assert.All(UcxNames.Aliases, alias => Assert.Null(UcxNames.TryTransport(alias.Name)));
    }
}
