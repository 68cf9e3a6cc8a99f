using System.Diagnostics;
using System.Text.Json.Nodes;
using Ferry.Cache.Records;
using Ferry.Engine;
using Ferry.Engine.Connector;
using Ferry.Kv.Records;
using Ferry.Serving;
using Ferry.Serving.Exchange;
using Ferry.Serving.Options;
using Ferry.TestKit.Exchange;
using Ferry.Transfer.InProcess;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

public sealed class KvExchangeTests
{
    private const int PromptTokens = 600; // Two full chunks and an unfull one of 88 tokens.
    private static readonly TimeSpan HungAfter = TimeSpan.FromMinutes(1); // Of real time: no outcome depends on it, only whether a hang is reported.
    private static readonly int[] Prompt = ExchangeNode.Prompt(PromptTokens);

    private readonly FakeTimeProvider _time = new(DateTimeOffset.UnixEpoch + TimeSpan.FromDays(20_000));
    private readonly InProcessNetwork _network;

    public KvExchangeTests() => _network = new InProcessNetwork(_time);

    private Task<ExchangeNode> StartAsync(string name, DeviceProfile? device = null, int? tp = null, Func<KvExchangeOptions, KvExchangeOptions>? configure = null)
    {
        device ??= name.StartsWith('d') ? DeviceProfile.Gaudi3 : DeviceProfile.Mi300x;
        return ExchangeNode.StartAsync(name, device, tp ?? device.TensorParallelSize, _network, _time, configure);
    }

    /// <summary>Lets fake time pass in small steps until the task ends.</summary>
    private async Task<T> PumpAsync<T>(Task<T> task)
    {
        await PumpUntilAsync(() => task.IsCompleted);
        return await task;
    }

    private async Task PumpUntilAsync(Func<bool> holds)
    {
        var begun = Stopwatch.GetTimestamp();
        while (!holds())
        {
            await UntilAsync(holds, spins: 200, mustHold: false);
            _time.Advance(TimeSpan.FromMilliseconds(20));
            Assert.True(Stopwatch.GetElapsedTime(begun) < HungAfter, "hangs");
        }
    }

    private static Task UntilAsync(Func<bool> holds) => UntilAsync(holds, int.MaxValue, mustHold: true);

    private static async Task UntilAsync(Func<bool> holds, int spins, bool mustHold)
    {
        var begun = Stopwatch.GetTimestamp();
        for (var spin = 0; spin < spins && !holds() && Stopwatch.GetElapsedTime(begun) < HungAfter; spin++)
        {
            await Task.Yield();
        }
        Assert.True(!mustHold || holds(), "hangs");
    }

    public static TheoryData<string, string> ProfilePairs()
    {
        var pairs = new TheoryData<string, string>();
        foreach (var source in DeviceProfile.All)
        {
            foreach (var target in DeviceProfile.All)
            {
                pairs.Add(source.Name, target.Name);
            }
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(ProfilePairs))]
    public async Task LoadAsync_FromEveryProfileToEveryOther_BringsTheSameKvForTp1To8(string source, string target)
    {
        var (from, to) = (DeviceProfile.All.Single(profile => profile.Name == source), DeviceProfile.All.Single(profile => profile.Name == target));
        foreach (var sourceRanks in (int[])[1, 2, 4, 8])
        {
            await using var prefill = await StartAsync($"p{sourceRanks}", from, sourceRanks);
            foreach (var targetRanks in (int[])[1, 2, 4, 8])
            {
                await using var decode = await StartAsync($"d{targetRanks}", to, targetRanks);
                var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
                using var result = await decode.LoadAsync("d", Prompt, answer);

                Assert.Equal(PromptTokens, decode.CountRightTokens(result));
                var report = decode.Report("d");
                Assert.Equal(("peer", PromptTokens, KvChecksumState.Verified, (string?)null), (report.Source, report.Tokens, report.Checksum, report.Reason));
                Assert.Equal(from == to && Math.Min(sourceRanks, 4) == Math.Min(targetRanks, 4) ? 0 : 1, Math.Sign(report.BytesConverted));
                Assert.Equal(prefill.Report("p").BytesSaved, report.BytesMoved);
                await UntilAsync(() => prefill.Exchange.Cache.Memory.Snapshot().Leases == 0);
                prefill.Exchange.Cache.Memory.Clear();
                prefill.Exchange.Reports.Forget("p");
            }
        }
    }

