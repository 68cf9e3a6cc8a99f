using System.Diagnostics;
using Ferry.Cache.Remote.Redis;
using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;
using StackExchange.Redis;

namespace Ferry.IntegrationTests.Remote.Redis;

/// <summary>A real redis-server that dies, hangs, fills up, turns read-only and wants a password: a clear error, nothing torn, and recovery without a restart.</summary>
public sealed class RedisFaultTests
{
    private static readonly KvLayout Layout = TestRecords.Layout();

    private static Task<TierPutOutcome> PutAsync(RedisTier tier, int number, KvLayout? layout = null)
    {
        var (header, record) = TestRecords.Record(number, layout ?? Layout);
        return tier.PutAsync(header, record, CancellationToken.None);
    }

    private static async Task<TierReadOutcome?> ReadAsync(RedisTier tier, int number)
    {
        if (await tier.FindAsync(TestRecords.Key(number), CancellationToken.None) is not [var found, ..])
        {
            return null;
        }
        var bytes = new byte[found.RecordBytes];
        return (await tier.ReadAsync(found, bytes, CancellationToken.None)).Outcome;
    }

    private static async Task<string> FailsAsync(RedisTier tier, params string[] says)
    {
        var message = "";
        for (var looks = 0; looks < 100; looks++)
        {
            // The first refusals come before the server has refused the password: nobody has answered yet.
            var error = await Assert.ThrowsAsync<RedisTierException>(() => tier.FindAsync(TestRecords.Key(1), CancellationToken.None));
            Assert.Null(error.InnerException);
            message = error.Message;
            if (says.All(said => message.Contains(said, StringComparison.Ordinal)))
            {
                return message;
            }
            await Task.Delay(50);
        }
        Assert.Fail(message);
        return message;
    }

    private static async Task EventuallyAsync(Func<Task<bool>> holds)
    {
        for (var looks = 0; looks < 200; looks++)
        {
            try
            {
                if (await holds())
                {
                    return;
                }
            }
            catch (RedisTierException)
            {
                // Not yet.
            }
            await Task.Delay(50);
        }
        Assert.Fail("It did not come back within ten seconds.");
    }

    [Fact]
    public async Task Operations_ServerKilledAndStartedAgain_FailAtOnceAndWorkAgainWithoutARestart()
    {
        await using var lab = await RedisLab.StartAsync();
        await using var tier = RedisFixture.Open(RedisFixture.Options(lab.Port));
        await PutAsync(tier, 1);
        lab.Kill();
        var begun = Stopwatch.GetTimestamp();
        await FailsAsync(tier, $"redis://127.0.0.1:{lab.Port}/0");
        await FailsAsync(tier);
        Assert.True(Stopwatch.GetElapsedTime(begun) < TimeSpan.FromSeconds(20)); // Two deadlines of four seconds, on a busy machine.

        await lab.UpAsync();
        await EventuallyAsync(async () => await PutAsync(tier, 2) == TierPutOutcome.Stored);
        Assert.Null(await ReadAsync(tier, 1)); // A server that keeps nothing on disk has forgotten it.
        Assert.Equal(TierReadOutcome.Read, await ReadAsync(tier, 2));
    }

    [Fact]
    public async Task PutAsync_ServerKilledInTheMiddle_FailsAndServesNothingTorn()
    {
        await using var lab = await RedisLab.StartAsync();
        await using var link = new FaultyLink(lab.Port) { FaultOf = _ => new LineFault { ForthBytesPerSecond = 6_000_000 } };
        await using var tier = RedisFixture.Open(RedisFixture.Options(link.Port));
        await PutAsync(tier, 1);
        var put = PutAsync(tier, 2, KvLayout.Opaque(32 << 20));
        await Task.Delay(500);
        lab.Kill();
        await Assert.ThrowsAsync<RedisTierException>(() => put);
        await lab.UpAsync();
        await EventuallyAsync(async () => await ReadAsync(tier, 2) is null);
    }

    [Fact]
    public async Task Tier_ServerNotThereAtTheStart_ComesWhenItComes()
    {
        await using var lab = await RedisLab.StartAsync();
        lab.Kill();
        await using var tier = RedisFixture.Open(RedisFixture.Options(lab.Port) with { RequestDeadline = TimeSpan.FromSeconds(30) }); // On a busy machine the refusal takes its time.
        await FailsAsync(tier, "nothing answers there", "Is it running");
        await lab.UpAsync();
        await EventuallyAsync(async () => await PutAsync(tier, 1) == TierPutOutcome.Stored);
    }

    [Fact]
    public async Task Operations_ServerStopped_FailByTheDeadlineAndWorkOnceItGoesOn()
    {
        await using var lab = await RedisLab.StartAsync();
        await using var tier = RedisFixture.Open(RedisFixture.Options(lab.Port) with { RequestDeadline = TimeSpan.FromMilliseconds(1500) });
        await PutAsync(tier, 1);
        using (var stop = Process.Start("kill", ["-STOP", lab.Pid.ToString()]))
        {
            await stop.WaitForExitAsync();
        }
        await FailsAsync(tier, "it did not answer by the deadline");
        using (var go = Process.Start("kill", ["-CONT", lab.Pid.ToString()]))
        {
            await go.WaitForExitAsync();
        }
        await EventuallyAsync(async () => await ReadAsync(tier, 1) == TierReadOutcome.Read);
    }

