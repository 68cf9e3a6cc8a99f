using Ferry.Cli.Commands;
using Ferry.Cli.Commands.Transport;
using Ferry.Kv.Layout;
using Ferry.Transfer;
using Ferry.Transfer.SideChannel;
using Xunit;

namespace Ferry.UnitTests.Cli;

public sealed class TransportCommandTests
{
    private static readonly KvLayout Whole = new()
    {
        Layers = 2,
        ModelHeads = 8,
        FirstHead = 0,
        Heads = 8,
        HeadDim = 16,
        Tokens = 40,
        BlockTokens = 16,
        DType = KvDType.BFloat16,
        Order = KvOrder.Hnd,
        Packing = KvPacking.Interleaved,
    };

    [Theory]
    [InlineData("bench --media tpc", "Did you mean 'tcp'?")]
    [InlineData("bench --sizes 1MiB,many", "'many' is not a size")]
    [InlineData("bench --depth 0", "not a number from 1 to 256")]
    [InlineData("bench --direction sideways", "neither read nor write")]
    [InlineData("bench --rounds 0", "--rounds is 0")]
    [InlineData("bench --listen 5600", "write HOST:PORT")]
    [InlineData("bench --listen 127.0.0.1:0 --peer 127.0.0.1:1", "exclude each other")]
    [InlineData("check localhost", "write HOST:PORT")]
    [InlineData("check 127.0.0.1:1 --floor -1", "--floor is -1")]
    public async Task Run_WordsThatMakeNoSense_EndWithExitCode2AndTheWayOut(string words, string expected)
    {
        var run = await CommandLineRun.OfAsync([TransportCommand.Create()], ["transport", .. words.Split(' ')]);
        Assert.Equal(2, run.ExitCode);
        Assert.Contains(expected, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public void Compare_NodesThatFitOrDoNot_SaysSoFieldByField()
    {
        var block16 = Whole.ToString();
        var first = Node("p", 7, "sha256_cbor/aa", block16);

        var same = KvComparison.Compare(first, Node("d", 7, "sha256_cbor/aa", block16)).ToArray();
        Assert.All(same, step => Assert.Equal(CheckStep.Ok, step.Result));
        var other = KvComparison.Compare(first, Node("d", 8, "sha256_cbor/bb", (Whole with { HeadDim = 32 }).ToString())).ToArray();
        Assert.Equal(["model", "keys", "conversion to d", "conversion to p"], other.Where(step => step.Result == CheckStep.Failed).Select(step => step.Name));
        Assert.All(other.Where(step => step.Result == CheckStep.Failed), step => Assert.NotEmpty(step.Fix));
        Assert.Equal("layouts", Assert.Single(KvComparison.Compare(first, Node("d", 7, "x"))).Name);
        Assert.Contains(KvComparison.Compare(first, Node("d", 7, "sha256_cbor/aa", "gibberish")), step => step.Found.Contains("gibberish", StringComparison.Ordinal));
    }

    private static PeerMetadata Node(string engineId, UInt128 model, string keys, params string[] layouts) =>
        new(new AgentIdentity(engineId, 1), new KvDescription(model, 256, keys, layouts), []);
}
