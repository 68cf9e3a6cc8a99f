using Ferry.Kv.Settings;
using Ferry.Serving.Options;
using Xunit;

namespace Ferry.UnitTests.Serving.Options;

public sealed class UcxTransportsTests
{
    [Theory]
    [InlineData("tcp,sm,self", "tcp self", "sm")]
    [InlineData("rc,rocm,sm,self", "self", "rc rocm sm")]
    [InlineData("tcp,gaudi,sm,self", "tcp self", "gaudi sm")]
    [InlineData("all", "tcp self", "")]
    [InlineData("^rc,ud", "tcp self", "")]
    [InlineData("^tcp", "self", "")]
    [InlineData("\\tcp", "tcp", "")]
    [InlineData("tcp,tcp,self", "tcp self", "")]
    [InlineData("tcp:aux,self", "self", "")]
    public void Parse_Value_SelectsWhatThisBuildHas(string value, string selected, string unavailable)
    {
        var (selection, findings) = Read(value);
        Assert.DoesNotContain(findings, finding => finding.Kind == FindingKind.Error);
        Assert.Equal(selected, string.Join(' ', selection.Selected));
        Assert.Equal(unavailable, string.Join(' ', selection.Unavailable));
        Assert.Contains(value, selection.Reason, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("tcp, self", "UCX does not trim spaces")]
    [InlineData("TCP", "Did you mean tcp?")]
    [InlineData("sm,^tcp", "'^' counts only in front")]
    [InlineData("all,tcp", "must stand alone")]
    [InlineData("rdma", "no UCX transport or alias")]
    [InlineData("\\sm", "no UCX transport or alias")]
    [InlineData("tcp,", "no UCX transport or alias")]
    public void Parse_WhatUcxWouldMisread_IsAnError(string value, string text) =>
        Assert.Contains(Read(value).Findings, finding => finding.Kind == FindingKind.Error && finding.Text.Contains(text, StringComparison.Ordinal));

    [Fact]
    public void Parse_ListWithoutTcp_WarnsThatNoHandoverCanHappen() =>
        Assert.Contains(Read("rc,rocm,sm,self").Findings, finding => finding.Text.Contains("Add tcp: UCX_TLS=rc,rocm,sm,self,tcp", StringComparison.Ordinal));

    private static (TransportSelection Selection, IReadOnlyList<Finding> Findings) Read(string value)
    {
        var findings = new FindingLog();
        var setting = EnvironmentSettings.All.Single(known => known.Name == "UCX_TLS");
        return (UcxTransports.Parse(new SettingValue(setting, value, "", findings)), findings.All);
    }
}
