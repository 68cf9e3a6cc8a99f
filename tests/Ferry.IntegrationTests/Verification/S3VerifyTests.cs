using Ferry.Cluster.Verification;
using Ferry.IntegrationTests.Remote.S3;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Verification;

/// <summary>The probe of the bucket against a real Ceph, with a fault of each kind.</summary>
[Collection(CephFixture.Collection)]
public sealed class S3VerifyTests(CephFixture ceph) : IDisposable
{
    private readonly string _keys = Directory.CreateTempSubdirectory("ferry-keys-").FullName;

    public void Dispose() => Directory.Delete(_keys, recursive: true);

    [Fact]
    public async Task S3_BucketAsDescribed_PassesAndLeavesNothingBehind()
    {
        var result = await ProbeAsync();
        Assert.True(result.Verdict == ProbeVerdict.Pass, result.Text);
        Assert.Contains("path style", result.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("bucket", "other-bucket", "NoSuchBucket")]
    [InlineData("secret", "wrong-key", "SignatureDoesNotMatch")]
    [InlineData("access", "nobody", "InvalidAccessKeyId")]
    [Trait(PlantedFault.Trait, "s3")]
    public async Task S3_WrongSetting_IsAViolationThatNamesItAndShowsNoKey(string what, string value, string code)
    {
        var result = await ProbeAsync(
            bucket: what == "bucket" ? value : CephLab.Bucket, secret: what == "secret" ? value : CephLab.SecretKey, access: what == "access" ? value : CephLab.AccessKey);
        Assert.Equal(ProbeVerdict.Violation, result.Verdict);
        Assert.Contains(code, result.Text, StringComparison.Ordinal);
        Assert.DoesNotContain(CephLab.SecretKey, result.Text + result.Fix, StringComparison.Ordinal);
        Assert.DoesNotContain(what == "bucket" ? CephLab.AccessKey : value, result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_HostStyleWithoutDns_IsAViolation()
    {
        var result = await ProbeAsync(pathStyle: false, host: "localhost");
        Assert.Equal(ProbeVerdict.Violation, result.Verdict);
        Assert.StartsWith("list: ", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_ClockTwentyMinutesOff_IsAViolation()
    {
        var result = await ProbeAsync(time: new ShiftedTime(TimeSpan.FromMinutes(20)));
        Assert.Equal(ProbeVerdict.Violation, result.Verdict);
        Assert.Contains("behind this machine's", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_KeysThatCannotBeRead_IsInconclusive()
    {
        var result = await ProbeAsync(access: null);
        Assert.Equal(ProbeVerdict.Inconclusive, result.Verdict);
        Assert.Contains("access-key", result.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task S3_NobodyListening_IsAViolation()
    {
        var result = await ProbeAsync(port: 1);
        Assert.Equal(ProbeVerdict.Violation, result.Verdict);
    }

    private async Task<ProbeResult> ProbeAsync(
        string bucket = CephLab.Bucket, string? access = CephLab.AccessKey, string secret = CephLab.SecretKey, bool pathStyle = true, string host = "127.0.0.1", int? port = null, TimeProvider? time = null)
    {
        if (access is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(_keys, "access-key"), access);
        }
        await File.WriteAllTextAsync(Path.Combine(_keys, "secret-key"), secret + "\n");
        var spec = LiveCluster.Read(LiveCluster.Yaml($$"""
            storage:
              s3:
                endpoint: http://{{host}}:{{port ?? ceph.Lab.GatewayPort()}}
                bucket: {{bucket}}
                pathStyle: {{(pathStyle ? "true" : "false")}}
                accessKey: { file: {{_keys}}/access-key }
                secretKey: { file: {{_keys}}/secret-key }
            """));
        return await StorageProbe.RunAsync(spec, "s3", time);
    }
}