    [Fact]
    public async Task RequestFinished_AskedToLend_AnswersInVllmsShape()
    {
        await using var node = await StartAsync("p", tp: 4);
        var answer = node.Prefill("cmpl-1", Prompt, ExchangeNode.AskToLend())!;

        Assert.Equal(
            ["do_remote_prefill", "do_remote_decode", "remote_block_ids", "remote_engine_id", "remote_request_id", "remote_host", "remote_port", "tp_size",
                "remote_num_tokens", "remote_blocks_expiry_time", "transfer_mode", "ferry"],
            answer.Select(pair => pair.Key));
        Assert.True((bool)answer["do_remote_prefill"]!);
        Assert.False((bool)answer["do_remote_decode"]!);
        Assert.Equal(Enumerable.Range(0, 38), answer["remote_block_ids"]![0]!.AsArray().Select(block => (int)block!));
        Assert.Equal(("engine-p", "cmpl-1", "p", 5600, 4, PromptTokens, "pull"), (
            (string)answer["remote_engine_id"]!, (string)answer["remote_request_id"]!, (string)answer["remote_host"]!, (int)answer["remote_port"]!,
            (int)answer["tp_size"]!, (int)answer["remote_num_tokens"]!, (string)answer["transfer_mode"]!));
        Assert.Equal((_time.GetUtcNow() + TimeSpan.FromSeconds(30)).ToUnixTimeSeconds(), (double)answer["remote_blocks_expiry_time"]!, 0.001);
        Assert.NotNull(JsonNode.Parse(answer.ToJsonString()));
    }

    [Fact]
    public async Task RequestFinished_AbortedOrNotAsked_LendsNothing()
    {
        await using var node = await StartAsync("p");
        Assert.Null(node.Prefill("aborted", Prompt, ExchangeNode.AskToLend(), completed: false));
        Assert.Null(node.Prefill("plain", Prompt));
        Assert.Null(node.Exchange.RequestFinished("unknown", completed: true));
        Assert.Equal(0, node.Exchange.Cache.Memory.Snapshot().Leases);
    }

    [Fact]
    public async Task RequestFinished_WithoutAnAgent_AnswersNull()
    {
        await using var node = await ExchangeNode.StartAsync("p", DeviceProfile.Mi300x, 4, null, _time);
        Assert.Null(node.Prefill("r", Prompt, ExchangeNode.AskToLend()));
        Assert.Equal(0, node.Exchange.Cache.Memory.Snapshot().Leases);
    }

    [Fact]
    public async Task Save_SamePromptTwice_StoresItOnce()
    {
        await using var node = await StartAsync("p", tp: 4);
        node.Prefill("one", Prompt, ExchangeNode.AskToLend());
        var (records, saved) = (node.Totals.Memory!.Records, node.Totals.BytesSaved);
        node.Prefill("two", Prompt, ExchangeNode.AskToLend());

        Assert.Equal((12, records, saved), (records, node.Totals.Memory!.Records, node.Totals.BytesSaved));
    }

    [Fact]
    public async Task Save_UnfullChunk_IsKeptOnlyForAHandOverOrWhenAsked()
    {
        await using var plain = await StartAsync("p1");
        await using var asked = await StartAsync("p2", configure: options => options with { SaveUnfullChunk = true });
        plain.Prefill("r", Prompt);
        asked.Prefill("r", Prompt);
        Assert.Equal((2, 3), (plain.Totals.Memory!.Chunks, asked.Totals.Memory!.Chunks));
    }

    [Fact]
    public async Task LoadAsync_LeaseRanOut_IsRefusedCountedAndAMiss()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        _time.Advance(TimeSpan.FromSeconds(30));
        using var result = await decode.LoadAsync("d", Prompt, answer);

