using System.Text.Json.Nodes;
using Ferry.Engine;
using Ferry.Serving;
using Ferry.TestKit.Exchange;
using Xunit;

namespace Ferry.UnitTests.Serving.Exchange;

public sealed class KvExchangeTests : KvExchangeScene
{
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
        Assert.Equal((Time.GetUtcNow() + TimeSpan.FromSeconds(30)).ToUnixTimeSeconds(), (double)answer["remote_blocks_expiry_time"]!, 0.001);
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
        await using var node = await ExchangeNode.StartAsync("p", DeviceProfile.Mi300x, 4, null, Time);
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
}