    [Fact]
    public async Task PutAsync_NoMemoryLeft_IsFullWhileReadsGoOn()
    {
        await using var lab = await RedisLab.StartAsync("--maxmemory", "8mb", "--maxmemory-policy", "noeviction");
        await using var tier = RedisFixture.Open(RedisFixture.Options(lab.Port));
        var layout = KvLayout.Opaque(2 << 20);
        var outcomes = new List<TierPutOutcome>();
        for (var number = 0; number < 8; number++)
        {
            outcomes.Add(await PutAsync(tier, number, layout));
        }
        Assert.Equal(TierPutOutcome.Stored, outcomes[0]);
        Assert.Equal(TierPutOutcome.Full, outcomes[^1]);
        Assert.Equal(TierReadOutcome.Read, await ReadAsync(tier, 0));
        Assert.True(tier.Counts.Refused > 0);
    }

    [Fact]
    public async Task PutAsync_ServerIsAReadOnlyReplica_IsReadOnlyAndReadsGoOn()
    {
        await using var primary = await RedisLab.StartAsync();
        await using var replica = await RedisLab.StartAsync("--replicaof", "127.0.0.1", primary.Port.ToString());
        await using var writer = RedisFixture.Open(RedisFixture.Options(primary.Port, "replica-test/"));
        await using var tier = RedisFixture.Open(RedisFixture.Options(replica.Port, "replica-test/"));
        await PutAsync(writer, 1);
        await EventuallyAsync(async () => await ReadAsync(tier, 1) == TierReadOutcome.Read);
        Assert.Equal(TierPutOutcome.ReadOnly, await PutAsync(tier, 2));
        Assert.Equal(TierReadOutcome.Read, await ReadAsync(tier, 1));
    }

    [Fact]
    public async Task Operations_WrongPassword_SayWhereTheRightOneGoesAndNeverRepeatIt()
    {
        await using var lab = await RedisLab.StartAsync("--requirepass", "right");
        await using (var wrong = RedisFixture.Open(RedisFixture.Options(lab.Port, password: "guessed-word")))
        {
            Assert.DoesNotContain("guessed-word", await FailsAsync(wrong, "REDISCLI_AUTH", "credentials file"));
        }
        await using (var none = RedisFixture.Open(RedisFixture.Options(lab.Port)))
        {
            await FailsAsync(none, "REDISCLI_AUTH");
        }
        await using var right = RedisFixture.Open(RedisFixture.Options(lab.Port, password: "right"));
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(right, 1));
    }

    [Fact]
    public async Task Operations_PasswordFileCorrected_WorkWithoutARestart()
    {
        await using var lab = await RedisLab.StartAsync("--requirepass", "right");
        var file = Path.GetTempFileName();
        try
        {
            File.WriteAllText(file, "wrong\n");
            await using var tier = RedisFixture.Open(RedisFixture.Options(lab.Port) with { PasswordFile = file });
            await FailsAsync(tier, "refuses user or password");
            File.WriteAllText(file, "right\n");
            await EventuallyAsync(async () => await PutAsync(tier, 1) == TierPutOutcome.Stored);
        }
        finally
        {
            File.Delete(file);
        }
    }

    [Fact]
    public async Task Operations_UserWithRights_WorkAndOneWithoutIsTold()
    {
        await using var lab = await RedisLab.StartAsync();
        await using (var admin = await ConnectionMultiplexer.ConnectAsync($"127.0.0.1:{lab.Port},allowAdmin=true"))
        {
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "ferry", "on", ">word", "~cluster/*", "+@all");
            await admin.GetDatabase().ExecuteAsync("ACL", "SETUSER", "guest", "on", ">word", "~cluster/*", "+@connection", "+info", "+echo", "+ping");
        }
        await using var tier = RedisFixture.Open(RedisFixture.Options(lab.Port, "cluster/", "ferry", "word"));
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier, 1));
        await using var guest = RedisFixture.Open(RedisFixture.Options(lab.Port, "cluster/", "guest", "word"));
        await FailsAsync(guest, "NOPERM", "ACL");
    }

    [Fact]
    public async Task Guard_ServerDiesAndComesBack_OpensAndCloses()
    {
        await using var lab = await RedisLab.StartAsync();
        await using var guard = new GuardedTier(
            RedisFixture.Open(RedisFixture.Options(lab.Port)), new TierGuardOptions { FailuresToOpen = 2, OpenFor = TimeSpan.FromMilliseconds(200) }, TimeProvider.System,
            NullLogger<GuardedTier>.Instance);
        var (header, record) = TestRecords.Record(1, Layout);
        Assert.Equal(TierPutOutcome.Stored, await guard.PutAsync(header, record, CancellationToken.None));
        lab.Kill();
        for (var tries = 0; tries < 2; tries++)
        {
            Assert.Empty(await guard.FindAsync(header.Key, CancellationToken.None));
        }
        Assert.True(guard.IsReadingOff);
        await lab.UpAsync();
        await EventuallyAsync(async () => await guard.PutAsync(header, record, CancellationToken.None) is TierPutOutcome.Stored or TierPutOutcome.Present
            && (await guard.FindAsync(header.Key, CancellationToken.None)).Count == 1);
        Assert.False(guard.IsReadingOff);
    }
}