        Assert.Empty(result.Chunks);
        var report = decode.Report("d");
        Assert.StartsWith("lease expired", report.Reason);
        Assert.Equal((1, "none"), (report.Nacks, report.Source));
        Assert.Equal((1L, 1L, 0L), (decode.Totals.HandoversMissed, decode.Totals.Nacks, decode.Totals.HandoversDone));
        Assert.Equal((1L, 1L), (prefill.Totals.LeasesExpired, prefill.Totals.Nacks));
        Assert.Equal(0, prefill.Exchange.Cache.Memory.Snapshot().Leases);
    }

    [Fact]
    public async Task LoadAsync_Done_FreesTheLendersPinsAtOnceAndCountsWhatItServed()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        Assert.NotEqual(0, prefill.Exchange.Cache.Memory.Snapshot().Leases);
        (await decode.LoadAsync("d", Prompt, answer)).Dispose();

        await UntilAsync(() => prefill.Exchange.Cache.Memory.Snapshot().Leases == 0);
        Assert.Equal(decode.Report("d").BytesMoved, prefill.Totals.BytesServed);
        Assert.Equal((1L, 1L, 0L), (prefill.Totals.HandoversLent, decode.Totals.HandoversDone, prefill.Totals.LeasesExpired));
    }

    [Theory]
    [InlineData(0, 600)]
    [InlineData(255, 600)]
    [InlineData(256, 344)]
    [InlineData(590, 88)]
    public async Task LoadAsync_EngineHasAPrefix_BringsFromTheChunkItEndsIn(int localTokens, int expectedTokens)
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        using var result = await decode.LoadAsync("d", Prompt, answer, localTokens);

        Assert.Equal(expectedTokens, decode.CountRightTokens(result, localTokens / 256 * 256));
        Assert.Equal(PromptTokens - localTokens, decode.Report("d").Tokens);
    }

    [Fact]
    public async Task LoadAsync_EngineHasItAll_LoadsNothingAndFreesTheLender()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        Assert.Empty((await decode.LoadAsync("d", Prompt, answer, PromptTokens - 1)).Chunks);

        await UntilAsync(() => prefill.Exchange.Cache.Memory.Snapshot().Leases == 0);
        Assert.Equal(0, decode.Totals.HandoversMissed);
    }

    [Fact]
    public async Task LoadAsync_SecondQuestionAboutTheSameText_ComesFromMemory()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        (await decode.LoadAsync("d1", Prompt, prefill.Prefill("p", Prompt, ExchangeNode.AskToLend()))).Dispose();
        int[] longer = [.. Prompt[..512], .. ExchangeNode.Prompt(100, seed: 2)];
        using var result = await decode.LoadAsync("d2", longer);

        Assert.Equal(512, decode.CountRightTokens(result));
        Assert.Equal(("memory", 512, 0L), (decode.Report("d2").Source, decode.Report("d2").Tokens, decode.Report("d2").BytesMoved));
    }

    [Fact]
    public async Task LoadAsync_AnotherSalt_FindsNothing()
    {
        await using var node = await StartAsync("p");
        node.Prefill("a", Prompt, salt: "tenant-a");
        Assert.Empty((await node.LoadAsync("b", Prompt, salt: "tenant-b")).Chunks);
        using var own = await node.LoadAsync("c", Prompt, salt: "tenant-a");
        Assert.Equal(512, node.CountRightTokens(own));
    }

    [Theory]
    [InlineData(0, 0)]
    [InlineData(300, 0)]
    [InlineData(KvRecord.HeaderBytes + 77, 0)]
    [InlineData(KvRecord.HeaderBytes + 77, 1)]
    [InlineData(KvRecord.HeaderBytes + 77, 2)]
    public async Task LoadAsync_OneBitOfTheLendersRecordFlipped_IsDetectedCountedAndAMissFromThere(int byteIndex, int chunk)
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        Flip(prefill, chunk, byteIndex);
        using var result = await decode.LoadAsync("d", Prompt, answer);

        Assert.Equal(chunk * 256, decode.CountRightTokens(result));
        var report = decode.Report("d");
        Assert.Equal((KvChecksumState.Failed, 1, 1L), (report.Checksum, report.RecordsDamaged, decode.Totals.ChecksumFailures));
        Assert.Contains("damaged", report.Reason);
        Assert.Equal(chunk == 0 ? 1 : 0, decode.Totals.HandoversMissed);
    }

    [Fact]
    public async Task LoadAsync_OneBitOfOwnMemoryFlipped_IsDetectedDroppedAndAMissFromThere()
    {
        await using var node = await StartAsync("p");
        node.Prefill("a", Prompt);
        Flip(node, 1, KvRecord.HeaderBytes + 9);
        using var result = await node.LoadAsync("b", Prompt);

        Assert.Equal(256, node.CountRightTokens(result));
        Assert.Equal((1L, 1L), (node.Totals.ChecksumFailures, node.Totals.Memory!.Damaged));
    }

    [Fact]
    public async Task LoadAsync_PeerDiesInTheMiddle_KeepsWhatCameAndSaysWhy()
    {
        var faults = new FaultPlan(7, FaultRates.None);
        var network = new InProcessNetwork(_time, faults);
        await using var prefill = await ExchangeNode.StartAsync("p", DeviceProfile.Mi300x, 4, network, _time);
        await using var decode = await ExchangeNode.StartAsync(
            "d", DeviceProfile.Gaudi3, 2, network, _time, options => options with { PeerReadBytes = 1, LoadDeadline = TimeSpan.FromMinutes(10) });
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        faults.Rates = new FaultRates { Delay = 1, DelayMax = TimeSpan.FromMilliseconds(400) };
        var load = decode.LoadAsync("d", Prompt, answer);
        await PumpUntilAsync(() => decode.Exchange.Cache.Memory.Snapshot().Records > 0);
        faults.Partition("p:5600", "d:5600");
        using var result = await PumpAsync(load);

        Assert.InRange(decode.CountRightTokens(result), 256, 512);
        Assert.Contains("peer lost", decode.Report("d").Reason);
        Assert.True(decode.Totals.LoadFailures > 0);
    }

    [Fact]
    public async Task LoadAsync_PeerIsGone_IsAMissAndSaysWhy()
    {
        await using var decode = await StartAsync("d");
        JsonObject answer;
        await using (var prefill = await StartAsync("p"))
        {
            answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())!;
        }
        Assert.Empty((await decode.LoadAsync("d1", Prompt, answer)).Chunks);
        Assert.StartsWith("peer unreachable", decode.Report("d1").Reason);

        _time.Advance(TimeSpan.FromSeconds(2));
        await using var restarted = await StartAsync("p");
        restarted.Prefill("p", Prompt);
        Assert.Empty((await decode.LoadAsync("d2", Prompt, answer)).Chunks);
        Assert.StartsWith("peer restarted", decode.Report("d2").Reason);
        Assert.Equal(2, decode.Totals.HandoversMissed);
    }

    [Fact]
    public async Task LoadAsync_NoAnswerAtAll_EndsAtTheDeadline()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d", configure: options => options with { LoadDeadline = TimeSpan.FromSeconds(1) });
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        _network.Faults.Partition("p:5600", "d:5600");
        var begun = _time.GetTimestamp();
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Empty(result.Chunks);
        Assert.True(_time.GetElapsedTime(begun) < TimeSpan.FromSeconds(3));
        Assert.Contains("deadline", decode.Report("d").Reason);
        _network.Faults.Heal("p:5600", "d:5600");
    }

    [Fact]
    public async Task Cancel_LoadUnderWay_BringsNothingAndLeaksNothing()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        _network.Faults.Rates = new FaultRates { Delay = 1, DelayMax = TimeSpan.FromSeconds(1) };
        var load = decode.Exchange.TryBeginLoad(new KvLoadRequest("d", Prompt, 0, "", answer))!;
        load.Cancel();
        using var result = await PumpAsync(load.Completion);

        Assert.Empty(result.Chunks);
        Assert.Equal(0, decode.Totals.HandoversMissed);
        _network.Faults.Rates = FaultRates.None;
    }

    [Fact]
    public async Task LoadAsync_TwoRequestsForTheSameText_MoveItOnce()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var (first, second) = (prefill.Prefill("p1", Prompt, ExchangeNode.AskToLend()), prefill.Prefill("p2", Prompt, ExchangeNode.AskToLend()));
        var results = await Task.WhenAll(decode.LoadAsync("d1", Prompt, first), decode.LoadAsync("d2", Prompt, second));

        Assert.All(results, result => Assert.Equal(PromptTokens, decode.CountRightTokens(result)));
        Array.ForEach(results, result => result.Dispose());
        Assert.Equal(prefill.Report("p1").BytesSaved, decode.Report("d1").BytesMoved + decode.Report("d2").BytesMoved);
        await UntilAsync(() => prefill.Exchange.Cache.Memory.Snapshot().Leases == 0);
    }

    [Fact]
    public async Task LoadAsync_WrongPeer_NamesWhatDiffers()
    {
        await using var prefill = await StartAsync("p");
        await using var other = await StartAsync("q", configure: options => options with { ChunkTokens = 128 });
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())!;

        answer["remote_host"] = "q";
        Assert.Empty((await decode.LoadAsync("d1", Prompt, answer)).Chunks);
        Assert.Contains("is engine engine-q, not engine-p", decode.Report("d1").Reason);

        answer["remote_engine_id"] = "engine-q";
        Assert.Empty((await decode.LoadAsync("d2", Prompt, answer)).Chunks);
        Assert.Contains("restarted", decode.Report("d2").Reason);
    }

    [Fact]
    public async Task LoadAsync_PeerWithOtherChunksOrKeys_NamesBothSides()
    {
        await using var prefill = await StartAsync("p", configure: options => options with { HashSeed = "7" });
        await using var decode = await StartAsync("d");
        using var result = await decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, ExchangeNode.AskToLend()));

        Assert.Empty(result.Chunks);
        Assert.Contains("peer keeps other KV", decode.Report("d").Reason);
    }

    [Theory]
    [InlineData("""{"do_remote_prefill":true}""", "remote_engine_id, remote_host, remote_port")]
    [InlineData("""{"do_remote_prefill":true,"remote_engine_id":"e","remote_host":"h","remote_port":70000}""", "remote_port")]
    [InlineData("""{"do_remote_prefill":true,"remote_engine_id":7,"remote_host":["h"],"remote_port":"5600"}""", "remote_engine_id, remote_host, remote_port")]
    [InlineData("""{"do_remote_prefill":true,"remote_engine_id":"e","remote_host":"h","remote_port":5600}""", "no lease of a Ferry exchange")]
    [InlineData("""{"do_remote_prefill":true,"remote_engine_id":"e","remote_host":"h","remote_port":5600,"ferry":{"lease_id":"x","generation":"-1"}}""", "no lease of a Ferry exchange")]
    [InlineData("""{"do_remote_prefill":true,"remote_engine_id":"e","remote_host":"h","remote_port":5600,"ferry":[]}""", "no lease of a Ferry exchange")]
    public async Task TryBeginLoad_UnusableParameters_IsAMissThatSaysWhatIsWrong(string parameters, string named)
    {
        await using var decode = await StartAsync("d");
        Assert.Empty((await decode.LoadAsync("d", Prompt, JsonNode.Parse(parameters)!.AsObject())).Chunks);
        Assert.Contains(named, decode.Report("d").Reason);
        Assert.Equal(1, decode.Totals.HandoversMissed);
    }

    [Fact]
    public async Task Prefill_MemoryTooSmallForThePrompt_LendsTheStartOfIt()
    {
        await using var prefill = await StartAsync("p", configure: options => options with { MemoryBytes = 400_000 });
        await using var decode = await StartAsync("d");
        int[] prompt = ExchangeNode.Prompt(2000);
        var answer = prefill.Prefill("p", prompt, ExchangeNode.AskToLend())!;
        using var result = await decode.LoadAsync("d", prompt, answer);

        var lent = (int)answer["remote_num_tokens"]!;
        Assert.InRange(lent, 256, 1999);
        Assert.Equal(lent, decode.CountRightTokens(result));
    }

    [Fact]
    public async Task LoadAsync_NoRoomAtTheReader_BringsWhatFits()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d", configure: options => options with { MemoryBytes = 400_000, PeerReadBytes = 1 });
        int[] prompt = ExchangeNode.Prompt(2000);
        using var result = await decode.LoadAsync("d", prompt, prefill.Prefill("p", prompt, ExchangeNode.AskToLend()));

        Assert.InRange(decode.CountRightTokens(result), 256, 1999);
        Assert.Contains("no room", decode.Report("d").Reason);
    }

    [Fact]
    public async Task KeepInMemory_Off_AnswersNoRequestFromMemoryButStillHandsOver()
    {
        await using var prefill = await StartAsync("p", configure: options => options with { KeepInMemory = false });
        await using var decode = await StartAsync("d", configure: options => options with { KeepInMemory = false });
        using (var result = await decode.LoadAsync("d1", Prompt, prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())))
        {
            Assert.Equal(PromptTokens, decode.CountRightTokens(result));
        }
        Assert.Empty((await decode.LoadAsync("d2", Prompt)).Chunks);
        prefill.Prefill("plain", ExchangeNode.Prompt(600, seed: 9));
        Assert.Equal(3, prefill.Totals.Memory!.Chunks);
    }

    [Fact]
    public async Task LoadAsync_ManySeedsOfABadNetwork_NeverBringsAWrongByteNorHangsNorLeaks()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var faults = new FaultPlan(seed, FaultRates.None);
            var network = new InProcessNetwork(_time, faults);
            await using var prefill = await ExchangeNode.StartAsync("p", DeviceProfile.Mi300x, 4, network, _time);
            await using var decode = await ExchangeNode.StartAsync("d", DeviceProfile.Gaudi3, 2, network, _time, options => options with { PeerReadBytes = 20_000 });
            faults.Rates = new FaultRates { Corrupt = 0.1, Drop = 0.03, Duplicate = 0.1, Delay = 0.3, DelayMax = TimeSpan.FromSeconds(2) };
            using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())));
            faults.Rates = FaultRates.None;

            Assert.True(decode.CountRightTokens(result) >= 0, $"seed {seed}: wrong bytes");
            Assert.True(result.Chunks.Sum(chunk => chunk.TokenCount) == PromptTokens || decode.Report("d").Reason is not null, $"seed {seed}: silent");
        }
    }

    [Fact]
    public async Task SharedDirectory_SecondNodeOfAnotherShape_FindsTheFirstOnesFullChunks()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-shared-");
        try
        {
            var url = new Uri(directory.FullName).AbsoluteUri;
            await using (var first = await StartAsync("p1", configure: options => options with { SharedUrl = url, Role = KvRole.Producer }))
            {
                first.Prefill("p", Prompt);
                await first.Exchange.FlushAsync(CancellationToken.None);
            }
            await using var second = await StartAsync("d2", configure: options => options with { SharedUrl = url, Role = KvRole.Consumer });
            using (var result = await second.LoadAsync("d", Prompt))
            {
                Assert.Equal(512, second.CountRightTokens(result));
            }
            Assert.Equal(("directory", 512, KvChecksumState.Verified), (second.Report("d").Source, second.Report("d").Tokens, second.Report("d").Checksum));

            second.Prefill("own", ExchangeNode.Prompt(600, seed: 5));
            await second.Exchange.FlushAsync(CancellationToken.None);
            Assert.Equal(8, directory.GetFiles("*.kv", SearchOption.AllDirectories).Length); // A consumer does not write.
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task SharedDirectory_LeaseRanOut_ServesInsteadOfThePeer()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-shared-");
        try
        {
            var url = new Uri(directory.FullName).AbsoluteUri;
            await using var prefill = await StartAsync("p", configure: options => options with { SharedUrl = url });
            await using var decode = await StartAsync("d", configure: options => options with { SharedUrl = url });
            var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
            await prefill.Exchange.FlushAsync(CancellationToken.None);
            _time.Advance(TimeSpan.FromSeconds(31));
            using var result = await decode.LoadAsync("d", Prompt, answer);

            Assert.Equal(512, decode.CountRightTokens(result));
            Assert.Equal(("directory", 1, 0L), (decode.Report("d").Source, decode.Report("d").Nacks, decode.Totals.HandoversMissed));
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task SharedDirectory_FlippedByteOnDisk_IsDetectedCountedAndAMissFromThere()
    {
        var directory = Directory.CreateTempSubdirectory("ferry-shared-");
        try
        {
            var url = new Uri(directory.FullName).AbsoluteUri;
            await using var prefill = await StartAsync("p", configure: options => options with { SharedUrl = url });
            prefill.Prefill("p", Prompt);
            await prefill.Exchange.FlushAsync(CancellationToken.None);
            foreach (var file in directory.GetFiles("*.kv", SearchOption.AllDirectories))
            {
                var bytes = File.ReadAllBytes(file.FullName);
                bytes[^1] ^= 1;
                File.WriteAllBytes(file.FullName, bytes);
            }
            await using var decode = await StartAsync("d", configure: options => options with { SharedUrl = url });
            using var result = await decode.LoadAsync("d", Prompt);
            Assert.Empty(result.Chunks);
            Assert.True(decode.Totals.ChecksumFailures > 0);
        }
        finally
        {
            directory.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Reports_Forgotten_AreGone()
    {
        await using var node = await StartAsync("p", configure: options => options with { ReportsMax = 2 });
        foreach (var id in (string[])["a", "b", "c"])
        {
            await node.LoadAsync(id, Prompt);
        }
        Assert.Null(node.Exchange.Reports.TryGet("a"));
        Assert.NotNull(node.Exchange.Reports.TryGet("b"));
        node.Exchange.Reports.Forget("b");
        Assert.Null(node.Exchange.Reports.TryGet("b"));
    }

    private static void Flip(ExchangeNode node, int chunk, int byteIndex)
    {
        var key = new PromptChain(Ferry.Kv.Hashing.ChunkHasher.Create("sha256_cbor"), 256, ExchangeNode.Model, "")
            .KeyOf(Prompt, chunk * 256, Math.Min(256, PromptTokens - (chunk * 256)));
        Assert.True(node.Exchange.Cache.Memory.TryLease(key, new ChunkQuery(0, 0, 0), out var lease));
        using (lease)
        {
            System.Runtime.InteropServices.MemoryMarshal.AsMemory(lease.Shards[0].Record).Span[byteIndex] ^= 0x40;
        }
    }
}
