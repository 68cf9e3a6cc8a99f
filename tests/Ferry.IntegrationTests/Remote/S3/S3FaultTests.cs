using System.Diagnostics;
using System.Text;
using Amazon;
using Ferry.Cache.Remote.S3;
using Ferry.Cache.Tiers;
using Ferry.Kv.Layout;
using Ferry.Kv.Records;
using Ferry.TestKit;
using Ferry.TestKit.Cache;
using Ferry.TestKit.Lab;
using Microsoft.Extensions.Logging.Abstractions;

namespace Ferry.IntegrationTests.Remote.S3;

/// <summary>A real Ceph gateway that dies, hangs, dawdles, refuses and lies: a clear error, nothing torn, and recovery without a restart.</summary>
[Collection(CephFixture.Collection)]
public sealed class S3FaultTests : IAsyncDisposable
{
    private const int Victim = 1; // The gateway that is there to be killed.
    private static readonly KvLayout Large = TestRecords.Layout(tokens: 64 << 10); // 8 MiB
    private static readonly (KvRecordHeader Header, byte[] Record) One = TestRecords.Record(1, Large);

    private readonly CephFixture _ceph;
    private readonly FaultyLink _link;
    private readonly S3TierOptions _options;
    private readonly S3Tier _tier;

    public S3FaultTests(CephFixture ceph)
    {
        _ceph = ceph;
        _link = new FaultyLink(ceph.Lab.GatewayPort(Victim));
        _options = CephFixture.Options(ceph.Location(_link.Port)) with
        {
            IdleTimeout = TimeSpan.FromSeconds(1),
            RequestDeadline = TimeSpan.FromSeconds(3),
            RetryPause = TimeSpan.FromMilliseconds(20),
        };
        _tier = CephFixture.Open(_options);
    }

    public async ValueTask DisposeAsync()
    {
        await _tier.DisposeAsync();
        await _link.DisposeAsync();
    }

    private Task<TierPutOutcome> PutAsync(S3Tier? tier = null) => (tier ?? _tier).PutAsync(One.Header, One.Record, CancellationToken.None);

    private async Task<TierRead> ReadAsync(S3Tier? tier = null)
    {
        var found = await FindAsync();
        var bytes = new byte[found.RecordBytes];
        var read = await (tier ?? _tier).ReadAsync(found, bytes, CancellationToken.None);
        Assert.True(read.Outcome != TierReadOutcome.Read || bytes.AsSpan().SequenceEqual(One.Record));
        return read;
    }

    /// <summary>By the healthy gateway and its own tier.</summary>
    private async Task<TierRecord> FindAsync()
    {
        await using var healthy = Healthy();
        return Assert.Single(await healthy.FindAsync(One.Header.Key, CancellationToken.None));
    }

    private S3Tier Healthy() => CephFixture.Open(CephFixture.Options(_ceph.Location(prefix: _options.Location.Prefix)));

    private async Task<bool> IsAbsentAsync()
    {
        await using var healthy = Healthy();
        return (await healthy.FindAsync(One.Header.Key, CancellationToken.None)).Count == 0;
    }

    /// <summary>Endpoint, bucket and the way out stand in every error; the secret in none.</summary>
    private async Task<string> FailsAsync(Func<Task> act, params string[] says)
    {
        var error = await Assert.ThrowsAsync<S3TierException>(act);
        Assert.Contains(CephLab.Bucket, error.Message);
        Assert.Contains($"127.0.0.1:{_link.Port}", error.Message);
        Assert.All(says, said => Assert.Contains(said, error.Message));
        Assert.DoesNotContain(CephLab.SecretKey, error.ToString());
        return error.Message;
    }

    private static byte[] Answer(string status, string code) => Encoding.ASCII.GetBytes(
        $"<?xml version=\"1.0\"?><Error><Code>{code}</Code><Message>the words of a stranger</Message></Error>") is var body
        ? [.. Encoding.ASCII.GetBytes($"HTTP/1.1 {status}\r\nContent-Type: application/xml\r\nContent-Length: {body.Length}\r\nConnection: close\r\n\r\n"), .. body]
        : [];

