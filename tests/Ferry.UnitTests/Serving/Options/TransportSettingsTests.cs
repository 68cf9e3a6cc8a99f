using Ferry.Engine;
using Ferry.Kv.Settings;
using Ferry.Serving.Options;
using Ferry.Transfer.Host;
using Xunit;

namespace Ferry.UnitTests.Serving.Options;

public sealed class TransportSettingsTests
{
    [Theory]
    [InlineData("tcp,sm,self")]
    [InlineData("rc,rocm,sm,self")]
    [InlineData("tcp,gaudi,sm,self")]
    [InlineData("all")]
    [InlineData("^ud")]
    public void UcxTls_OfTheGuide_IsTakenAsItIs(string value)
    {
        var (draft, findings) = Read("UCX_TLS", value);
        Assert.DoesNotContain(findings, finding => finding.Kind != FindingKind.Honoured);
        Assert.Equal(value, draft.Transports.UcxTls);
    }

    [Theory]
    [InlineData("tcp, self", "UCX does not trim spaces")]
    [InlineData("TCP", "Did you mean tcp?")]
    [InlineData("sm,^tcp", "'^' counts only in front")]
    [InlineData("all,tcp", "must stand alone")]
    [InlineData("rdma", "write rc")]
    [InlineData("\\sm", "switches aliases off")]
    [InlineData("tcp,", "Remove the comma")]
    public void UcxTls_ThatUcxWouldMisread_IsAnErrorAndNotTaken(string value, string text)
    {
        var (draft, findings) = Read("UCX_TLS", value);
        Assert.Contains(findings, finding => finding.Kind == FindingKind.Error && finding.Text.Contains(text, StringComparison.Ordinal));
        Assert.Null(draft.Transports.UcxTls);
    }

    [Fact]
    public void UcxTls_WithoutATransportForMessages_Warns() =>
        Assert.Contains(Read("UCX_TLS", "sm,self").Findings, finding => finding.Kind == FindingKind.Warning && finding.Text.Contains("Add tcp: UCX_TLS=sm,self,tcp", StringComparison.Ordinal));

    [Fact]
    public void UcxTls_WithNvidiaNamesOnAnotherDevice_IsRefusedWithTheListToWrite()
    {
        var (draft, _) = Read("UCX_TLS", "rc,cuda_copy,cuda_ipc");
        draft.Device = DeviceProfile.Gaudi3;
        TransportSettings.CheckDevice(draft);
        Assert.Contains(draft.Findings.All, finding => finding.Kind == FindingKind.Error && finding.Text.Contains("UCX_TLS=rc,gaudi,sm,self", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("auto", MediaPreference.Auto)]
    [InlineData("ucx", MediaPreference.Ucx)]
    [InlineData("managed", MediaPreference.Managed)]
    public void FerryTransfer_Word_IsThePreference(string value, MediaPreference preference) =>
        Assert.Equal(preference, Read("FERRY_TRANSFER", value).Draft.Transports.Preference);

    [Fact]
    public void FerryTransfer_AnotherWord_IsAnErrorWithTheNearest() =>
        Assert.Contains(Read("FERRY_TRANSFER", "manged").Findings, finding => finding.Kind == FindingKind.Error && finding.Text.Contains("Did you mean managed?", StringComparison.Ordinal));

    private static (ServeDraft Draft, IReadOnlyList<Finding> Findings) Read(string name, string value)
    {
        var draft = new ServeDraft();
        draft.Apply(EnvironmentSettings.All.Single(known => known.Name == name), value);
        return (draft, draft.Findings.All);
    }
}
