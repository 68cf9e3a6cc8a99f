using System.Text;
using Ferry.Router;
using Ferry.Router.Choosing;
using Ferry.Router.Configuration;
using Ferry.Router.Metrics;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Time.Testing;
using Xunit;

namespace Ferry.UnitTests.Router.Choosing;

public sealed class NodeChooserTests : IAsyncDisposable
{
    private static readonly string Story = string.Concat(Enumerable.Range(0, 2000).Select(word => $"word{word} "));
    private readonly FakeTimeProvider _clock = new();
    private RouterRuntime? _runtime;

    private RouterRuntime Router => _runtime!;

    [Fact]
    public void Choose_APromptSentBefore_GoesWhereItWas()
    {
        Start("prefix-aware");
        using (var first = Router.Chooser.Choose(Facts(Story)))
        {
            Run(first);
        }
        for (var round = 0; round < 6; round++)
        {
            using var next = Router.Chooser.Choose(Facts(Story + $" and question {round}"));
            Assert.True(next.PrefillHitTokens > next.PromptTokens * 9 / 10, $"{next.PrefillHitTokens} of {next.PromptTokens}");
            Assert.Equal("p1", next.Prefill!.Name);
        }
    }

    [Fact]
    public void Choose_TokenIds_HitsAreWholeBlocks()
    {
        Start("prefix-aware");
        var tokens = "[" + string.Join(',', Enumerable.Range(0, 100)) + "]";
        using (var first = Router.Chooser.Choose(Facts(tokens, isRaw: true))) { Run(first); }
        using var next = Router.Chooser.Choose(Facts(tokens, isRaw: true));
        Assert.Equal(96, next.PrefillHitTokens);
    }

    [Fact]
    public void Choose_RolesWithOtherBlockLengths_EachHitsInItsOwn()
    {
        Start("prefix-aware", decode: ["http://d1"]);
        Router.Nodes.Current.Decode.Single().BlockTokens = 64;
        var tokens = "[" + string.Join(',', Enumerable.Range(0, 100)) + "]";
        using (var first = Router.Chooser.Choose(Facts(tokens, isRaw: true))) { Run(first); }
        using var next = Router.Chooser.Choose(Facts(tokens, isRaw: true));
        Assert.Equal((96, 64), (next.PrefillHitTokens, next.DecodeHitTokens));
    }

    [Fact]
    public void NextPrefill_OnAnotherThread_KnowsWhatTheOthersHave()
    {
        Start("prefix-aware");
        using (var first = Router.Chooser.Choose(Facts(Story))) { Run(first); }
        using var choice = Router.Chooser.Choose(Facts(Story));
        var (prefill, hit) = (choice.Prefill, choice.PrefillHitTokens);
        var thread = new Thread(() =>
        {
            using (Router.Chooser.Choose(Facts("nothing of this"))) { }   // what this thread looked for before is another prompt
            choice.NextPrefill();
        });
        thread.Start();
        thread.Join();
        Assert.Equal((prefill, hit), (choice.Prefill, choice.PrefillHitTokens));
        Assert.True(hit > 0);
    }

    [Fact]
    public void Choose_OtherSalt_HitsNothing()
    {
        Start("prefix-aware");
        using (var first = Router.Chooser.Choose(Facts(Story, salt: "\"a\""))) { Run(first); }
        using var next = Router.Chooser.Choose(Facts(Story, salt: "\"b\""));
        Assert.Equal(0, next.PrefillHitTokens);
    }

    [Fact]
    public void Choose_NodeFailedThatPrompt_IsNotBelievedToHaveIt()
    {
        Start("prefix-aware");
        using (var first = Router.Chooser.Choose(Facts(Story)))
        {
            using var leg = first.StartLeg(NodeRole.Prefill);
            leg.Sent();
            leg.Failed(LegFailure.ServerError);
        }
        using var next = Router.Chooser.Choose(Facts(Story));
        Assert.Equal(0, next.PrefillHitTokens);
    }

    [Fact]
    public void Choose_ShortPrompt_SkipsThePrefillLeg()
    {
        Start("round-robin", options => options with { MinPrefillTokens = 100 });
        using var choice = Router.Chooser.Choose(Facts("Hello"));
        Assert.Null(choice.Prefill);
        Assert.Equal("short prompt", choice.SkipReason);
        using var longer = Router.Chooser.Choose(Facts(Story));
        Assert.NotNull(longer.Prefill);
    }