    private static int ClosedPort()
    {
        using var listener = new System.Net.Sockets.TcpListener(System.Net.IPAddress.Loopback, 0);
        listener.Start();
        return ((System.Net.IPEndPoint)listener.LocalEndpoint).Port;
    }

    [Fact]
    public async Task PutAsync_GatewayKilledInTheMiddle_FailsLeavesNothingAndWorksOnceItIsBack()
    {
        _link.FaultOf = _ => new LineFault { ForthBytesPerSecond = 4_000_000 };
        var put = PutAsync();
        await Task.Delay(700);
        _ceph.Lab.KillGateway(Victim);
        await FailsAsync(() => put, "tried 3 times");
        Assert.True(await IsAbsentAsync());

        await _ceph.Lab.UpAsync();
        _link.FaultOf = _ => null;
        Assert.Equal(TierPutOutcome.Stored, await PutAsync());
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync()).Outcome);
    }

    [Fact]
    public async Task ReadAsync_GatewayKilledInTheMiddle_FailsAndWorksOnceItIsBack()
    {
        await PutAsync();
        _link.FaultOf = _ => new LineFault { BytesPerSecond = 4_000_000 };
        await using var fresh = CephFixture.Open(_options); // The other's connection is a fast one.
        var read = ReadAsync(fresh);
        await Task.Delay(700);
        _ceph.Lab.KillGateway(Victim);
        await FailsAsync(() => read, "tried 3 times");

        await _ceph.Lab.UpAsync();
        _link.FaultOf = _ => null;
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync(fresh)).Outcome);
    }

    [Fact]
    public async Task ReadAsync_GatewayStoppedInTheMiddleOfTheBody_FailsAfterTheIdleTimeoutAndWorksOnceItGoesOn()
    {
        await PutAsync();
        await using var direct = CephFixture.Open(_options with { Location = _ceph.Location(_ceph.Lab.GatewayPort(Victim), _options.Location.Prefix) });
        _link.FaultOf = _ => new LineFault { BytesPerSecond = 2_000_000 };
        await using var fresh = CephFixture.Open(_options);
        var read = ReadAsync(fresh);
        await Task.Delay(700);
        await _ceph.Lab.FreezeGatewayAsync(Victim);
        try
        {
            // What the kernel holds still trickles through the slow link; then nothing moves, or the deadline passes.
            await FailsAsync(() => read, " bytes");
            _link.FaultOf = _ => null;
            await FailsAsync(() => _tier.FindAsync(One.Header.Key, CancellationToken.None), "nothing moved for 1 s after 0 bytes", "Look at its health");
            await Assert.ThrowsAsync<S3TierException>(() => PutAsync(direct));
        }
        finally
        {
            await _ceph.Lab.ThawGatewayAsync(Victim);
        }
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync(fresh)).Outcome);
    }

    [Fact]
    public async Task ReadAsync_BodyThatStopsMoving_FailsByTheIdleTimeoutAndIsNotTriedAgain()
    {
        await PutAsync();
        _link.FaultOf = _ => new LineFault { HangAtByte = 1 << 20 };
        await using var fresh = CephFixture.Open(_options);
        var lines = _link.Lines;
        await FailsAsync(() => ReadAsync(fresh), "nothing moved for 1 s after 1");
        Assert.Equal(lines + 1, _link.Lines);
    }

    [Fact]
    public async Task ReadAsync_GatewayFarTooSlow_FailsByTheDeadline()
    {
        await PutAsync();
        _link.FaultOf = _ => new LineFault { BytesPerSecond = 200_000 };
        await using var fresh = CephFixture.Open(_options);
        await FailsAsync(() => ReadAsync(fresh), "slower than 16 MB/s");
    }

    [Fact]
    public async Task PutAsync_LineThatIsSlowButMoves_IsStoredPastTheDeadline()
    {
        _link.FaultOf = _ => new LineFault { ForthBytesPerSecond = 1_500_000 };
        await using var tier = CephFixture.Open(_options with { RequestDeadline = TimeSpan.FromSeconds(2), IdleTimeout = TimeSpan.FromSeconds(10) });
        Assert.True(tier.Capabilities.HasFlag(TierCapabilities.EndsStalledPuts)); // What keeps the guard from cutting it off.
        var begun = Stopwatch.GetTimestamp();
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier));
        Assert.True(Stopwatch.GetElapsedTime(begun) > TimeSpan.FromSeconds(4)); // Else the line was not slow, and this proves nothing.
        _link.FaultOf = _ => null;
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync()).Outcome);
    }

    [Fact]
    public async Task PutAsync_LineThatStopsMoving_FailsByTheIdleTimeoutAndLeavesNothing()
    {
        _link.FaultOf = _ => new LineFault { ForthHangAtByte = 256 << 10 };
        await FailsAsync(() => PutAsync(), "nothing moved for 1 s after", "Look at its health");
        Assert.True(await IsAbsentAsync());
    }

    [Fact]
    public async Task PutAsync_StoreThatTakesAllAndDoesNotAnswer_FailsWhenItHasHadItsTime()
    {
        _link.FaultOf = _ => new LineFault { HangAtByte = 0 };
        var (header, record) = TestRecords.Record(3, TestRecords.Layout());
        await FailsAsync(() => _tier.PutAsync(header, record, CancellationToken.None), $"all of its {record.Length} bytes are sent and no answer came");
    }

    [Fact]
    public async Task ReadAsync_BodyCutOnce_IsReadWholeByTheNextTry()
    {
        await PutAsync();
        var first = _link.Lines;
        _link.FaultOf = line => line == first ? new LineFault { CutAtByte = 1 << 20 } : null;
        await using var fresh = CephFixture.Open(_options);
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync(fresh)).Outcome);
        Assert.Equal(1, fresh.Retries);
    }

    [Fact]
    public async Task ReadAsync_BodyAlwaysCut_FailsAndSaysWhere()
    {
        await PutAsync();
        _link.FaultOf = _ => new LineFault { CutAtByte = 1 << 20 };
        await using var fresh = CephFixture.Open(_options);
        await FailsAsync(() => ReadAsync(fresh), $"of {One.Record.Length} bytes", "tried 3 times", "the connection ended after 1");
        Assert.False(await IsAbsentAsync()); // Damaged on the way is not damaged in the store.
    }

    [Fact]
    public async Task ReadAsync_BitFlippedOnTheWayOnce_IsReadAgainAndNotDeleted()
    {
        await PutAsync();
        // The second read must come over another line: after the flip this one is cut just behind the body.
        var first = _link.Lines;
        _link.FaultOf = line => line == first ? new LineFault { FlipAtByte = 4 << 20, CutAtByte = One.Record.Length + 8192 } : null;
        await using var fresh = CephFixture.Open(_options);
        Assert.Equal(TierReadOutcome.Read, (await ReadAsync(fresh)).Outcome);
        Assert.Equal(0, fresh.Counts.Damaged);
    }

    [Fact]
    public async Task PutAsync_CallerGivesUpInTheMiddle_IsCancelledAndLeavesNothing()
    {
        _link.FaultOf = _ => new LineFault { ForthBytesPerSecond = 2_000_000 };
        using var caller = new CancellationTokenSource();
        var put = _tier.PutAsync(One.Header, One.Record, caller.Token);
        await Eventually.TrueAsync(() => _link.Lines > 0, "nothing was sent");
        await Task.Delay(500);
        await caller.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => put);
        Assert.True(await IsAbsentAsync());
    }

    [Fact]
    public async Task PutAsync_LineCutInTheMiddle_LeavesNothing()
    {
        _link.FaultOf = _ => new LineFault { ForthCutAtByte = 3 << 20 };
        await FailsAsync(() => PutAsync(), "tried 3 times");
        Assert.True(await IsAbsentAsync());
    }

    [Fact]
    public async Task PutAsync_InPartsAndOneFails_LeavesNoObjectAndNoParts()
    {
        var options = _options with { MultipartFromBytes = 6 << 20, PartBytes = 5 << 20, PartsAtOnce = 1, RetriesMax = 0 };
        await using var tier = CephFixture.Open(options);
        var first = _link.Lines;
        _link.FaultOf = line => new LineFault { ForthCutAtByte = line == first ? 6 << 20 : 1 << 20 }; // In the middle of the second part, and again when the SDK takes the line for stale.
        await FailsAsync(() => PutAsync(tier), "PUT of a part");
        Assert.True(await IsAbsentAsync());
        _link.FaultOf = _ => null;
        using var bucket = new S3Bucket(options, TimeProvider.System);
        Assert.Equal(0, await bucket.AbortUploadsAsync(TimeSpan.FromSeconds(-60), CancellationToken.None));
        Assert.Equal(TierPutOutcome.Stored, await PutAsync(tier));
    }

    [Theory]
    [InlineData("500 Internal Server Error", "InternalError", "it answered 500 InternalError: the store failed")]
    [InlineData("503 Service Unavailable", "SlowDown", "it answered 503 SlowDown: the store asks for fewer requests")]
    public async Task PutAsync_ServerError_IsTriedAgainAndThenSaid(string status, string code, string says)
    {
        var first = _link.Lines;
        _link.FaultOf = line => line < first + 2 ? new LineFault { Answer = Answer(status, code) } : null;
        Assert.Equal(TierPutOutcome.Stored, await PutAsync());
        Assert.Equal(2, _tier.Retries);

        _link.FaultOf = _ => new LineFault { Answer = Answer(status, code) };
        await using var fresh = CephFixture.Open(_options);
        var error = await FailsAsync(() => fresh.FindAsync(One.Header.Key, CancellationToken.None), says, "tried 3 times");
        Assert.DoesNotContain("stranger", error);
    }

    [Fact]
    public async Task PutAsync_QuotaUsedUp_IsFullAndNotAFailure()
    {
        var (header, record) = TestRecords.Record(2, TestRecords.Layout()); // Small: the first request is the PUT.
        _link.FaultOf = _ => new LineFault { Answer = Answer("403 Forbidden", "QuotaExceeded") };
        Assert.Equal(TierPutOutcome.Full, await _tier.PutAsync(header, record, CancellationToken.None));
        Assert.Equal(1, _tier.Counts.Refused);
    }

    [Fact]
    public async Task FindAsync_AccessDenied_SaysWhatToGrant()
    {
        _link.FaultOf = _ => new LineFault { Answer = Answer("403 Forbidden", "AccessDenied") };
        await FailsAsync(() => _tier.FindAsync(One.Header.Key, CancellationToken.None), "403 AccessDenied", "Grant it list, get, put and delete");
    }

    [Theory]
    [InlineData(CephLab.AccessKey, "wrong", "403 SignatureDoesNotMatch", "the secret key does not belong")]
    [InlineData("nobody", CephLab.SecretKey, "403 InvalidAccessKeyId", "AWS_ACCESS_KEY_ID")]
    public async Task FindAsync_WrongKeys_SaysWhich(string accessKey, string secretKey, string answered, string says)
    {
        await using var tier = CephFixture.Open(_options with { Environment = CephFixture.Keys(accessKey, secretKey) });
        await FailsAsync(() => tier.FindAsync(One.Header.Key, CancellationToken.None), answered, says);
    }

    [Fact]
    public async Task EveryOperation_BucketThatDoesNotExist_SaysToCreateIt()
    {
        await using var tier = CephFixture.Open(_options with { Location = _options.Location with { Bucket = "kvcache-missing" } });
        await FailsAsync(() => tier.FindAsync(One.Header.Key, CancellationToken.None), "404 NoSuchBucket", "Create it");
        await FailsAsync(() => PutAsync(tier), "404 NoSuchBucket", "bucket kvcache-missing at");
        await FailsAsync(() => ReadMissingAsync(tier), "404 NoSuchBucket");

        static Task<TierRead> ReadMissingAsync(S3Tier tier) => tier.ReadAsync(
            new TierRecord(One.Header.Key, 1, 0, 4, 4, 2048, "0123456789abcdef0123456789abcdef/none/aa/aa/0-4-4-0123456789abcdef.kv"), new byte[2048], CancellationToken.None);
    }

    [Fact]
    public async Task FindAsync_ClocksAnHourApart_SaysToSetThem()
    {
        AWSConfigs.ManualClockCorrection = TimeSpan.FromHours(1); // Of the whole process; nothing else of this collection runs now.
        try
        {
            await FailsAsync(() => _tier.FindAsync(One.Header.Key, CancellationToken.None), "RequestTimeTooSkewed", "NTP");
        }
        finally
        {
            AWSConfigs.ManualClockCorrection = null;
        }
        Assert.Empty(await _tier.FindAsync(One.Header.Key, CancellationToken.None));
    }

    [Fact]
    public async Task FindAsync_EndpointsThatAreNone_SayWhatIsWrong()
    {
        async Task<string> ErrorAtAsync(string endpoint, string? authorityFile = null)
        {
            await using var tier = CephFixture.Open(_options with { RetriesMax = 0, Location = _options.Location with { Endpoint = new Uri(endpoint), AuthorityFile = authorityFile } });
            return (await Assert.ThrowsAsync<S3TierException>(() => tier.FindAsync(One.Header.Key, CancellationToken.None))).Message;
        }
        Assert.Contains("nothing answers there (connection refused)", await ErrorAtAsync($"http://127.0.0.1:{ClosedPort()}"));
        Assert.Contains("has no address", await ErrorAtAsync("http://no-such-host.invalid:7480"));
        Assert.Contains("certificate is not trusted", await ErrorAtAsync($"https://127.0.0.1:{_ceph.Lab.TlsPort}"));
        Assert.Contains("Is the endpoint's port the https one?", await ErrorAtAsync($"https://127.0.0.1:{_ceph.Lab.GatewayPort()}"));
    }

    [Fact]
    public async Task FindAsync_NoCredentialsAnywhere_SaysHowToGiveThem()
    {
        await using var tier = CephFixture.Open(_options with { CredentialsFile = "/nonexistent/credentials" });
        await FailsAsync(() => tier.FindAsync(One.Header.Key, CancellationToken.None), "/nonexistent/credentials does not exist");
        await using var none = CephFixture.Open(_options with { Environment = _ => null });
        await FailsAsync(() => none.FindAsync(One.Header.Key, CancellationToken.None), "no credentials were found. Set AWS_ACCESS_KEY_ID");
    }

    [Fact]
    public async Task Guard_GatewayDiesAndComesBack_OpensAnswersAtOnceAndCloses()
    {
        var guard = new GuardedTier(
            CephFixture.Open(_options), new TierGuardOptions { FailuresToOpen = 2, OpenFor = TimeSpan.FromMilliseconds(300) }, TimeProvider.System, NullLogger<GuardedTier>.Instance);
        await using var _ = guard;
        Assert.Equal(TierPutOutcome.Stored, await guard.PutAsync(One.Header, One.Record, CancellationToken.None));
        _ceph.Lab.KillGateway(Victim);
        for (var tries = 0; tries < 2; tries++)
        {
            Assert.Empty(await guard.FindAsync(One.Header.Key, CancellationToken.None));
        }
        Assert.True(guard.IsReadingOff);

        await _ceph.Lab.UpAsync();
        for (var looks = 0; looks < 200 && guard.IsReadingOff; looks++)
        {
            await Task.Delay(50);
            await guard.FindAsync(One.Header.Key, CancellationToken.None);
        }
        Assert.False(guard.IsReadingOff);
        Assert.Single(await guard.FindAsync(One.Header.Key, CancellationToken.None));
    }
}
