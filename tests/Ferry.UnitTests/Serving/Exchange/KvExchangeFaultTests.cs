using System.Text.Json.Nodes;
using Ferry.Engine;
using Ferry.Engine.Connector;
using Ferry.Kv.Records;
using Ferry.Serving;
using Ferry.TestKit.Exchange;
using Ferry.TestKit.Transfer;
using Ferry.Transfer.InProcess;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

/// <summary>Leases that end, bytes that flip, peers that die or never were: each is a miss that says why, never a wrong byte.</summary>
public sealed class KvExchangeFaultTests : KvExchangeScene
{
    [Fact]
    public async Task LoadAsync_LeaseRanOut_IsRefusedCountedAndAMiss()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        Time.Advance(TimeSpan.FromSeconds(30));
        using var result = await decode.LoadAsync("d", Prompt, answer);

        Assert.Empty(result.Chunks);
        var report = decode.Report("d");
        Assert.StartsWith("lease expired", report.Reason);
        Assert.Equal((1, "none"), (report.Nacks, report.Source));
        Assert.Equal((1L, 1L, 0L), (decode.Totals.HandoversMissed, decode.Totals.Nacks, decode.Totals.HandoversDone));
        Assert.Equal((1L, 1L), (prefill.Totals.LeasesExpired, prefill.Totals.Nacks));
        Assert.Equal(0, prefill.Exchange.Cache.Memory.Snapshot().Leases);
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
    public async Task LoadAsync_PeerDiesBetweenTwoReads_KeepsWhatCameAndSaysWhy()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await ExchangeNode.StartAsync(
            "d", DeviceProfile.Gaudi3, 2, Network, Time, options => options with { PeerReadBytes = 1, LoadDeadline = TimeSpan.FromMinutes(10) },
            agent => new HookedAgent(agent, read =>
            {
                if (read == 2)
                {
                    Network.Faults.Partition("p:5600", "d:5600");
                }
            }));
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())));

        Assert.Equal(256, decode.CountRightTokens(result));
        Assert.Contains("peer lost", decode.Report("d").Reason);
        Assert.True(decode.Totals.LoadFailures > 0);
        Network.Faults.Heal("p:5600", "d:5600");
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

        Time.Advance(TimeSpan.FromSeconds(2));
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
        Network.Faults.Partition("p:5600", "d:5600");
        using var result = await PumpAsync(decode.LoadAsync("d", Prompt, answer));

        Assert.Empty(result.Chunks);
        Assert.Contains("load deadline", decode.Report("d").Reason); // One second; the agent's own deadlines are three and five.
        Network.Faults.Heal("p:5600", "d:5600");
    }

    [Fact]
    public async Task Cancel_LoadUnderWay_BringsNothingAndLeaksNothing()
    {
        await using var prefill = await StartAsync("p");
        await using var decode = await StartAsync("d");
        var answer = prefill.Prefill("p", Prompt, ExchangeNode.AskToLend());
        Network.Faults.Rates = new FaultRates { Delay = 1, DelayMax = TimeSpan.FromSeconds(1) };
        var load = decode.Exchange.TryBeginLoad(new KvLoadRequest("d", Prompt, 0, "", answer))!;
        load.Cancel();
        using var result = await PumpAsync(load.Completion);

        Assert.Empty(result.Chunks);
        Assert.Equal(0, decode.Totals.HandoversMissed);
        Network.Faults.Rates = FaultRates.None;
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
    public async Task LoadAsync_ManySeedsOfABadNetwork_NeverBringsAWrongByteNorHangsNorLeaks()
    {
        for (var seed = 0; seed < 25; seed++)
        {
            var faults = new FaultPlan(seed, FaultRates.None);
            var network = new InProcessNetwork(Time, faults);
            await using var prefill = await ExchangeNode.StartAsync("p", DeviceProfile.Mi300x, 4, network, Time);
            await using var decode = await ExchangeNode.StartAsync("d", DeviceProfile.Gaudi3, 2, network, Time, options => options with { PeerReadBytes = 20_000 });
            faults.Rates = new FaultRates { Corrupt = 0.1, Drop = 0.03, Duplicate = 0.1, Delay = 0.3, DelayMax = TimeSpan.FromSeconds(2) };
            using var result = await PumpAsync(decode.LoadAsync("d", Prompt, prefill.Prefill("p", Prompt, ExchangeNode.AskToLend())));
            faults.Rates = FaultRates.None;

            Assert.True(decode.CountRightTokens(result) >= 0, $"seed {seed}: wrong bytes");
            Assert.True(result.Chunks.Sum(chunk => chunk.TokenCount) == PromptTokens || decode.Report("d").Reason is not null, $"seed {seed}: silent");
        }
    }
}
