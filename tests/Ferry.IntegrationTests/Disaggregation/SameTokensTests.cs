using Ferry.IntegrationTests.Processes;

namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>However a node cuts and batches its work, one seed gives the same tokens.</summary>
public sealed class SameTokensTests(PlainNode plain) : IClassFixture<PlainNode>
{
    private const string Chat = "/v1/chat/completions";

    public static TheoryData<string[]> Ways() =>
    [
        new TheoryDataRow<string[]>(["--max-num-batched-tokens", "64"]) { TestDisplayName = "chunked" },
        new TheoryDataRow<string[]>(["--no-enable-prefix-caching"]) { TestDisplayName = "without prefix cache" },
        new TheoryDataRow<string[]>(["--threads", "2"]) { TestDisplayName = "two threads" },
        new TheoryDataRow<string[]>(["--max-num-seqs", "2", "--block-size", "32"]) { TestDisplayName = "two sequences, block 32" },
    ];

    [Theory]
    [MemberData(nameof(Ways))]
    public async Task Node_ThisWay_GivesTheTokensOfAPlainRun(string[] arguments)
    {
        var requests = Enumerable.Range(0, 6).Select(i => Prompts.Chat(i % 3, i % 2, seed: i)).ToArray();
        var expected = new List<string>();
        foreach (var request in requests)
        {
            expected.Add((await plain.Node.PostAsync(Chat, request)).Text);
        }

        // Without --threads of its own the node has one; the last of two wins.
        await using var node = await ServeNode.StartAsync("cpu", 1, role: null, arguments);
        var batched = await Task.WhenAll(requests.Select(request => node.PostAsync(Chat, request)));
        Assert.Equal(expected, batched.Select(answer => answer.Text));

        var again = await node.PostAsync(Chat, requests[0]);
        Assert.Equal(expected[0], again.Text);
    }

    [Fact]
    public async Task Node_AnsweringFromItsPrefixCache_SaysSoAndGivesTheSameTokens()
    {
        var request = Prompts.Chat(2, 1, seed: 99);
        var first = await plain.Node.PostAsync(Chat, request);
        var second = await plain.Node.PostAsync(Chat, request);

        Assert.Equal(first.Text, second.Text);
        Assert.True((int)second.Body["usage"]!["prompt_tokens_details"]!["cached_tokens"]! >= 512);
    }
}
