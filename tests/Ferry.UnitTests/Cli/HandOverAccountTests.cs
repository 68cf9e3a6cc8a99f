using Ferry.Cli.Client;
using Ferry.Cli.Up;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class HandOverAccountTests
{
    private static readonly Dictionary<string, string> Moved = new()
    {
        ["x-ferry-kv-tokens"] = "600",
        ["x-ferry-kv-bytes-moved"] = "1228800",
        ["x-ferry-kv-bytes-converted"] = "1228800",
        ["x-ferry-kv-source"] = "peer",
        ["x-ferry-kv-checksum"] = "verified",
        ["x-ferry-kv-ms"] = "transfer=2.25, verify=0.5, convert=1",
        ["x-ferry-prefill-ms"] = "180.4",
        ["x-ferry-prefill-cached-tokens"] = "512",
    };

    [Fact]
    public void From_AProvenHandOver_HasNoFailure()
    {
        var account = HandOverAccount.From("What colour?", "red", Turn(Moved));
        Assert.Null(account.Failure());
        Assert.True(account.IsRight);
        Assert.Equal(512, account.PrefillCachedTokens);
        Assert.Equal(1_228_800, account.MovedBytes);
        Assert.Equal(180.4, account.Steps["prefill"]);
        Assert.Equal(2.25, account.Steps["transfer"]);
        Assert.Equal(0.5, account.Steps["verify"]);
    }

    [Theory]
    [InlineData("x-ferry-kv-tokens", "0", "no KV")]
    [InlineData("x-ferry-kv-bytes-moved", "0", "no byte")]
    [InlineData("x-ferry-kv-checksum", "failed", "'failed'")]
    [InlineData("x-ferry-kv-tokens", "not a number", "no KV")]
    public void Failure_ProofMissing_SaysWhatIsMissing(string header, string value, string said)
    {
        var account = HandOverAccount.From("What colour?", "red", Turn(new(Moved) { [header] = value }));
        Assert.Contains(said, account.Failure()!, StringComparison.Ordinal);
    }

    [Fact]
    public void Failure_NoProofAtAll_IsAFailure() =>
        Assert.NotNull(HandOverAccount.From("What colour?", "red", Turn([])).Failure());

    private static ChatTurn Turn(Dictionary<string, string> headers) =>
        new(" The kite was Red. ", 640, 600, 5, "stop", headers, TimeSpan.FromMilliseconds(190), TimeSpan.FromMilliseconds(230));
}
