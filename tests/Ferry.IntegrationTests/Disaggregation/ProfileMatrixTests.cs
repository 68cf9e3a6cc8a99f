namespace Ferry.IntegrationTests.Disaggregation;

/// <summary>Every pair of profiles, TP 1/2/4 to TP 1/2/4, over real processes and sockets: the same tokens as a plain run.</summary>
public sealed class ProfileMatrixTests(ProfileMatrix matrix) : IClassFixture<ProfileMatrix>
{
    public static TheoryData<string, int, string, int> Pairs()
    {
        var pairs = new TheoryData<string, int, string, int>();
        foreach (var (prefillDevice, prefillRanks) in ProfileMatrix.Shapes)
        {
            foreach (var (decodeDevice, decodeRanks) in ProfileMatrix.Shapes)
            {
                pairs.Add(prefillDevice, prefillRanks, decodeDevice, decodeRanks);
            }
        }
        return pairs;
    }

    [Theory]
    [MemberData(nameof(Pairs))]
    public async Task HandOver_BetweenTheseShapes_GivesTheTokensOfAPlainRun(string prefillDevice, int prefillRanks, string decodeDevice, int decodeRanks)
    {
        // A document for each decode node's turn, so that its own memory does not answer what the peer should.
        var request = Prompts.Chat(document: 0, question: 0, seed: 7);
        request["cache_salt"] = $"{prefillDevice}-{prefillRanks}-{decodeDevice}-{decodeRanks}";
        var plain = await matrix.Plain.PostAsync("/v1/chat/completions", request);
        var decode = matrix.Decode(decodeDevice, decodeRanks);

        var answer = await Prompts.DisaggregatedAsync(matrix.Prefill(prefillDevice, prefillRanks), decode, request);

        Assert.Equal(plain.Text, answer.Text);
        Assert.Contains("peer", answer.Source, StringComparison.Ordinal);
        Assert.True(answer.MovedTokens >= (int)answer.Body["usage"]!["prompt_tokens"]! - 1, $"Only {answer.MovedTokens} tokens came from the peer.");
        Assert.Equal("verified", answer.Headers["x-ferry-kv-checksum"]);
        var converted = long.Parse(answer.Headers["x-ferry-kv-bytes-converted"]);
        Assert.Equal((prefillDevice, prefillRanks) != (decodeDevice, decodeRanks), converted > 0);
    }
}