    [Fact]
    public void Choose_PrefixAtTheDecodeNode_SkipsThePrefillLeg()
    {
        Start("prefix-aware", options => options with { MaxDecodeHit = 0.8 });
        using (var first = Router.Chooser.Choose(Facts(Story))) { Run(first); }
        using var next = Router.Chooser.Choose(Facts(Story + " more"));
        Assert.Equal("prefix cached at the decode node", next.SkipReason);
        Assert.Equal("d1", next.Decode!.Name);
    }

    [Fact]
    public void Choose_FactsSayDecodeOnly_ThatIsTheReason()
    {
        Start("round-robin");
        using var choice = Router.Chooser.Choose(new ChoiceFacts { Prompt = default, DecodeOnlyReason = "n > 1" });
        Assert.Equal(("n > 1", null), (choice.SkipReason, choice.Prefill));
    }

    [Fact]
    public void Next_EachTried_GivesTheOthersThenNone()
    {
        Start("round-robin");
        using var choice = Router.Chooser.Choose(Facts("x"));
        var tried = new List<string>();
        do
        {
            tried.Add(choice.Prefill!.Name);
            choice.StartLeg(NodeRole.Prefill).Dispose();
        }
        while (choice.NextPrefill() is not null);
        Assert.Equal(["p1", "p2", "p3"], tried.Order());
        Assert.Equal("no other prefill node", choice.SkipReason);
    }

    [Fact]
    public void Choose_NodeLeftOut_ComesBackAfterItsTime()
    {
        Start("round-robin", options => options with { EjectAfter = 1, EjectTime = TimeSpan.FromSeconds(5) });
        FailAt("p1");
        Assert.DoesNotContain("p1", Prefills(30));
        _clock.Advance(TimeSpan.FromSeconds(5.1));
        Assert.Contains("p1", Prefills(300));
    }

    [Fact]
    public void Choose_AllLeftOut_TriesThemAllTheSame()
    {
        Start("round-robin", options => options with { EjectAfter = 1 });
        foreach (var name in (string[])["p1", "p2", "p3"]) { FailAt(name); }
        Assert.Equal(3, Prefills(300).Distinct().Count());
    }

    [Fact]
    public void TransferFailed_ThreeTimes_ThePairIsLeftOutAndOtherPairsAreNot()
    {
        Start("round-robin", decode: ["http://d1"]);
        for (var failures = 0; failures < 3;)
        {
            using var choice = Router.Chooser.Choose(Facts("x"));
            if (choice.Prefill!.Name != "p2") { continue; }
            choice.TransferFailed("no route");
            failures++;
        }
        Assert.Equal(["p1", "p3"], Prefills(20).Distinct().Order());
        _clock.Advance(TimeSpan.FromSeconds(30.1));
        Assert.Single(Prefills(20), name => name == "p2");   // one tries
    }

    [Fact]
    public void Draining_Node_IsEmptyOnlyWhenItsKvWasFetched()
    {
        Start("round-robin");
        using var choice = Router.Chooser.Choose(Facts("x"));
        var prefill = choice.Prefill!;
        prefill.IsDraining = true;
        Assert.DoesNotContain(prefill.Name, Prefills(20));
        using (var leg = choice.StartLeg(NodeRole.Prefill)) { leg.Finished(10, 0, 1, holdsKv: true); }
        Assert.Equal((0, 1), (prefill.Running, prefill.Leases));
        Assert.False(prefill.IsEmpty(Router.Time.Milliseconds));
        using (var leg = choice.StartLeg(NodeRole.Decode)) { leg.FirstByte(); }
        Assert.True(prefill.IsEmpty(Router.Time.Milliseconds));
    }

    [Fact]
    public void Dispose_KvThatNobodyFetched_KeepsTheNodeUntilTheLeaseEnds()
    {
        Start("round-robin");
        var choice = Router.Chooser.Choose(Facts("x"));
        var prefill = choice.Prefill!;
        using (var leg = choice.StartLeg(NodeRole.Prefill)) { leg.Finished(10, 0, 1, holdsKv: true); }
        choice.Dispose();
        Assert.Equal(0, prefill.Leases);
        Assert.False(prefill.IsEmpty(Router.Time.Milliseconds));
        _clock.Advance(Router.Options.LeaseTime);
        Assert.True(prefill.IsEmpty(Router.Time.Milliseconds));
    }

