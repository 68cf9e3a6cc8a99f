using Ferry.Cluster.Verification;
using Ferry.TestKit.Lab;

namespace Ferry.IntegrationTests.Verification;

/// <summary>The probe of Redis against a real one, with a fault of each kind.</summary>
public sealed class RedisVerifyTests : IDisposable
{
    private readonly string _keys = Directory.CreateTempSubdirectory("ferry-keys-").FullName;

    public void Dispose() => Directory.Delete(_keys, recursive: true);

    [Fact]
    public async Task Redis_WithItsPassword_PassesWithoutOneOrWithAWrongOneItDoesNot()
    {
        await using var redis = await RedisLab.StartAsync("--requirepass", "right-word");
        Assert.Equal(ProbeVerdict.Pass, (await ProbeAsync(redis.Port, "right-word")).Verdict);

        var wrong = await ProbeAsync(redis.Port, "wrong-word");
        Assert.Equal(ProbeVerdict.Violation, wrong.Verdict);
        Assert.DoesNotContain("wrong-word", wrong.Text, StringComparison.Ordinal);
        Assert.Equal(ProbeVerdict.Violation, (await ProbeAsync(redis.Port, null)).Verdict);

        redis.Kill();
        Assert.Equal(ProbeVerdict.Violation, (await ProbeAsync(redis.Port, "right-word")).Verdict);
    }

    [Fact]
    [Trait(PlantedFault.Trait, "redis")]
    public async Task Redis_FullAndNotAllowedToEvict_IsAViolation()
    {
        // Less than the server needs for itself: every write is refused.
        await using var redis = await RedisLab.StartAsync("--maxmemory", "100kb", "--maxmemory-policy", "noeviction");
        var full = await ProbeAsync(redis.Port, null);
        Assert.Equal(ProbeVerdict.Violation, full.Verdict);
        Assert.Contains("OOM", full.Text, StringComparison.Ordinal);
        Assert.Contains("allkeys-lru", full.Fix, StringComparison.Ordinal);
    }

    private async Task<ProbeResult> ProbeAsync(int port, string? password)
    {
        if (password is not null)
        {
            await File.WriteAllTextAsync(Path.Combine(_keys, "password"), password);
        }
        var place = password is null ? "" : $", password: {{ file: {_keys}/password }}";
        return await StorageProbe.RunAsync(LiveCluster.Read(LiveCluster.Yaml($"storage: {{ redis: {{ address: \"127.0.0.1:{port}\"{place} }} }}")), "redis");
    }
}