    [Fact]
    public void Legs_OfEveryEnding_LeaveTheCountersAtZero()
    {
        Start("least-loaded");
        for (var round = 0; round < 30; round++)
        {
            using var choice = Router.Chooser.Choose(Facts(Story));
            using var prefill = choice.StartLeg(NodeRole.Prefill);
            if (round % 3 == 0) { prefill.Finished(5000, 10, 1, holdsKv: true); }
            if (round % 3 == 1) { prefill.Failed(LegFailure.TimedOut); }
            using var decode = choice.StartLeg(NodeRole.Decode);
            if (round % 2 == 0) { decode.FirstByte(); }
        }
        Assert.All(Router.Nodes.Current.Nodes, node => Assert.Equal((0, 0L, 0), (node.Running, node.QueuedTokens, node.Leases)));
    }

    [Fact]
    public void BytesPerToken_AnswersThatTellTokens_AreLearned()
    {
        Start("round-robin");
        for (var round = 0; round < 200; round++)
        {
            using var choice = Router.Chooser.Choose(Facts(Story));
            using var leg = choice.StartLeg(NodeRole.Prefill);
            leg.Finished(Story.Length / 2, 0, 1);
        }
        using var last = Router.Chooser.Choose(Facts(Story));
        Assert.InRange(last.PromptTokens, Story.Length * 0.45, Story.Length * 0.55);
    }

    [Fact]
    public void Apply_NodesChange_KeepsCountersAndForgetsTheOnesThatWent()
    {
        Start("prefix-aware");
        var p2 = Router.Chooser.TryFind(NodeRole.Prefill, "p2")!;
        p2.Begin(5);
        using (var first = Router.Chooser.Choose(Facts(Story))) { Run(first); }
        Router.Nodes.Apply(Router.Options with { Prefill = [new Uri("http://p2"), new Uri("http://p9")] });
        Assert.Same(p2, Router.Chooser.TryFind(NodeRole.Prefill, "p2"));
        Assert.Null(Router.Chooser.TryFind(NodeRole.Prefill, "p1"));
        using var next = Router.Chooser.Choose(Facts(Story));
        Assert.Equal(0, next.PrefillHitTokens);   // p9 may have p1's slot, and nothing of what p1 had
    }

    public async ValueTask DisposeAsync()
    {
        if (_runtime is not null) { await _runtime.DisposeAsync(); }
    }

    private void Start(string policy, Func<RouterOptions, RouterOptions>? change = null, string[]? decode = null)
    {
        var options = new RouterOptions
        {
            Prefill = [new Uri("http://p1"), new Uri("http://p2"), new Uri("http://p3")],
            Decode = [.. (decode ?? ["http://d1", "http://d2"]).Select(url => new Ferry.Router.Discovery.NodeSpec(new Uri(url)))],
            Policy = policy,
            IndexBytes = 4 << 20,
        };
        options = change?.Invoke(options) ?? options;
        _runtime = new RouterRuntime(
            RouterConfiguration.Of(options), options, new RouterMetrics(), _clock, NullLogger.Instance, (_, _, _) => Task.FromException<HttpResponseMessage>(new HttpRequestException("no network here")), 7);
    }

    private static void Run(Choice choice)
    {
        using (var leg = choice.StartLeg(NodeRole.Prefill))
        {
            leg.Sent();
            leg.Finished(null, null, 1, holdsKv: true);
        }
        using (var leg = choice.StartLeg(NodeRole.Decode))
        {
            leg.Sent();
            leg.Finished(null, null, 10);
        }
    }

    private void FailAt(string name)
    {
        for (var round = 0; round < 50; round++)
        {
            using var choice = Router.Chooser.Choose(Facts("x"));
            if (choice.Prefill!.Name != name) { continue; }
            using var leg = choice.StartLeg(NodeRole.Prefill);
            leg.Failed(LegFailure.Unreachable);
            return;
        }
        Assert.Fail($"{name} was never chosen");
    }

    private List<string> Prefills(int count) => [.. Enumerable.Range(0, count).Select(_ =>
    {
        using var choice = Router.Chooser.Choose(Facts("x"));
        return choice.Prefill?.Name ?? choice.SkipReason!;
    })];

    private static ChoiceFacts Facts(string prompt, string salt = "", bool isRaw = false) => new()
    {
        Prompt = Encoding.UTF8.GetBytes(isRaw ? prompt : $"\"{prompt}"),   // as it stands in a body: the closing quote is never the prefix's
        Model = "m",
        CacheSalt = Encoding.UTF8.GetBytes(salt),
        PromptTokens = isRaw ? prompt.Count(character => character == ',') + 1 : null,
    };
}
